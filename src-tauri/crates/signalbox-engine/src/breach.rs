//! Leaves out models whose bills cannot be right.

use signalbox_core::alert::AlertKind;
use signalbox_core::breach::Breach;
use signalbox_core::change::{Change, ChangeKind};
use signalbox_core::ids::ChangeId;
use signalbox_core::route::Target;
use signalbox_store::{ConfigEdit, ConfigWrite};

use crate::control::Control;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::ledger::error_chain;

impl Engine {
    /// Leaves a model out of all routes until an admin has set another price or says that it may be used again; the history
    /// and an alert say so. What it did cost is in the books already.
    pub(crate) async fn block_model(&self, target: &Target, breach: Breach) {
        let now = self.control.now();
        let live = self.live();
        let entry = live.snapshot.models.get(target);
        if entry.is_none_or(|entry| entry.breach_at(now).is_some()) {
            return;
        }
        let Breach { request, bound, cost, .. } = breach;
        let sentence = format!(
            "{target} is blocked: {request} was billed at ${cost} and can have cost at most ${bound} by its price. Set \
             another price, or unblock it."
        );
        tracing::error!(%target, "{sentence}");
        let key = format!("{target} {}", breach.card.as_micros());
        self.alerts.raise(AlertKind::ModelBlocked, &target.to_string(), &key, sentence.clone());
        if let Err(error) = self.write_breach(target, breach, sentence).await {
            tracing::error!(error = %error_chain(&error), %target, "the model could not be blocked; its next such bill tries it again");
        }
    }

    async fn write_breach(
        &self,
        target: &Target,
        breach: Breach,
        sentence: String,
    ) -> Result<(), EngineError> {
        let edit = edit_of(&self.control, target, breach, sentence);
        self.control.write(vec![edit]).await?;
        self.reload().await
    }
}

fn edit_of(control: &Control, target: &Target, breach: Breach, sentence: String) -> ConfigEdit {
    let change = Change {
        id: ChangeId::generate(),
        at: control.now(),
        actor: "signalbox".to_owned(),
        source: "guard".to_owned(),
        kind: ChangeKind::ModelBlock,
        subject: target.to_string(),
        sentence,
        before: None,
        after: serde_json::to_string(&breach).ok(),
        reason: None,
        approval: None,
    };
    ConfigEdit {
        writes: vec![ConfigWrite::PutBreach { target: target.clone(), breach: Some(breach) }],
        change,
    }
}
