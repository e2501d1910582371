//! What makes two requests the same: SHA-256 over everything that can change the answer.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use signalbox_core::ids::{KeyId, OperationId};
use signalbox_core::ledger::Surface;
use signalbox_core::route::Target;
use signalbox_providers::Payload;

/// A SHA-256.
pub(crate) type Fingerprint = [u8; 32];

/// Fields of a request that say who asks and how the answer travels, but not what is asked. Whether it is streamed, and
/// which operation `model` stands for, are told apart by other parts of the fingerprint.
const NOT_ASKED: &[&str] = &["model", "stream", "user", "metadata", "safety_identifier"];

/// Where a request goes, as far as its client says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Addressed<'a> {
    pub surface: Surface,
    pub operation: &'a OperationId,
    pub pinned: Option<&'a Target>,
}

/// Of the client's own key for a request it may send again. Keys of two API keys never meet.
pub(crate) fn of_client_key(key: Option<KeyId>, text: &str) -> Fingerprint {
    let mut hash = Sha256::new();
    hash.update(b"key");
    hash.update(key.map(|key| *key.as_uuid().as_bytes()).unwrap_or_default());
    hash.update(text.as_bytes());
    hash.finalize().into()
}

/// Of a request as it came: the order of its fields and the spaces between them do not count, all else does.
pub(crate) fn of_request(addressed: Addressed<'_>, payload: &Payload) -> Fingerprint {
    let mut hash = begin(b"request", addressed);
    take_payload(&mut hash, payload, &[]);
    hash.finalize().into()
}

/// Of what is asked, for answers that several requests may share. `route_version` parts them from answers of an earlier
/// route, and `streamed` from answers of the other form.
pub(crate) fn of_question(
    addressed: Addressed<'_>,
    payload: &Payload,
    route_version: u32,
    streamed: bool,
) -> Fingerprint {
    let mut hash = begin(b"question", addressed);
    hash.update(route_version.to_be_bytes());
    hash.update([u8::from(streamed)]);
    take_payload(&mut hash, payload, NOT_ASKED);
    hash.finalize().into()
}

fn begin(purpose: &[u8], addressed: Addressed<'_>) -> Sha256 {
    let mut hash = Sha256::new();
    take_text(&mut hash, purpose);
    take_text(&mut hash, addressed.surface.as_str().as_bytes());
    take_text(&mut hash, addressed.operation.as_str().as_bytes());
    if let Some(target) = addressed.pinned {
        take_text(&mut hash, target.provider.as_str().as_bytes());
        take_text(&mut hash, target.model.as_str().as_bytes());
    }
    hash
}

fn take_payload(hash: &mut Sha256, payload: &Payload, without: &[&str]) {
    match payload {
        Payload::Json(body) => take_object(hash, body, without),
        Payload::Audio(upload) => {
            hash.update(b"audio");
            take_text(hash, &upload.bytes);
            take_text(hash, upload.content_type.as_deref().unwrap_or_default().as_bytes());
            for (name, value) in upload.fields.iter().filter(|(name, _)| !without.contains(&name.as_str())) {
                take_text(hash, name.as_bytes());
                take_text(hash, value.as_bytes());
            }
        }
    }
}

/// A text with its length before it, so that no two texts run into one another.
fn take_text(hash: &mut Sha256, text: &[u8]) {
    hash.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
    hash.update(text);
}

fn take_object(hash: &mut Sha256, object: &Map<String, Value>, without: &[&str]) {
    let mut fields: Vec<(&String, &Value)> =
        object.iter().filter(|(name, _)| !without.contains(&name.as_str())).collect();
    fields.sort_unstable_by_key(|(name, _)| *name);
    hash.update(b"{");
    for (name, value) in fields {
        take_text(hash, name.as_bytes());
        take_value(hash, value);
    }
    hash.update(b"}");
}

fn take_value(hash: &mut Sha256, value: &Value) {
    match value {
        Value::Null => hash.update(b"n"),
        Value::Bool(true) => hash.update(b"t"),
        Value::Bool(false) => hash.update(b"f"),
        Value::Number(number) => {
            hash.update(b"0");
            take_text(hash, number.to_string().as_bytes());
        }
        Value::String(text) => {
            hash.update(b"\"");
            take_text(hash, text.as_bytes());
        }
        Value::Array(items) => {
            hash.update(b"[");
            for item in items {
                take_value(hash, item);
            }
            hash.update(b"]");
        }
        Value::Object(object) => take_object(hash, object, &[]),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;
    use signalbox_providers::AudioUpload;

    use super::*;

    fn payload(value: &Value) -> Payload {
        Payload::Json(Arc::new(value.as_object().unwrap().clone()))
    }

    fn question(value: &Value) -> Fingerprint {
        let operation = OperationId::new("chat_message").unwrap();
        let addressed = Addressed { surface: Surface::OpenaiChat, operation: &operation, pinned: None };
        of_question(addressed, &payload(value), 1, false)
    }

    fn request(value: &Value) -> Fingerprint {
        let operation = OperationId::new("chat_message").unwrap();
        let addressed = Addressed { surface: Surface::OpenaiChat, operation: &operation, pinned: None };
        of_request(addressed, &payload(value))
    }

    #[test]
    fn the_order_of_fields_and_who_asks_do_not_change_the_question() {
        let asked = question(
            &json!({"messages": [{"role": "user", "content": "a"}], "temperature": 0, "user": "ann"}),
        );
        let again = json!({"temperature": 0, "stream": false, "metadata": {"x": 1}, "model": "op:chat_message",
            "messages": [{"content": "a", "role": "user"}]});
        assert_eq!(asked, question(&again));
    }

    #[test]
    fn what_can_change_the_answer_changes_the_fingerprint() {
        let base = json!({"messages": ["a", "b"], "temperature": 0});
        let others = [
            json!({"messages": ["ab"], "temperature": 0}),
            json!({"messages": ["b", "a"], "temperature": 0}),
            json!({"messages": ["a", "b"], "temperature": 0.0}),
            json!({"messages": ["a", "b"], "temperature": "0"}),
            json!({"messages": ["a", "b"]}),
            json!({"messages": ["a", "b"], "temperature": 0, "tools": []}),
            json!({"messages": [["a"], "b"], "temperature": 0}),
        ];
        for other in others {
            assert_ne!(question(&base), question(&other), "{other}");
        }
        let operation = OperationId::new("chat_message").unwrap();
        let target: Target = "a/b".parse().unwrap();
        let plain = Addressed { surface: Surface::OpenaiChat, operation: &operation, pinned: None };
        let pinned = Addressed { pinned: Some(&target), ..plain };
        let foreign = Addressed { surface: Surface::AnthropicMessages, ..plain };
        let body = payload(&base);
        let all = [
            of_question(plain, &body, 1, false),
            of_question(plain, &body, 2, false),
            of_question(plain, &body, 1, true),
            of_question(pinned, &body, 1, false),
            of_question(foreign, &body, 1, false),
            of_request(plain, &body),
        ];
        for (index, one) in all.iter().enumerate() {
            assert!(all[..index].iter().all(|other| other != one), "{index}");
        }
    }

    #[test]
    fn a_request_sent_again_is_the_same_only_when_all_of_it_is() {
        let base = json!({"messages": ["a"], "user": "ann", "stream": true});
        assert_eq!(request(&base), request(&json!({"stream": true, "user": "ann", "messages": ["a"]})));
        assert_ne!(request(&base), request(&json!({"messages": ["a"], "user": "bob", "stream": true})));
        assert_ne!(request(&base), request(&json!({"messages": ["a"], "user": "ann", "stream": false})));
    }

    #[test]
    fn a_recording_is_told_by_its_sound_and_its_fields() {
        let operation = OperationId::new("audio_transcription").unwrap();
        let addressed =
            Addressed { surface: Surface::OpenaiTranscription, operation: &operation, pinned: None };
        let upload = AudioUpload {
            bytes: vec![1, 2, 3].into(),
            file_name: "a.mp3".to_owned(),
            content_type: None,
            fields: vec![("language".to_owned(), "de".to_owned())],
        };
        let of = |upload: AudioUpload| of_request(addressed, &Payload::Audio(Arc::new(upload)));
        let renamed = AudioUpload { file_name: "b.mp3".to_owned(), ..upload.clone() };
        assert_eq!(of(upload.clone()), of(renamed));
        assert_ne!(of(upload.clone()), of(AudioUpload { bytes: vec![1, 2, 4].into(), ..upload.clone() }));
        assert_ne!(of(upload.clone()), of(AudioUpload { fields: Vec::new(), ..upload }));
    }

    #[test]
    fn two_api_keys_with_one_idempotency_key_are_two() {
        let (one, other) = (KeyId::generate(), KeyId::generate());
        assert_ne!(of_client_key(Some(one), "k"), of_client_key(Some(other), "k"));
        assert_ne!(of_client_key(Some(one), "k"), of_client_key(None, "k"));
        assert_eq!(of_client_key(Some(one), "k"), of_client_key(Some(one), "k"));
    }
}
