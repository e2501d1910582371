//! Changes that move money or unlock something. They are planned before they are written, so that a person sees what they
//! would do, and go one way in: with one admin they apply at once, with several somebody else than the author approves them.

pub(crate) mod filed;

use serde::{Deserialize, Serialize};
use signalbox_core::change::{ChainedChange, Change, ChangeKind};
use signalbox_engine::live::{SETTING_FOUR_EYES, SETTING_UNPRICED_POLICY};
use signalbox_store::{ConfigEdit, ConfigWrite};

use crate::app::{App, Caller, Role, reason};
use crate::error::AppError;
use crate::prices::import::ChosenPrices;
use crate::{budgets, changes, dto, models, operations, people, prices, settings, toggles};

/// A change that moves money, unlocks something, or says who may make such changes, as it was asked for. Closed: a new way
/// to move money is a new variant, and the compiler shows what it needs.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "change", content = "input", rename_all = "snake_case")]
pub enum ProposedChange {
    /// An operation's route.
    Route(dto::RouteDraft),
    /// A model with its price.
    Model(dto::ModelInput),
    /// A model's own prices.
    Price(dto::PriceInput),
    /// Prices chosen from somebody's list.
    PriceList(ChosenPrices),
    /// A model that is blocked because of its bill may be used again.
    Unblock(dto::UnblockInput),
    /// A budget, new or changed.
    Budget(dto::BudgetDraft),
    /// Another amount that counts as spent.
    BudgetCorrection(dto::BudgetAdjustInput),
    /// A budget less.
    BudgetRemoval(dto::BudgetRemoval),
    /// A setting that says what may be spent or who has to agree.
    Setting(dto::SettingInput),
    /// A toggle.
    Toggle(dto::ToggleInput),
    /// Somebody new.
    NewPerson(dto::PersonInput),
    /// A person's role, or whether they may come in.
    Person(dto::PersonPatch),
    /// Back to what was before an entry of the history.
    Revert {
        /// The entry.
        seq: u32,
        /// Why.
        reason: Option<String>,
    },
}

/// What a change would write, and how the history would tell it.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) kind: ChangeKind,
    pub(crate) subject: String,
    pub(crate) sentence: String,
    /// The state it is made from; a change that was approved is applied to no other.
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
    pub(crate) writes: Vec<ConfigWrite>,
}

/// Settings that say what may be spent or who has to agree.
const MONEY_SETTINGS: [&str; 2] = [SETTING_FOUR_EYES, SETTING_UNPRICED_POLICY];

impl Plan {
    /// Its writes with their entry in the history.
    pub(crate) fn edit(self, app: &App, caller: &Caller, reason: Option<String>) -> ConfigEdit {
        let Self { kind, subject, sentence, before, after, writes } = self;
        let change = Change { before, after, reason, ..app.change(caller, kind, &subject, sentence) };
        ConfigEdit { writes, change }
    }

    /// Whether it changes what requests cost, what may be spent, or who may say so, or switches on what touches safety.
    async fn needs_four_eyes(&self, app: &App) -> Result<bool, AppError> {
        Ok(match self.kind {
            ChangeKind::Route
            | ChangeKind::Model
            | ChangeKind::ModelBlock
            | ChangeKind::Price
            | ChangeKind::Budget
            | ChangeKind::Person => true,
            // What was a setting once is put back as the toggle it is now.
            ChangeKind::Setting if MONEY_SETTINGS.contains(&self.subject.as_str()) => true,
            ChangeKind::Setting | ChangeKind::Toggle => toggles::unlocks(app, &self.writes).await?,
            ChangeKind::Provider
            | ChangeKind::Credential
            | ChangeKind::Key
            | ChangeKind::Health
            | ChangeKind::Approval
            | ChangeKind::KillSwitch
            | ChangeKind::Alert
            | ChangeKind::Drill
            | ChangeKind::Install => false,
        })
    }
}

impl ProposedChange {
    /// What it would write now; `None` when nothing would change.
    pub(crate) async fn plan(&self, app: &App) -> Result<Option<Plan>, AppError> {
        match self {
            Self::Route(draft) => operations::plan(app, draft).await,
            Self::Model(input) => models::plan(app, input).await.map(Some),
            Self::Price(input) => prices::plan(app, input).await,
            Self::PriceList(chosen) => prices::import::plan(app, chosen).await.map(Some),
            Self::Unblock(input) => prices::block::plan(app, input).await,
            Self::Budget(draft) => budgets::plan(app, draft).await,
            Self::BudgetCorrection(input) => budgets::plan_correction(app, input).await.map(Some),
            Self::BudgetRemoval(removal) => budgets::plan_removal(app, removal).await.map(Some),
            Self::Setting(input) => settings::plan(app, input).await,
            Self::Toggle(input) => toggles::plan(app, input).await,
            Self::NewPerson(input) => people::plan_new(app, input).map(Some),
            Self::Person(patch) => people::plan(app, patch).await,
            Self::Revert { seq, .. } => changes::plan_revert(app, *seq).await.map(Some),
        }
    }

    fn reason(&self) -> Option<String> {
        let given = match self {
            Self::Route(draft) => &draft.reason,
            Self::Model(_) => &None,
            Self::Price(input) => &input.reason,
            Self::PriceList(chosen) => &chosen.reason,
            Self::Unblock(input) => &input.reason,
            Self::Budget(draft) => &draft.reason,
            Self::BudgetCorrection(input) => &Some(input.reason.clone()),
            Self::BudgetRemoval(removal) => &removal.reason,
            Self::Setting(input) => &input.reason,
            Self::Toggle(input) => &input.reason,
            Self::NewPerson(input) => &input.reason,
            Self::Person(patch) => &patch.reason,
            Self::Revert { reason, .. } => reason,
        };
        reason(given.clone())
    }
}

/// What became of a proposed change.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Nothing would change, so nothing was written.
    Unchanged,
    /// It is in force.
    Applied(Box<ChainedChange>),
    /// It waits for somebody else.
    Asked(dto::FiledChange),
}

impl App {
    /// Makes a change, or asks for its approval where four eyes are needed.
    pub(crate) async fn propose(
        &self,
        caller: &Caller,
        proposed: &ProposedChange,
    ) -> Result<Outcome, AppError> {
        caller.must_be(Role::Admin)?;
        let Some(plan) = proposed.plan(self).await? else { return Ok(Outcome::Unchanged) };
        let live = self.live().await?;
        if live.four_eyes.applies(&live.people) && plan.needs_four_eyes(self).await? {
            return self.file(caller, proposed, plan).await.map(Outcome::Asked);
        }
        let entry = self.make(caller, plan, proposed.reason()).await?;
        Ok(Outcome::Applied(Box::new(entry)))
    }

    /// Writes what was planned.
    async fn make(
        &self,
        caller: &Caller,
        plan: Plan,
        reason: Option<String>,
    ) -> Result<ChainedChange, AppError> {
        let ConfigEdit { writes, change } = plan.edit(self, caller, reason);
        self.commit(writes, change).await
    }
}

impl Outcome {
    /// For the client: `value` is what it made, asked for once it is in force.
    pub(crate) async fn shown<T>(
        self,
        value: impl AsyncFnOnce() -> Result<T, AppError>,
    ) -> Result<dto::Proposed<T>, AppError> {
        match self {
            Self::Unchanged | Self::Applied(_) => Ok(dto::Proposed::Applied { value: value().await? }),
            Self::Asked(request) => Ok(dto::Proposed::Asked { request }),
        }
    }
}
