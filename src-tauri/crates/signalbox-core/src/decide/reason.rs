//! Why a target is tried, or not: one word for programs, a few for people.

use serde::{Deserialize, Serialize};

use crate::breaker::Block;

/// Why a target is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Acceptance {
    /// Its place in the route's order.
    Chain,
    /// The client insisted on it.
    Pinned,
    /// No target of the chain is set up yet, so the simulator answers.
    NothingSetUp,
    /// The rule that matched moved it to the front.
    Preferred,
    /// Too many of its calls fail, so it comes after those that serve well.
    Degraded,
    /// It would be left alone if there were another.
    LastResort,
}

macro_rules! rejections {
    ($($(#[$doc:meta])* $variant:ident => $word:literal, $in_words:literal;)*) => {
        /// Why a target is not tried.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Rejection { $($(#[$doc])* $variant,)* }

        impl Rejection {
            /// Every reason.
            pub const ALL: &'static [Rejection] = &[$(Rejection::$variant,)*];

            /// The machine word, as clients and the window see it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Rejection::$variant => $word,)* }
            }

            /// The reason in words for a person.
            pub const fn in_words(self) -> &'static str {
                match self { $(Rejection::$variant => $in_words,)* }
            }
        }
    };
}

rejections! {
    /// Switched off in the route.
    TargetDisabled => "target_disabled", "switched off in this route";
    /// The caller's API key may not use it.
    KeyNotAllowed => "key_not_allowed", "the API key may not use it";
    /// There is no provider of that name.
    ProviderUnknown => "provider_unknown", "there is no such provider";
    /// Switched off as a whole.
    ProviderDisabled => "provider_disabled", "the provider is switched off";
    /// Providers of its kind do not do this kind of work.
    NoAdapter => "no_adapter", "providers of this kind do not do this kind of work";
    /// It has no credential yet.
    NoCredential => "no_credential", "the provider has no credential yet";
    /// The provider has no model of that name.
    ModelUnknown => "model_unknown", "the provider has no model of this name here";
    /// The model cannot do this kind of work.
    WrongCapability => "wrong_capability", "the model cannot do this kind of work";
    /// The request does not fit the model's context window.
    ContextWindow => "context_window", "the request is longer than the model's context window";
    /// The operation's data may not go to the provider.
    ProviderNotAllowed => "provider_not_allowed", "this operation's data may not go to the provider";
    /// The rule that matched wants other targets.
    RuledOut => "ruled_out", "the rule that matched wants other targets";
    /// A budget does not have enough left for it.
    OverBudget => "over_budget", "a budget does not have enough left for it";
    /// It has no price, and unpriced targets are not used.
    Unpriced => "unpriced", "it has no price, and what has no price is not used";
    /// A bill was higher than its price allows.
    BillAboveBound => "bill_above_bound", "a bill was higher than its price allows; an admin has to set another price or unblock it";
    /// An admin holds its circuit open.
    Held => "held", "an admin holds its circuit open";
    /// The provider refused the credential.
    CredentialRefused => "credential_refused", "the provider refuses the credential";
    /// The provider asked to wait.
    CoolingDown => "cooling_down", "the provider asked to wait";
    /// As many calls as may be are on their way there.
    AtCapacity => "at_capacity", "as many calls as may be are on their way there";
    /// Too many of its calls failed.
    CircuitOpen => "circuit_open", "its circuit is open after too many failures";
    /// One call finds out whether it serves again.
    Probing => "probing", "one call is finding out whether it serves again";
    /// The operation had to fail over from it too often in the last hour.
    FailoverCap => "failover_cap", "the operation had to fail over from it too often in the last hour";
}

impl Rejection {
    /// Whether it only means that the installation has not been set up that far.
    pub(super) const fn is_not_set_up(self) -> bool {
        matches!(self, Self::ProviderUnknown | Self::NoAdapter | Self::NoCredential)
    }

    /// How little it takes to try the target all the same when nothing else is left: less is sooner. `None`: not even then,
    /// because somebody decided so, the call is bound to fail, or the provider asked to wait.
    pub(super) const fn last_resort_rank(self) -> Option<u8> {
        match self {
            Self::FailoverCap => Some(0),
            Self::Probing => Some(1),
            Self::CircuitOpen => Some(2),
            Self::TargetDisabled
            | Self::KeyNotAllowed
            | Self::ProviderUnknown
            | Self::ProviderDisabled
            | Self::NoAdapter
            | Self::NoCredential
            | Self::ModelUnknown
            | Self::WrongCapability
            | Self::ContextWindow
            | Self::ProviderNotAllowed
            | Self::RuledOut
            | Self::Unpriced
            | Self::OverBudget
            | Self::BillAboveBound
            | Self::Held
            | Self::CredentialRefused
            | Self::CoolingDown
            | Self::AtCapacity => None,
        }
    }

    /// Whether it passes by itself.
    pub const fn passes(self) -> bool {
        match self {
            Self::CredentialRefused
            | Self::CoolingDown
            | Self::AtCapacity
            | Self::CircuitOpen
            | Self::Probing
            | Self::FailoverCap => true,
            Self::TargetDisabled
            | Self::KeyNotAllowed
            | Self::ProviderUnknown
            | Self::ProviderDisabled
            | Self::NoAdapter
            | Self::NoCredential
            | Self::ModelUnknown
            | Self::WrongCapability
            | Self::ContextWindow
            | Self::ProviderNotAllowed
            | Self::RuledOut
            | Self::Unpriced
            | Self::OverBudget
            | Self::BillAboveBound
            | Self::Held => false,
        }
    }
}

impl From<Block> for Rejection {
    fn from(block: Block) -> Self {
        match block {
            Block::CircuitOpen => Self::CircuitOpen,
            Block::Probing => Self::Probing,
            Block::InvalidKey => Self::CredentialRefused,
            Block::Held => Self::Held,
            Block::CoolingDown => Self::CoolingDown,
        }
    }
}
