//! `GET /v1/models`: what the key may put in `model`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use signalbox_core::ids::ProviderName;
use signalbox_core::key::ApiKey;
use signalbox_core::ledger::{Surface, WireFamily};
use signalbox_core::operation::Operation;
use signalbox_core::provider::Model;
use signalbox_core::snapshot::{ProviderEntry, Snapshot};

use crate::chat::authenticate;
use crate::gateway::Shared;
use crate::guard::surface_of;

/// Anthropic's list says when a model came out and allows the epoch where that is not known.
const EPOCH: &str = "1970-01-01T00:00:00Z";

/// Something to put in `model`.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    id: String,
    name: String,
    owner: String,
}

/// The list, in the shape of the client's API.
pub(crate) async fn models(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let surface = surface_of(&request);
    let live = shared.engine.live();
    match authenticate(&shared, &live, request.headers()) {
        Ok(key) => Json(list(surface, &entries(&live.snapshot, key))).into_response(),
        Err(fault) => fault.for_surface(surface).into_response(),
    }
}

/// Operations first, then targets that can be pinned for one of them; only what can be called now.
fn entries(snapshot: &Snapshot, key: &ApiKey) -> Vec<Entry> {
    let usable: Vec<&Operation> = snapshot
        .operations
        .values()
        .map(|entry| &entry.operation)
        .filter(|operation| operation.enabled && key.may_use(&operation.id))
        .collect();
    let mut operations: Vec<Entry> = usable
        .iter()
        .map(|operation| Entry {
            id: format!("op:{}", operation.id),
            name: operation.description.clone(),
            owner: "signalbox".to_owned(),
        })
        .collect();
    let callable = |provider: &ProviderName| {
        let is_on = |entry: &ProviderEntry| entry.provider.enabled && entry.provider.kind.has_adapter();
        snapshot.providers.get(provider).is_some_and(is_on)
            && snapshot.is_credential_ready(provider, Some(key))
    };
    let serves =
        |model: &Model| usable.iter().any(|operation| model.capabilities.contains(&operation.capability));
    let mut targets: Vec<Entry> = snapshot
        .models
        .iter()
        .filter(|(target, entry)| key.may_reach(target) && callable(&target.provider) && serves(&entry.model))
        .map(|(target, _)| Entry {
            id: target.to_string(),
            name: target.model.to_string(),
            owner: target.provider.to_string(),
        })
        .collect();
    operations.sort_by(|a, b| a.id.cmp(&b.id));
    targets.sort_by(|a, b| a.id.cmp(&b.id));
    operations.append(&mut targets);
    operations
}

fn list(surface: Surface, entries: &[Entry]) -> Value {
    match surface.family() {
        WireFamily::Openai => {
            let data: Vec<Value> = entries
                .iter()
                .map(
                    |entry| json!({"id": entry.id, "object": "model", "created": 0, "owned_by": entry.owner}),
                )
                .collect();
            json!({"object": "list", "data": data})
        }
        WireFamily::Anthropic => {
            let data: Vec<Value> = entries
                .iter()
                .map(|entry| json!({"type": "model", "id": entry.id, "display_name": entry.name, "created_at": EPOCH}))
                .collect();
            json!({
                "data": data,
                "has_more": false,
                "first_id": entries.first().map(|entry| &entry.id),
                "last_id": entries.last().map(|entry| &entry.id),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use signalbox_core::defaults::Defaults;
    use signalbox_core::ids::OperationId;
    use signalbox_core::route::Target;
    use signalbox_core::time::Timestamp;

    use super::*;

    fn snapshot() -> Snapshot {
        let defaults = Defaults::of_new_installation().unwrap();
        let target = |entry: &signalbox_core::snapshot::ModelEntry| Target {
            provider: entry.model.provider.clone(),
            model: entry.model.name.clone(),
        };
        Snapshot {
            operations: defaults
                .operations
                .into_iter()
                .map(|entry| (entry.operation.id.clone(), entry))
                .collect(),
            models: defaults.models.into_iter().map(|entry| (target(&entry), entry)).collect(),
            providers: defaults
                .providers
                .into_iter()
                .map(|provider| {
                    let credential_ready = provider.name.as_str() == "simulator";
                    (provider.name.clone(), ProviderEntry { provider, credential_ready })
                })
                .collect(),
            ..Snapshot::default()
        }
    }

    fn ids(operations: &[&str]) -> Vec<String> {
        let operations = operations.iter().map(|id| OperationId::new(id).unwrap()).collect();
        of_key(&ApiKey { operations, ..ApiKey::new("crm", "abcd", Timestamp::from_micros(0)) })
    }

    fn of_key(key: &ApiKey) -> Vec<String> {
        entries(&snapshot(), key).into_iter().map(|entry| entry.id).collect()
    }

    #[test]
    fn a_key_sees_only_targets_of_its_scope() {
        let targets = ["simulator/sim-chat".parse().unwrap()].into();
        let operations = [OperationId::new("job_planning").unwrap()].into();
        let key = ApiKey { targets, operations, ..ApiKey::new("crm", "abcd", Timestamp::from_micros(0)) };
        assert_eq!(of_key(&key), ["op:job_planning", "simulator/sim-chat"]);
    }

    #[test]
    fn a_key_sees_its_enabled_operations_and_the_targets_that_can_be_called_for_them() {
        assert_eq!(ids(&["job_planning"]), ["op:job_planning", "simulator/sim-backup", "simulator/sim-chat"]);
        assert_eq!(ids(&["text_to_speech"]), ["op:text_to_speech", "simulator/sim-speech"]);
        let all = ids(&[]);
        for shown in ["op:chat_message", "op:video_understanding", "op:audio_transcription"] {
            assert!(all.contains(&shown.to_owned()), "{shown}");
        }
        for hidden in ["op:email_analysis", "deepseek/deepseek-flash"] {
            assert!(!all.contains(&hidden.to_owned()), "{hidden}");
        }
    }

    #[test]
    fn a_key_for_nothing_that_is_enabled_sees_nothing() {
        assert_eq!(ids(&["email_analysis"]), Vec::<String>::new());
    }

    #[test]
    fn the_list_has_the_shape_of_each_api() {
        let entry = Entry { id: "op:a".to_owned(), name: "A.".to_owned(), owner: "signalbox".to_owned() };
        let openai = list(Surface::OpenaiChat, std::slice::from_ref(&entry));
        let model = json!({"id": "op:a", "object": "model", "created": 0, "owned_by": "signalbox"});
        assert_eq!(openai, json!({"object": "list", "data": [model]}));
        let anthropic = list(Surface::AnthropicMessages, &[entry]);
        let model = json!({"type": "model", "id": "op:a", "display_name": "A.", "created_at": EPOCH});
        let expected = json!({"data": [model], "has_more": false, "first_id": "op:a", "last_id": "op:a"});
        assert_eq!(anthropic, expected);
    }
}
