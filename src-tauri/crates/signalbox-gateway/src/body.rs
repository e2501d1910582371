//! Reading a request's body once, into JSON, within limits that say what was exceeded.

use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use serde_json::{Map, Value};
use signalbox_core::key::ApiKey;
use tokio_util::task::TaskTracker;

use crate::fault::Fault;

/// Largest body. Units: bytes. Long conversations with a few pictures stay below; more belongs in a file upload.
pub(crate) const BODY_BYTES_MAX: usize = 10 * 1024 * 1024;
/// Largest body with a recording in it, as `OpenAI` takes it. Units: bytes.
pub(crate) const AUDIO_BYTES_MAX: usize = 25 * 1024 * 1024;
/// Deepest nesting of arrays and objects; deeper JSON is an attack on a parser's stack, not a conversation.
pub(crate) const JSON_DEPTH_MAX: usize = 64;
/// A body has to be there by then; a client that drips it holds a connection for nothing.
const BODY_READ_MAX: Duration = Duration::from_mins(1);
/// How much of a refused body is thrown away, so that a client that writes before it reads still gets to read why. Units: bytes.
const DISCARD_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// And for how long.
const DISCARD_MAX: Duration = Duration::from_secs(5);

/// Reads the body as one JSON object.
///
/// Errors: what is wrong with it and where, in words for its author.
pub(crate) async fn read_object(
    tasks: &TaskTracker,
    headers: &HeaderMap,
    body: Body,
    limit: usize,
) -> Result<Map<String, Value>, Fault> {
    parse(&read(tasks, headers, body, limit).await?)
}

/// Throws away what the client still sends, in the background: it reads its refusal only after having written.
///
/// A client that asked whether to send at all (`Expect: 100-continue`) has sent nothing yet, and will not.
pub(crate) fn discard(tasks: &TaskTracker, headers: &HeaderMap, body: Body) {
    if body.is_end_stream() || headers.contains_key(header::EXPECT) {
        return;
    }
    tasks.spawn(tokio::time::timeout(DISCARD_MAX, async move {
        let (mut body, mut discarded) = (body, 0_u64);
        while let Some(Ok(frame)) = body.frame().await {
            let bytes = frame.data_ref().map_or(0, Bytes::len);
            discarded = discarded.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
            if discarded > DISCARD_BYTES_MAX {
                return;
            }
        }
    }));
}

/// Reads the body, of at most `limit` bytes.
///
/// Errors: it is larger, breaks off or takes too long.
pub(crate) async fn read(
    tasks: &TaskTracker,
    headers: &HeaderMap,
    mut body: Body,
    limit: usize,
) -> Result<Bytes, Fault> {
    let announced = body.size_hint().lower();
    if usize::try_from(announced).map_or(true, |announced| announced > limit) {
        discard(tasks, headers, body);
        return Err(too_large(limit));
    }
    match tokio::time::timeout(BODY_READ_MAX, collect(&mut body, limit)).await {
        Ok(Err(Unread::TooLarge)) => {
            discard(tasks, &HeaderMap::new(), body);
            Err(too_large(limit))
        }
        Ok(Err(Unread::Broken)) => Err(Fault::invalid("The request body broke off.")),
        Ok(Ok(bytes)) => Ok(bytes),
        Err(_) => {
            let seconds = BODY_READ_MAX.as_secs();
            Err(Fault::body_too_slow(format!("The request body did not arrive within {seconds} seconds.")))
        }
    }
}

enum Unread {
    TooLarge,
    Broken,
}

async fn collect(body: &mut Body, limit: usize) -> Result<Bytes, Unread> {
    let mut first = None;
    let mut collected = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Unread::Broken)?.into_data() else { continue };
        if collected.len() + first.as_ref().map_or(0, Bytes::len) + data.len() > limit {
            return Err(Unread::TooLarge);
        }
        match first.take() {
            // Most bodies come in one piece, which then needs no copy.
            None if collected.is_empty() => first = Some(data),
            earlier => {
                collected.extend_from_slice(&earlier.unwrap_or_default());
                collected.extend_from_slice(&data);
            }
        }
    }
    Ok(first.unwrap_or_else(|| collected.freeze()))
}

fn too_large(limit: usize) -> Fault {
    const MEGABYTE: usize = 1024 * 1024;
    let size = if limit.is_multiple_of(MEGABYTE) {
        format!("{} MB", limit / MEGABYTE)
    } else {
        format!("{limit} bytes, the limit of this API key")
    };
    Fault::body_too_large(format!("The request body is larger than {size}."))
}

/// What a key may send at most on a surface that takes `most`.
pub(crate) fn limit_of(key: &ApiKey, most: usize) -> usize {
    let own = key.limits.body_bytes.and_then(|bytes| usize::try_from(bytes).ok());
    own.map_or(most, |own| own.min(most))
}

/// The JSON object in `bytes`.
fn parse(bytes: &[u8]) -> Result<Map<String, Value>, Fault> {
    if bytes.is_empty() {
        return Err(Fault::invalid("The request has no body; it must be a JSON object."));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        Fault::invalid(format!("The request body is not UTF-8: byte {} is wrong.", error.valid_up_to() + 1))
    })?;
    if let Some(at) = too_deep_at(bytes) {
        let message =
            format!("The JSON is nested deeper than {JSON_DEPTH_MAX} levels at {}.", position(bytes, at));
        return Err(Fault::invalid(message));
    }
    let start = text.trim_start_matches([' ', '\t', '\r', '\n']);
    if !start.starts_with('{')
        && let Ok(other) = serde_json::from_str::<Value>(text)
    {
        return Err(Fault::invalid(format!(
            "The request body must be a JSON object, not {}.",
            kind_of(&other)
        )));
    }
    serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let words = error.to_string();
        // serde_json ends its words with the position, which we say in ours.
        let reason = words.split(" at line ").next().unwrap_or(&words);
        Fault::invalid(format!(
            "The request body is not valid JSON: {reason} at line {line}, column {column}."
        ))
    })
}

const fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// Where the nesting becomes deeper than [`JSON_DEPTH_MAX`]; brackets inside strings do not count.
fn too_deep_at(bytes: &[u8]) -> Option<usize> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for (at, byte) in bytes.iter().enumerate() {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'[' | b'{' => {
                depth += 1;
                if depth > JSON_DEPTH_MAX {
                    return Some(at);
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// Line and column of the byte at `at`, from 1.
fn position(bytes: &[u8], at: usize) -> String {
    let before = &bytes[..at];
    let line = before.split(|byte| *byte == b'\n').count();
    let column = at - before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1) + 1;
    format!("line {line}, column {column}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(body: &[u8]) -> String {
        parse(body).unwrap_err().message
    }

    #[test]
    fn a_malformed_body_is_refused_with_the_place_of_its_fault() {
        assert_eq!(
            fault(b"{\n  \"model\": oops\n}"),
            "The request body is not valid JSON: expected value at line 2, column 12."
        );
        assert_eq!(
            fault(b"{\"a\": 1"),
            "The request body is not valid JSON: EOF while parsing an object at line 1, column 7."
        );
        assert_eq!(fault(b"{\"a\": \"\xff\"}"), "The request body is not UTF-8: byte 8 is wrong.");
        assert_eq!(fault(b""), "The request has no body; it must be a JSON object.");
        assert!(fault(b"{} {}").contains("trailing characters"), "{}", fault(b"{} {}"));
    }

    #[test]
    fn what_is_no_object_is_named() {
        for (body, kind) in [
            ("[]", "an array"),
            (" \"x\"", "a string"),
            ("7", "a number"),
            ("true", "a boolean"),
            ("\n null ", "null"),
        ] {
            assert_eq!(
                fault(body.as_bytes()),
                format!("The request body must be a JSON object, not {kind}.")
            );
        }
    }

    #[test]
    fn sixty_four_levels_are_read_and_the_sixty_fifth_is_refused_where_it_begins() {
        let nested = |levels: usize| {
            format!("{{\"a\":{}1{}}}", "[".repeat(levels - 1), "]".repeat(levels - 1)).into_bytes()
        };
        assert!(parse(&nested(JSON_DEPTH_MAX)).is_ok());
        let message = fault(&nested(JSON_DEPTH_MAX + 1));
        assert_eq!(message, "The JSON is nested deeper than 64 levels at line 1, column 69.");
        assert!(fault(&b"[".repeat(1_000_000)).contains("deeper"));
    }

    #[test]
    fn brackets_and_escaped_quotes_inside_strings_are_not_nesting() {
        let text = format!("{{\"a\":\"\\\"{}\"}}", "[{".repeat(200));
        assert!(parse(text.as_bytes()).is_ok());
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_its_limit_and_not_beyond() {
        let tasks = TaskTracker::new();
        let of_size = |size: usize| {
            let chunk = Bytes::from(vec![b' '; 1024 * 1024]);
            let whole = size / chunk.len();
            let rest = chunk.slice(..size % chunk.len());
            let chunks =
                std::iter::repeat_n(chunk, whole).chain([rest]).map(Ok::<_, std::convert::Infallible>);
            Body::from_stream(futures::stream::iter(chunks.collect::<Vec<_>>()))
        };
        let headers = HeaderMap::new();
        let read = |body| read(&tasks, &headers, body, BODY_BYTES_MAX);
        assert_eq!(read(of_size(BODY_BYTES_MAX)).await.unwrap().len(), BODY_BYTES_MAX);
        assert_eq!(read(of_size(BODY_BYTES_MAX + 1)).await.unwrap_err().status, 413);
        assert_eq!(read(Body::from(vec![b' '; BODY_BYTES_MAX + 1])).await.unwrap_err().status, 413);
        assert_eq!(read(Body::from("{}")).await.unwrap(), "{}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_is_dripped_is_given_up() {
        let dripping = futures::stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_secs(5)).await;
            Some((Ok::<_, std::convert::Infallible>("x"), ()))
        });
        let began = tokio::time::Instant::now();
        let read =
            read(&TaskTracker::new(), &HeaderMap::new(), Body::from_stream(dripping), BODY_BYTES_MAX).await;
        assert_eq!(read.unwrap_err().status, 408);
        assert_eq!(began.elapsed(), BODY_READ_MAX);
    }
}
