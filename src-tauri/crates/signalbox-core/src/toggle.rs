//! Toggles: what may be switched, by whom, and what nobody may switch.
//!
//! A locked toggle is a constant of this file. There is no value of [`Settable`] for one, so that nothing which writes can
//! name it, and reading one never looks at what is stored: the stored row is for display only.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::OperationId;
use crate::time::Timestamp;

/// Something that is on or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Toggle {
    /// The advisor may switch models by itself. Locked.
    AdvisorCanChangeRoutes,
    /// Something else than a person may approve money. Locked.
    AdvisorCanApproveCosts,
    /// The advisor studies the ledger and files recommendations.
    AdvisorRecommendations,
    /// Recommendations without an effect on money may apply by themselves where a user brings their own provider key.
    AdvisorAutonomy,
    /// Workflows run.
    OrchestrationEnabled,
    /// Prompts and answers are stored with their requests.
    LogPayloads,
}

/// Who may set a toggle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ControlledBy {
    /// An admin, for everybody.
    Admin,
    /// Each user, for their own calls.
    User,
    /// Either.
    Both,
}

impl ControlledBy {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::User => "user",
            Self::Both => "both",
        }
    }
}

/// How carefully a toggle is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Band {
    /// Not at all.
    Locked,
    /// After a question: it touches safety or privacy.
    Safety,
    /// At once.
    Feature,
}

/// What is known of a toggle at build time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Definition {
    /// Which one.
    pub toggle: Toggle,
    /// Its name in commands, the store and the history.
    pub name: &'static str,
    /// What holds while it is on, in a sentence.
    pub when_on: &'static str,
    /// What holds while it is off, in a sentence.
    pub when_off: &'static str,
    /// What it is unless somebody sets it; what a locked one always is.
    pub default: bool,
    /// How carefully it is set.
    pub band: Band,
    /// Why it is locked, for a person; `None` when it is not.
    pub lock: Option<&'static str>,
    /// Who may set it.
    pub controlled_by: ControlledBy,
    /// Whether it can differ from operation to operation.
    pub per_operation: bool,
    /// Whether this version has what it switches. One that is not built is not offered to anybody.
    pub is_built: bool,
}

const ADVISOR_CAN_CHANGE_ROUTES: Definition = Definition {
    toggle: Toggle::AdvisorCanChangeRoutes,
    name: "advisor_can_change_routes",
    when_on: "The advisor switches models by itself.",
    when_off: "The advisor never switches models by itself: a person applies each change of a route.",
    default: false,
    band: Band::Locked,
    lock: Some("Where requests go decides what they cost and who reads them. That is a person's decision."),
    controlled_by: ControlledBy::Admin,
    per_operation: false,
    is_built: true,
};

const ADVISOR_CAN_APPROVE_COSTS: Definition = Definition {
    toggle: Toggle::AdvisorCanApproveCosts,
    name: "advisor_can_approve_costs",
    when_on: "Programs approve money.",
    when_off: "Nothing but a person approves money.",
    default: false,
    band: Band::Locked,
    lock: Some(
        "An approval that a program can give is none: whoever steers the program would hold the purse.",
    ),
    controlled_by: ControlledBy::Admin,
    per_operation: false,
    is_built: true,
};

const ADVISOR_RECOMMENDATIONS: Definition = Definition {
    toggle: Toggle::AdvisorRecommendations,
    name: "advisor_recommendations",
    when_on: "The advisor studies the ledger and files recommendations.",
    when_off: "The advisor files no recommendations.",
    default: false,
    band: Band::Feature,
    lock: None,
    controlled_by: ControlledBy::Admin,
    per_operation: false,
    is_built: false,
};

const ADVISOR_AUTONOMY: Definition = Definition {
    toggle: Toggle::AdvisorAutonomy,
    name: "advisor_autonomy",
    when_on: "On a user's own provider key, recommendations without an effect on money apply by themselves.",
    when_off: "No recommendation applies by itself.",
    default: false,
    band: Band::Safety,
    lock: None,
    controlled_by: ControlledBy::User,
    per_operation: true,
    is_built: false,
};

const ORCHESTRATION_ENABLED: Definition = Definition {
    toggle: Toggle::OrchestrationEnabled,
    name: "orchestration_enabled",
    when_on: "Workflows run.",
    when_off: "No workflow runs.",
    default: false,
    band: Band::Feature,
    lock: None,
    controlled_by: ControlledBy::Admin,
    per_operation: false,
    is_built: false,
};

const LOG_PAYLOADS: Definition = Definition {
    toggle: Toggle::LogPayloads,
    name: "log_payloads",
    when_on: "Prompts and answers are stored with their requests, on this machine's database.",
    when_off: "Prompts and answers are not stored.",
    default: false,
    band: Band::Safety,
    lock: None,
    controlled_by: ControlledBy::Admin,
    per_operation: true,
    is_built: true,
};

impl Toggle {
    /// Every toggle, locked ones first.
    pub const ALL: &'static [Self] = &[
        Self::AdvisorCanChangeRoutes,
        Self::AdvisorCanApproveCosts,
        Self::AdvisorRecommendations,
        Self::AdvisorAutonomy,
        Self::OrchestrationEnabled,
        Self::LogPayloads,
    ];

    /// What is known of it at build time.
    pub const fn definition(self) -> &'static Definition {
        match self {
            Self::AdvisorCanChangeRoutes => &ADVISOR_CAN_CHANGE_ROUTES,
            Self::AdvisorCanApproveCosts => &ADVISOR_CAN_APPROVE_COSTS,
            Self::AdvisorRecommendations => &ADVISOR_RECOMMENDATIONS,
            Self::AdvisorAutonomy => &ADVISOR_AUTONOMY,
            Self::OrchestrationEnabled => &ORCHESTRATION_ENABLED,
            Self::LogPayloads => &LOG_PAYLOADS,
        }
    }

    /// Its name in commands, the store and the history.
    pub const fn name(self) -> &'static str {
        self.definition().name
    }

    /// The toggle of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|toggle| toggle.name() == name)
    }

    /// It as one that can be set.
    ///
    /// Errors: [`Locked`], which names it and says why.
    pub const fn settable(self) -> Result<Settable, Locked> {
        match self.definition().lock {
            None => Ok(Settable(self)),
            Some(_) => Err(Locked(self)),
        }
    }

    /// Every locked toggle.
    pub fn locked() -> impl Iterator<Item = Locked> {
        Self::ALL.iter().filter_map(|toggle| toggle.settable().err())
    }
}

/// A toggle that can be set. There is none of a locked one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Settable(Toggle);

impl Settable {
    /// Which one.
    pub const fn toggle(self) -> Toggle {
        self.0
    }
}

/// A toggle that nobody can set; as an error, why it was not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, thiserror::Error)]
#[error("`{}` is locked in the build: no role, command, import or migration can change it", .0.name())]
pub struct Locked(Toggle);

impl Locked {
    /// Which one.
    pub const fn toggle(self) -> Toggle {
        self.0
    }

    /// What it always is.
    pub const fn value(self) -> bool {
        self.0.definition().default
    }
}

/// What is stored of a toggle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredToggle {
    /// Its name.
    pub name: String,
    /// For which operation; `None` for all that have no row of their own.
    pub operation: Option<OperationId>,
    /// Whether it is on.
    pub enabled: bool,
    /// When it was last set.
    pub changed_at: Timestamp,
    /// By whom.
    pub changed_by: String,
    /// What they noted.
    pub note: Option<String>,
}

/// How all toggles stand. Reading one is a look into memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Toggles(BTreeMap<(Settable, Option<OperationId>), bool>);

impl Toggles {
    /// As they are stored. What is stored of a locked toggle, or of one this version does not know, does not count.
    pub fn of(stored: &[StoredToggle]) -> Self {
        let known = stored.iter().filter_map(|row| {
            let settable = Toggle::from_name(&row.name)?.settable().ok()?;
            Some(((settable, row.operation.clone()), row.enabled))
        });
        Self(known.collect())
    }

    /// Whether it is on for an operation, or where there is none.
    pub fn is_on(&self, toggle: Toggle, operation: Option<&OperationId>) -> bool {
        let definition = toggle.definition();
        let Ok(settable) = toggle.settable() else { return definition.default };
        let own = operation.filter(|_| definition.per_operation);
        let own = own.and_then(|operation| self.0.get(&(settable, Some(operation.clone()))));
        own.or_else(|| self.0.get(&(settable, None))).copied().unwrap_or(definition.default)
    }

    /// Lets through what needs a toggle to be on.
    ///
    /// Errors: [`SwitchedOff`], which names it.
    pub fn enforce(&self, toggle: Toggle, operation: Option<&OperationId>) -> Result<(), SwitchedOff> {
        if self.is_on(toggle, operation) { Ok(()) } else { Err(SwitchedOff { toggle }) }
    }
}

/// A toggle that is off forbids it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is off: {}", .toggle.name(), .toggle.definition().when_off)]
pub struct SwitchedOff {
    /// Which one.
    pub toggle: Toggle,
}

/// What must be so in every build: the toggles that keep money and routes in a person's hands.
const CRITICAL: &[(&str, bool)] =
    &[("advisor_can_change_routes", false), ("advisor_can_approve_costs", false)];

/// The build is broken: a toggle that must be locked is not there, not locked, or on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the toggle `{name}` must exist, be locked and be off in this build, and is not: nothing is served")]
pub struct CriticalToggleBroken {
    /// Which one.
    pub name: &'static str,
}

/// Whether all critical toggles of the build are as they must be. Without that nothing is served.
///
/// Errors: [`CriticalToggleBroken`] names the first that is not.
pub fn verify_critical_toggles() -> Result<(), CriticalToggleBroken> {
    let definitions: Vec<Definition> = Toggle::ALL.iter().map(|toggle| *toggle.definition()).collect();
    verify(&definitions)
}

fn verify(definitions: &[Definition]) -> Result<(), CriticalToggleBroken> {
    for (name, value) in CRITICAL {
        let is_so = |known: &Definition| {
            known.name == *name
                && known.lock.is_some()
                && known.band == Band::Locked
                && known.default == *value
        };
        if !definitions.iter().any(is_so) {
            return Err(CriticalToggleBroken { name });
        }
    }
    Ok(())
}

/// Locked toggles whose stored rows are missing or say something else than the build: somebody has been at the file.
pub fn tampered(stored: &[StoredToggle]) -> Vec<Locked> {
    let differs = |locked: &Locked| {
        let mut rows = stored.iter().filter(|row| row.name == locked.0.name()).peekable();
        rows.peek().is_none() || rows.any(|row| row.enabled != locked.value())
    };
    Toggle::locked().filter(differs).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, operation: Option<&str>, enabled: bool) -> StoredToggle {
        StoredToggle {
            name: name.to_owned(),
            operation: operation.map(|id| OperationId::new(id).unwrap()),
            enabled,
            changed_at: Timestamp::from_micros(0),
            changed_by: "local".to_owned(),
            note: None,
        }
    }

    #[test]
    fn a_locked_toggle_is_what_the_build_says_whatever_is_stored() {
        let operation = OperationId::new("chat_message").unwrap();
        for locked in Toggle::locked() {
            let name = locked.toggle().name();
            let stored = [row(name, None, true), row(name, Some("chat_message"), true)];
            let toggles = Toggles::of(&stored);
            for operation in [None, Some(&operation)] {
                assert_eq!(toggles.is_on(locked.toggle(), operation), locked.value(), "{name}");
                let refused = toggles.enforce(locked.toggle(), operation).unwrap_err();
                assert!(refused.to_string().contains(name));
            }
            assert!(locked.toggle().settable().unwrap_err().to_string().contains("locked in the build"));
        }
        assert_eq!(Toggle::locked().count(), CRITICAL.len());
    }

    #[test]
    fn a_toggle_is_what_its_operation_says_then_what_all_say_then_its_default() {
        let (chat, email) =
            (OperationId::new("chat_message").unwrap(), OperationId::new("email_analysis").unwrap());
        let is_on = |stored: &[StoredToggle], operation: &OperationId| {
            Toggles::of(stored).is_on(Toggle::LogPayloads, Some(operation))
        };
        assert!(!is_on(&[], &chat));
        let mut stored = vec![row("log_payloads", Some("chat_message"), true)];
        assert!(is_on(&stored, &chat) && !is_on(&stored, &email));
        stored.push(row("log_payloads", None, true));
        stored[0].enabled = false;
        assert!(!is_on(&stored, &chat) && is_on(&stored, &email));
        assert_eq!(Toggles::of(&stored).enforce(Toggle::LogPayloads, None), Ok(()));
    }

    #[test]
    fn what_is_stored_for_an_operation_does_not_count_where_a_toggle_is_for_all() {
        let chat = OperationId::new("chat_message").unwrap();
        let toggles = Toggles::of(&[row("orchestration_enabled", Some("chat_message"), true)]);
        assert!(!toggles.is_on(Toggle::OrchestrationEnabled, Some(&chat)));
    }

    #[test]
    fn names_are_unique_and_lead_back_to_their_toggle() {
        for toggle in Toggle::ALL {
            assert_eq!(Toggle::from_name(toggle.name()), Some(*toggle));
            assert_eq!(serde_json::to_value(toggle).unwrap(), toggle.name());
            let definition = toggle.definition();
            assert_eq!(definition.toggle, *toggle);
            assert_eq!(definition.lock.is_some(), definition.band == Band::Locked, "{}", toggle.name());
        }
        assert_eq!(Toggle::from_name("everything"), None);
    }

    #[test]
    fn a_build_without_a_critical_toggle_or_with_one_unlocked_or_on_does_not_serve() {
        assert_eq!(verify_critical_toggles(), Ok(()));
        let of = |broken: fn(&mut Definition)| {
            let mut definitions: Vec<Definition> =
                Toggle::ALL.iter().map(|toggle| *toggle.definition()).collect();
            broken(&mut definitions[1]);
            verify(&definitions)
        };
        let broken = Err(CriticalToggleBroken { name: "advisor_can_approve_costs" });
        assert_eq!(of(|definition| definition.name = "something_else"), broken);
        assert_eq!(of(|definition| definition.lock = None), broken);
        assert_eq!(of(|definition| definition.default = true), broken);
    }

    #[test]
    fn a_missing_row_and_one_that_says_something_else_are_tampering() {
        let (routes, costs) = ("advisor_can_change_routes", "advisor_can_approve_costs");
        let names = |stored: &[StoredToggle]| -> Vec<&str> {
            tampered(stored).iter().map(|locked| locked.toggle().name()).collect()
        };
        assert!(names(&[row(routes, None, false), row(costs, None, false)]).is_empty());
        assert_eq!(names(&[row(routes, None, false)]), [costs]);
        let hidden = [row(routes, None, false), row(costs, None, false), row(routes, Some("a"), true)];
        assert_eq!(names(&hidden), [routes]);
    }
}
