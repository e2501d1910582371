//! People who look at or change the installation, and what each of them may do.

use serde::{Deserialize, Serialize};

use crate::ids::PersonName;
use crate::time::Timestamp;

/// Who sits at the machine, unless somebody says who they are.
pub const LOCAL: &str = "local";

/// What a person may do. A higher role may do all that a lower one may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Look.
    Viewer,
    /// Look, and send test requests.
    Operator,
    /// Change anything that is not locked.
    Admin,
}

impl Role {
    /// Every role, the one that may least first.
    pub const ALL: &'static [Self] = &[Self::Viewer, Self::Operator, Self::Admin];

    /// The word on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    /// The role of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.as_str() == word)
    }
}

/// Somebody who may come in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// As the history names them; it never changes.
    pub name: PersonName,
    /// What they may do.
    pub role: Role,
    /// Whether they may come in.
    pub enabled: bool,
    /// Since when they are known.
    pub created_at: Timestamp,
    /// Grows by one with each change.
    pub version: u32,
}

impl Person {
    /// Whether they may change things.
    pub fn is_admin(&self) -> bool {
        self.enabled && self.role == Role::Admin
    }
}

/// How many may change things now.
pub fn admins(people: &[Person]) -> usize {
    people.iter().filter(|person| person.is_admin()).count()
}

/// Whether changes that move money need a second admin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FourEyes {
    /// Each admin confirms their own changes.
    Off,
    /// Somebody else than the author approves them, as soon as there is more than one admin.
    #[default]
    MoneyChanges,
}

impl FourEyes {
    /// Every policy.
    pub const ALL: &'static [Self] = &[Self::Off, Self::MoneyChanges];

    /// The word in the settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::MoneyChanges => "money_changes",
        }
    }

    /// The policy of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|policy| policy.as_str() == word)
    }

    /// Whether a second person is asked: without one, nobody could ever approve.
    pub fn applies(self, people: &[Person]) -> bool {
        self == Self::MoneyChanges && admins(people) > 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(name: &str, role: Role, enabled: bool) -> Person {
        let name = PersonName::new(name).unwrap();
        Person { name, role, enabled, created_at: Timestamp::from_micros(0), version: 1 }
    }

    #[test]
    fn a_higher_role_may_do_all_that_a_lower_one_may() {
        assert!(Role::Viewer < Role::Operator && Role::Operator < Role::Admin);
        for role in Role::ALL {
            assert_eq!(Role::from_word(role.as_str()), Some(*role));
        }
        assert_eq!(Role::from_word("Admin"), None);
    }

    #[test]
    fn four_eyes_need_a_second_admin_who_may_come_in() {
        let anna = person("anna", Role::Admin, true);
        let gone = person("gone", Role::Admin, false);
        let viewer = person("viewer", Role::Viewer, true);
        let alone = [anna.clone(), gone, viewer];
        assert_eq!(admins(&alone), 1);
        assert!(!FourEyes::MoneyChanges.applies(&alone) && !FourEyes::MoneyChanges.applies(&[]));
        let two = [anna, person("bert", Role::Admin, true)];
        assert!(FourEyes::MoneyChanges.applies(&two) && !FourEyes::Off.applies(&two));
        for policy in FourEyes::ALL {
            assert_eq!(FourEyes::from_word(policy.as_str()), Some(*policy));
        }
    }
}
