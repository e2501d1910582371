//! The ways by which something can reach a provider, and which of them a person is asked on.
//!
//! Every AI call names its way in. The list is closed and nobody matches on it with a catch-all: a new way does not compile
//! until somebody has said what approvals mean on it, and a test drives each of them.

use serde::{Deserialize, Serialize};

/// A way on which a provider could be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryPath {
    /// A program's request, by the gateway.
    Gateway,
    /// The window's test request.
    TestRequest,
    /// Deciding on a request without sending it: previews and dry runs.
    Simulation,
    /// The same request again, with its idempotency key.
    Replay,
    /// An answer out of the answer cache.
    CachedAnswer,
    /// Another try of a target, within one request.
    Retry,
    /// The next target, within one request.
    Failover,
    /// A rehearsed outage.
    Drill,
    /// Asking a provider for its list of models: when it is added, verified or probed.
    ProviderCheck,
}

/// What approvals mean on a way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Gate {
    /// A route's policy may ask a person first.
    Asks,
    /// It is a part of a request that was let through, within what that may cost.
    WithinTheFirst,
    /// What was asked before is given again; no provider is called.
    AlreadyPaid,
    /// No provider is called that anybody pays.
    CallsNobody,
    /// There is no operation in it and it costs nothing.
    Free,
}

impl EntryPath {
    /// Every way.
    pub const ALL: &'static [Self] = &[
        Self::Gateway,
        Self::TestRequest,
        Self::Simulation,
        Self::Replay,
        Self::CachedAnswer,
        Self::Retry,
        Self::Failover,
        Self::Drill,
        Self::ProviderCheck,
    ];

    /// What approvals mean on it.
    pub const fn gate(self) -> Gate {
        match self {
            Self::Gateway | Self::TestRequest => Gate::Asks,
            Self::Retry | Self::Failover => Gate::WithinTheFirst,
            Self::Replay | Self::CachedAnswer => Gate::AlreadyPaid,
            // A drill's chain is made of simulated models only.
            Self::Simulation | Self::Drill => Gate::CallsNobody,
            Self::ProviderCheck => Gate::Free,
        }
    }

    /// In words, for whoever decides.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Gateway => "a program's request",
            Self::TestRequest => "a test request of the window",
            Self::Simulation => "a dry run",
            Self::Replay => "a request sent again",
            Self::CachedAnswer => "an answer from the cache",
            Self::Retry => "another try",
            Self::Failover => "the next target",
            Self::Drill => "a drill",
            Self::ProviderCheck => "a check of a provider",
        }
    }
}
