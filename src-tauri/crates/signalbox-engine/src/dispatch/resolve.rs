//! What the client's `model` means: an operation, and perhaps one target it insists on.

use signalbox_core::ids::OperationId;
use signalbox_core::key::ApiKey;
use signalbox_core::route::Target;
use signalbox_core::snapshot::Snapshot;

use super::{Refusal, RefusalCode};

/// An operation, and the target the client insists on, if it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// What kind of work.
    pub operation: OperationId,
    /// The whole chain, when given.
    pub pinned: Option<Target>,
}

impl Resolved {
    /// From the request's `model` and the `x-signalbox-operation` header.
    ///
    /// `model` names the operation (`op:email_analysis` or `email_analysis`); with the header it pins a target
    /// (`provider/model`), or names the same operation again.
    /// Errors: an unknown operation or target, or one the key may not use.
    pub fn from_request(
        snapshot: &Snapshot,
        model: &str,
        header: Option<&str>,
        key: Option<&ApiKey>,
    ) -> Result<Self, Refusal> {
        let named = model.strip_prefix("op:").unwrap_or(model);
        let operation = known_operation(snapshot, header.unwrap_or(named))?;
        let pinned = match header {
            Some(_) if named != operation.as_str() => Some(known_target(snapshot, model)?),
            _ => None,
        };
        if let Some(key) = key {
            if !key.may_use(&operation) {
                return Err(Refusal::new(
                    RefusalCode::OperationNotAllowed,
                    format!("The API key `{}` may not use the operation `{operation}`.", key.name),
                ));
            }
            if let Some(target) = pinned.as_ref().filter(|target| !key.may_reach(target)) {
                return Err(Refusal::new(
                    RefusalCode::TargetNotAllowed,
                    format!("The API key `{}` may not use `{target}`.", key.name),
                ));
            }
        }
        Ok(Self { operation, pinned })
    }
}

fn known_operation(snapshot: &Snapshot, text: &str) -> Result<OperationId, Refusal> {
    let id = OperationId::new(text.strip_prefix("op:").unwrap_or(text)).ok();
    id.filter(|id| snapshot.operations.contains_key(id)).ok_or_else(|| {
        let shown: String = text.chars().take(80).collect();
        Refusal::new(
            RefusalCode::UnknownOperation,
            format!(
                "There is no operation `{shown}`. Put an operation in `model`, e.g. \"op:chat_message\"; GET /v1/models lists \
                 them. To pin a model, send its operation in the header x-signalbox-operation."
            ),
        )
    })
}

fn known_target(snapshot: &Snapshot, text: &str) -> Result<Target, Refusal> {
    let target = text.parse::<Target>().ok();
    target.filter(|target| snapshot.models.contains_key(target)).ok_or_else(|| {
        let shown: String = text.chars().take(80).collect();
        Refusal::new(
            RefusalCode::UnknownOperation,
            format!("There is no target `{shown}`. With x-signalbox-operation, `model` pins a target such as deepseek/deepseek-flash."),
        )
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use signalbox_core::defaults::Defaults;
    use signalbox_core::snapshot::Snapshot;
    use signalbox_core::time::Timestamp;

    use super::*;

    fn snapshot() -> Snapshot {
        let defaults = Defaults::of_new_installation().unwrap();
        Snapshot {
            operations: defaults
                .operations
                .into_iter()
                .map(|entry| (entry.operation.id.clone(), entry))
                .collect(),
            models: defaults
                .models
                .into_iter()
                .map(|entry| {
                    (
                        Target { provider: entry.model.provider.clone(), model: entry.model.name.clone() },
                        entry,
                    )
                })
                .collect(),
            ..Snapshot::default()
        }
    }

    fn resolve(model: &str, header: Option<&str>) -> Result<Resolved, RefusalCode> {
        Resolved::from_request(&snapshot(), model, header, None).map_err(|refusal| refusal.code)
    }

    fn chat(pinned: Option<&str>) -> Resolved {
        let operation = OperationId::new("chat_message").unwrap();
        Resolved { operation, pinned: pinned.map(|text| text.parse().unwrap()) }
    }

    #[test]
    fn a_model_names_an_operation_and_with_the_header_pins_a_target() {
        assert_eq!(resolve("op:chat_message", None), Ok(chat(None)));
        assert_eq!(resolve("chat_message", None), Ok(chat(None)));
        assert_eq!(resolve("chat_message", Some("chat_message")), Ok(chat(None)));
        let pin = "deepseek/deepseek-flash";
        assert_eq!(resolve(pin, Some("chat_message")), Ok(chat(Some(pin))));
    }

    #[test]
    fn what_is_not_known_is_refused_and_never_guessed() {
        for model in ["gpt-5", "", "op:", "op:Chat_Message", "deepseek/deepseek-flash", &"x".repeat(10_000)] {
            assert_eq!(resolve(model, None), Err(RefusalCode::UnknownOperation), "{model:.20}");
        }
        assert_eq!(resolve("nobody/nothing", Some("chat_message")), Err(RefusalCode::UnknownOperation));
        assert_eq!(resolve("email_analysis", Some("chat_message")), Err(RefusalCode::UnknownOperation));
    }

    #[test]
    fn a_scoped_key_opens_only_its_operations() {
        let operations = BTreeSet::from([OperationId::new("job_planning").unwrap()]);
        let key = ApiKey { operations, ..ApiKey::new("crm", "abcd", Timestamp::from_micros(0)) };
        let result = Resolved::from_request(&snapshot(), "chat_message", None, Some(&key));
        assert_eq!(result.map_err(|refusal| refusal.code), Err(RefusalCode::OperationNotAllowed));
        assert!(Resolved::from_request(&snapshot(), "job_planning", None, Some(&key)).is_ok());
    }

    #[test]
    fn a_key_pins_only_targets_of_its_scope() {
        let targets = BTreeSet::from(["anthropic".parse().unwrap()]);
        let key = ApiKey { targets, ..ApiKey::new("crm", "abcd", Timestamp::from_micros(0)) };
        let pin = |target| Resolved::from_request(&snapshot(), target, Some("chat_message"), Some(&key));
        let refused = pin("deepseek/deepseek-flash").unwrap_err();
        assert_eq!(refused.code, RefusalCode::TargetNotAllowed);
        assert!(pin("anthropic/claude-haiku-4-5").is_ok());
    }
}
