//! The change history: who changed what, chained by hashes so that a tampered entry shows.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::ids::{ApprovalId, ChangeId};
use crate::time::Timestamp;

/// The hash before the first entry.
pub const GENESIS: [u8; 32] = [0; 32];

/// What was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// An operation's route or whether it is enabled.
    Route,
    /// A provider.
    Provider,
    /// A provider's credential (set or cleared; never the secret).
    Credential,
    /// A model or its prices.
    Model,
    /// Whether a model is left out because of its bill.
    ModelBlock,
    /// An API key.
    Key,
    /// A price list.
    Price,
    /// A target's circuit, by hand.
    Health,
    /// A setting.
    Setting,
    /// A budget.
    Budget,
    /// The decision on a request or a change that asked for one.
    Approval,
    /// A feature or safety toggle.
    Toggle,
    /// The switch that stops all traffic.
    KillSwitch,
    /// A person and their role.
    Person,
    /// Where and when alerts are told.
    Alert,
    /// A rehearsed outage.
    Drill,
    /// The first start of an installation.
    Install,
}

impl ChangeKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::Route,
        Self::Provider,
        Self::Credential,
        Self::Model,
        Self::ModelBlock,
        Self::Key,
        Self::Price,
        Self::Health,
        Self::Setting,
        Self::Budget,
        Self::Approval,
        Self::Toggle,
        Self::KillSwitch,
        Self::Person,
        Self::Alert,
        Self::Drill,
        Self::Install,
    ];

    /// The word on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Route => "route",
            Self::Provider => "provider",
            Self::Credential => "credential",
            Self::Model => "model",
            Self::ModelBlock => "model_block",
            Self::Key => "key",
            Self::Price => "price",
            Self::Health => "health",
            Self::Setting => "setting",
            Self::Budget => "budget",
            Self::Approval => "approval",
            Self::Toggle => "toggle",
            Self::KillSwitch => "kill_switch",
            Self::Person => "person",
            Self::Alert => "alert",
            Self::Drill => "drill",
            Self::Install => "install",
        }
    }

    /// The kind of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == word)
    }
}

/// A change, before it has its place in the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its identity.
    pub id: ChangeId,
    /// When.
    pub at: Timestamp,
    /// Who, e.g. `local`.
    pub actor: String,
    /// By which way: `window`, `cli`, `install`.
    pub source: String,
    /// What kind of thing.
    pub kind: ChangeKind,
    /// Which one, e.g. the operation's id.
    pub subject: String,
    /// In words for a person.
    pub sentence: String,
    /// Canonical JSON before; `None` when it did not exist.
    pub before: Option<String>,
    /// Canonical JSON after; `None` when it no longer exists.
    pub after: Option<String>,
    /// Why, if the actor said so.
    pub reason: Option<String>,
    /// The approval it was applied with, if it needed one.
    pub approval: Option<ApprovalId>,
}

/// A change in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainedChange {
    /// From 1, without gaps.
    pub seq: i64,
    /// The change.
    pub change: Change,
    /// Hash of the entry before it.
    pub prev_hash: [u8; 32],
    /// Hash over this entry and the one before it.
    pub hash: [u8; 32],
}

impl ChainedChange {
    /// Puts a change after the entry with `prev_hash`.
    pub fn after(seq: i64, prev_hash: [u8; 32], change: Change) -> Self {
        let hash = chained_hash(seq, &prev_hash, &change);
        Self { seq, change, prev_hash, hash }
    }
}

/// SHA-256 over the previous hash and every field, each with its length in front, so that no two entries read alike.
pub fn chained_hash(seq: i64, prev_hash: &[u8; 32], change: &Change) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(prev_hash);
    hasher.update(seq.to_be_bytes());
    hasher.update(change.id.as_uuid().as_bytes());
    hasher.update(change.at.as_micros().to_be_bytes());
    let mut text = |field: Option<&str>| match field {
        None => hasher.update([0]),
        Some(text) => {
            hasher.update([1]);
            hasher.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
            hasher.update(text.as_bytes());
        }
    };
    text(Some(&change.actor));
    text(Some(&change.source));
    text(Some(change.kind.as_str()));
    text(Some(&change.subject));
    text(Some(&change.sentence));
    text(change.before.as_deref());
    text(change.after.as_deref());
    text(change.reason.as_deref());
    // Entries without an approval hash as they did before there were any.
    if let Some(approval) = change.approval {
        hasher.update(approval.as_uuid().as_bytes());
    }
    hasher.finalize().into()
}

/// Walks a chain entry by entry; memory stays constant however long it is.
#[derive(Debug, Clone)]
pub struct ChainVerifier {
    next_seq: i64,
    prev_hash: [u8; 32],
    first_bad: Option<i64>,
}

impl Default for ChainVerifier {
    fn default() -> Self {
        Self { next_seq: 1, prev_hash: GENESIS, first_bad: None }
    }
}

impl ChainVerifier {
    /// Looks at the next entry; entries must come in order of `seq`.
    pub fn check(&mut self, entry: &ChainedChange) {
        let fits = entry.seq == self.next_seq
            && entry.prev_hash == self.prev_hash
            && entry.hash == chained_hash(entry.seq, &entry.prev_hash, &entry.change);
        if !fits && self.first_bad.is_none() {
            self.first_bad = Some(entry.seq);
        }
        self.next_seq = entry.seq + 1;
        self.prev_hash = entry.hash;
    }

    /// An entry that is there and cannot even be read.
    pub fn unreadable(&mut self, seq: i64) {
        self.first_bad.get_or_insert(seq);
        self.next_seq = seq + 1;
    }

    /// How many entries were looked at, if none is missing.
    pub const fn entries(&self) -> i64 {
        self.next_seq - 1
    }

    /// The first entry that does not fit, if any.
    pub const fn first_bad(&self) -> Option<i64> {
        self.first_bad
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn chain(sentences: &[String]) -> Vec<ChainedChange> {
        let mut entries: Vec<ChainedChange> = Vec::new();
        for (sentence, seq) in sentences.iter().zip(1..) {
            let prev = entries.last().map_or(GENESIS, |entry| entry.hash);
            let change = Change {
                id: ChangeId::generate(),
                at: Timestamp::from_micros(seq),
                actor: "local".to_owned(),
                source: "cli".to_owned(),
                kind: ChangeKind::Route,
                subject: "chat_message".to_owned(),
                sentence: sentence.clone(),
                before: None,
                after: Some("{}".to_owned()),
                reason: None,
                approval: None,
            };
            entries.push(ChainedChange::after(seq, prev, change));
        }
        entries
    }

    fn first_bad(entries: &[ChainedChange]) -> Option<i64> {
        let mut verifier = ChainVerifier::default();
        for entry in entries {
            verifier.check(entry);
        }
        verifier.first_bad()
    }

    proptest! {
        #[test]
        fn an_edited_removed_or_swapped_entry_is_found(
            sentences in proptest::collection::vec(".{0,12}", 3..8), at in 0..3_usize,
        ) {
            let intact = chain(&sentences);
            prop_assert_eq!(first_bad(&intact), None);
            let mut edited = intact.clone();
            edited[at].change.sentence.push('!');
            prop_assert_eq!(first_bad(&edited), Some(intact[at].seq));
            let mut rehashed = edited.clone();
            rehashed[at].hash = chained_hash(rehashed[at].seq, &rehashed[at].prev_hash, &rehashed[at].change);
            prop_assert!(at + 1 == rehashed.len() || first_bad(&rehashed) == Some(intact[at].seq + 1));
            let mut removed = intact.clone();
            removed.remove(at);
            prop_assert!(first_bad(&removed).is_some() || at == removed.len());
            let mut swapped = intact.clone();
            swapped.swap(at, (at + 1) % sentences.len());
            prop_assert!(first_bad(&swapped).is_some());
        }
    }

    #[test]
    fn moving_a_character_from_one_field_to_the_next_changes_the_hash() {
        let entry = &chain(&["a".to_owned()])[0];
        let mut moved = entry.change.clone();
        moved.actor = "loca".to_owned();
        moved.source = "lcli".to_owned();
        assert_ne!(chained_hash(1, &GENESIS, &moved), entry.hash);
        let mut approved = entry.change.clone();
        approved.approval = Some(ApprovalId::generate());
        assert_ne!(chained_hash(1, &GENESIS, &approved), entry.hash);
    }
}
