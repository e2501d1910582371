//! The surfaces that are no conversations: vectors, speech, and recordings to be written down.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream;
use multer::Multipart;
use signalbox_core::key::ApiKey;
use signalbox_core::ledger::Surface;
use signalbox_engine::dispatch::{Answer, AudioUpload, Payload};
use signalbox_engine::live::Live;

use crate::answer;
use crate::body::{AUDIO_BYTES_MAX, discard, limit_of, read};
use crate::chat::{authenticate, serve, understand};
use crate::fault::Fault;
use crate::gateway::Shared;

/// Most fields of a form; the API knows fewer than ten.
const FIELDS_MAX: usize = 64;
/// Longest text in a form. Units: bytes.
const FIELD_BYTES_MAX: usize = 64 * 1024;

/// `POST /v1/embeddings`.
pub(crate) async fn embeddings(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    serve(&shared, Surface::OpenaiEmbeddings, request).await
}

/// `POST /v1/audio/speech`.
pub(crate) async fn speech(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    serve(&shared, Surface::OpenaiSpeech, request).await
}

/// `POST /v1/audio/transcriptions`.
pub(crate) async fn transcriptions(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    match transcribe(&shared, request).await {
        Ok(answer) => answer::respond(Surface::OpenaiTranscription, answer),
        Err(fault) => {
            tracing::debug!(code = fault.code, "refused");
            fault.for_surface(Surface::OpenaiTranscription).into_response()
        }
    }
}

async fn transcribe(shared: &Shared, request: Request) -> Result<Answer, Fault> {
    let live = shared.engine.live();
    let (parts, body) = request.into_parts();
    let (key, boundary) = match admit(shared, &live, &parts) {
        Ok(admitted) => admitted,
        Err(fault) => {
            discard(&shared.tasks, &parts.headers, body);
            return Err(fault);
        }
    };
    let bytes = read(&shared.tasks, &parts.headers, body, limit_of(key, AUDIO_BYTES_MAX)).await?;
    let upload = upload(bytes, boundary).await?;
    let model = upload.fields.iter().find(|(name, _)| name == "model").map(|(_, model)| model.clone());
    let model = model.ok_or_else(|| {
        Fault::invalid("The form has no field `model`. Put an operation there, e.g. op:audio_transcription.")
    })?;
    let call = understand(
        Surface::OpenaiTranscription,
        &live,
        key,
        &parts.headers,
        &model,
        Payload::Audio(Arc::new(upload)),
    )?;
    Ok(shared.engine.dispatch(live, call).await?)
}

fn admit<'a>(shared: &Shared, live: &'a Live, parts: &Parts) -> Result<(&'a ApiKey, String), Fault> {
    let key = authenticate(shared, live, &parts.headers)?;
    Ok((key, boundary(&parts.headers)?))
}

/// What separates the form's parts.
fn boundary(headers: &HeaderMap) -> Result<String, Fault> {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let only = match (types.next(), types.next()) {
        (Some(only), None) => only.to_str().ok(),
        _ => None,
    };
    only.and_then(|only| multer::parse_boundary(only).ok()).ok_or_else(|| {
        Fault::media_type(
            "The request needs the header `Content-Type: multipart/form-data` with its boundary.",
        )
    })
}

/// Reads the form: one file and some fields.
async fn upload(body: Bytes, boundary: String) -> Result<AudioUpload, Fault> {
    let mut form = Multipart::new(stream::iter([Ok::<_, std::convert::Infallible>(body)]), boundary);
    let malformed = |error: multer::Error| Fault::invalid(format!("The form cannot be read: {error}."));
    let (mut file, mut fields) = (None, Vec::new());
    while let Some(field) = form.next_field().await.map_err(malformed)? {
        let name = field.name().unwrap_or_default().to_owned();
        if name == "file" {
            if file.is_some() {
                return Err(Fault::invalid("The form has two files; a request is for one recording."));
            }
            let file_name = field.file_name().unwrap_or("audio").to_owned();
            let content_type = field.content_type().map(ToString::to_string);
            file = Some((file_name, content_type, field.bytes().await.map_err(malformed)?));
            continue;
        }
        let bytes = field.bytes().await.map_err(malformed)?;
        if bytes.len() > FIELD_BYTES_MAX || fields.len() == FIELDS_MAX {
            return Err(Fault::invalid(format!(
                "The form's fields are too many or too long: at most {FIELDS_MAX}, each of {FIELD_BYTES_MAX} bytes."
            )));
        }
        let text =
            std::str::from_utf8(&bytes).map_err(|_| Fault::invalid("A field of the form is not UTF-8."))?;
        fields.push((name, text.to_owned()));
    }
    let (file_name, content_type, bytes) =
        file.ok_or_else(|| Fault::invalid("The form has no field `file` with the recording."))?;
    if bytes.is_empty() {
        return Err(Fault::invalid("The file is empty."));
    }
    Ok(AudioUpload { bytes, file_name, content_type, fields })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(parts: &[(&str, &str)]) -> Bytes {
        let mut body = String::new();
        for (disposition, content) in parts {
            let head = "--b\r\nContent-Disposition: form-data; ";
            body.extend([head, disposition, "\r\n\r\n", content, "\r\n"]);
        }
        body.push_str("--b--\r\n");
        body.into()
    }

    async fn fault(parts: &[(&str, &str)]) -> String {
        upload(form(parts), "b".to_owned()).await.unwrap_err().message
    }

    const FILE: (&str, &str) = (r#"name="file"; filename="a.wav""#, "RIFF");

    #[tokio::test]
    async fn a_form_is_its_file_and_its_fields_in_order() {
        let fields = [(r#"name="model""#, "op:audio_transcription"), (r#"name="language""#, "de")];
        let upload = upload(form(&[fields[0], FILE, fields[1]]), "b".to_owned()).await.unwrap();
        assert_eq!((&upload.bytes[..], upload.file_name.as_str()), (&b"RIFF"[..], "a.wav"));
        let pairs: Vec<_> = upload.fields.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        assert_eq!(pairs, [("model", "op:audio_transcription"), ("language", "de")]);
    }

    #[tokio::test]
    async fn a_form_without_its_one_file_is_refused_with_what_is_wrong() {
        assert!(fault(&[(r#"name="model""#, "x")]).await.contains("no field `file`"));
        assert!(fault(&[FILE, FILE]).await.contains("two files"));
        assert!(fault(&[(r#"name="file"; filename="a.wav""#, "")]).await.contains("empty"));
        let many: Vec<_> = std::iter::repeat_n((r#"name="x""#, "y"), FIELDS_MAX + 1).collect();
        assert!(fault(&many).await.contains("too many"));
        let long = "y".repeat(FIELD_BYTES_MAX + 1);
        assert!(fault(&[(r#"name="x""#, &long)]).await.contains("too long"));
        let cut = form(&[FILE]);
        let cut = upload(cut.slice(..cut.len() - 12), "b".to_owned()).await.unwrap_err();
        assert!(cut.message.contains("cannot be read"), "{}", cut.message);
    }
}
