//! Forms with a file, read as strictly as the vendors read them.

use axum::http::{HeaderMap, header};
use serde_json::{Map, Value, json};

/// One part of a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part<'a> {
    pub name: &'a str,
    pub file_name: Option<&'a str>,
    pub content_type: Option<&'a str>,
    pub bytes: &'a [u8],
}

/// The parts of a `multipart/form-data` body; `None` when it is no such form.
///
/// Source: RFC 7578.
pub(crate) fn parts<'a>(headers: &'a HeaderMap, body: &'a [u8]) -> Option<Vec<Part<'a>>> {
    let kind = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let parameters = kind.strip_prefix("multipart/form-data")?;
    let boundary = parameters.split(';').find_map(|field| field.trim().strip_prefix("boundary="))?;
    let open = [b"--", boundary.trim_matches('"').as_bytes()].concat();
    let between = [b"\r\n", open.as_slice()].concat();
    let mut rest = body.strip_prefix(open.as_slice())?;
    let mut parts = Vec::new();
    loop {
        if rest.starts_with(b"--") {
            return Some(parts);
        }
        let inside = rest.strip_prefix(b"\r\n")?;
        let end = find(inside, &between)?;
        parts.push(part(inside.get(..end)?)?);
        rest = inside.get(end + between.len()..)?;
    }
}

fn part(bytes: &[u8]) -> Option<Part<'_>> {
    let end = find(bytes, b"\r\n\r\n")?;
    let head = std::str::from_utf8(bytes.get(..end)?).ok()?;
    let value = |name: &str| {
        head.split("\r\n").find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    };
    let disposition = value("content-disposition")?.strip_prefix("form-data")?;
    let quoted = |key: &str| {
        let start = format!("{key}=\"");
        let field = disposition.split(';').find_map(|field| field.trim().strip_prefix(start.as_str()))?;
        field.strip_suffix('"')
    };
    Some(Part {
        name: quoted("name")?,
        file_name: quoted("filename"),
        content_type: value("content-type"),
        bytes: bytes.get(end + 4..)?,
    })
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// The form as JSON, for the record: texts as they are, files by their size.
pub(crate) fn shown(headers: &HeaderMap, body: &[u8]) -> Option<Value> {
    let mut fields = Map::new();
    for part in parts(headers, body)? {
        let value = match part.file_name {
            Some(name) => {
                json!({"file_name": name, "content_type": part.content_type, "bytes": part.bytes.len()})
            }
            None => json!(String::from_utf8_lossy(part.bytes)),
        };
        match fields.get_mut(part.name) {
            None => {
                fields.insert(part.name.to_owned(), value);
            }
            Some(Value::Array(list)) => list.push(value),
            Some(first) => *first = json!([first.take(), value]),
        }
    }
    Some(Value::Object(fields))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(kind: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::CONTENT_TYPE, header::HeaderValue::from_static(kind))])
    }

    const FORM: &[u8] = b"--x\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n--x\r\n\
        Content-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\nContent-Type: audio/wav\r\n\r\nRI\r\n\r\nFF\r\n--x--\r\n";

    #[test]
    fn a_form_is_taken_apart_at_its_boundary_alone() {
        let headers = headers("multipart/form-data; boundary=x");
        let parts = parts(&headers, FORM).unwrap();
        assert_eq!((parts[0].name, parts[0].bytes), ("model", b"whisper-1".as_slice()));
        assert_eq!((parts[1].file_name, parts[1].content_type), (Some("a.wav"), Some("audio/wav")));
        assert_eq!(parts[1].bytes, b"RI\r\n\r\nFF");
        let shown = shown(&headers, FORM).unwrap();
        assert_eq!((&shown["model"], &shown["file"]["bytes"]), (&json!("whisper-1"), &json!(8)));
    }

    #[test]
    fn what_is_no_form_is_none() {
        assert_eq!(parts(&headers("application/json"), FORM), None);
        assert_eq!(parts(&headers("multipart/form-data; boundary=y"), FORM), None);
        assert_eq!(parts(&headers("multipart/form-data; boundary=x"), &FORM[..FORM.len() - 8]), None);
    }
}
