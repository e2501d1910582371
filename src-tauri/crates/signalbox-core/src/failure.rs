//! How a call to a provider can fail, and what that means for the chain.

use serde::{Deserialize, Serialize};

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident => $word:literal,)*) => {
        /// Why an attempt failed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum FailureKind { $($(#[$doc])* $variant,)* }

        impl FailureKind {
            /// Every kind.
            pub const ALL: &'static [FailureKind] = &[$(FailureKind::$variant,)*];

            /// The word on the wire and in the store.
            pub const fn as_str(self) -> &'static str {
                match self { $(FailureKind::$variant => $word,)* }
            }

            /// The kind of that word.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(FailureKind::$variant),)* _ => None }
            }
        }
    };
}

kinds! {
    /// No answer, or no next piece of one, in time.
    Timeout => "timeout",
    /// Too many requests for the account.
    RateLimit => "rate_limit",
    /// The provider refuses our credential.
    InvalidKey => "invalid_key",
    /// The account has no money left at the provider.
    OutOfCredit => "out_of_credit",
    /// The provider says it is overloaded.
    Overloaded => "overloaded",
    /// Any other fault on the provider's side.
    ServerError => "server_error",
    /// No connection, or it broke.
    Network => "network",
    /// An answer that is not of the expected form.
    BadResponse => "bad_response",
    /// The answer stopped before its end.
    Truncated => "truncated",
    /// The provider does not know the model.
    ModelNotFound => "model_not_found",
    /// The provider's content policy refused.
    ContentFilter => "content_filter",
    /// The request is longer than the model's context.
    ContextLength => "context_length",
    /// The provider says the request itself is wrong.
    BadRequest => "bad_request",
    /// The request asks for what this provider cannot do and another might. It was not called.
    Unsupported => "unsupported",
}

impl FailureKind {
    /// Whether the next target may do better.
    ///
    /// A fault of the client's own request (wrong, too long, refused content) would fail everywhere, so it is answered at
    /// once; a fault of the provider or of our account there is not the client's, so the chain goes on.
    pub const fn fails_over(self) -> bool {
        match self {
            Self::Timeout
            | Self::RateLimit
            | Self::InvalidKey
            | Self::OutOfCredit
            | Self::Overloaded
            | Self::ServerError
            | Self::Network
            | Self::BadResponse
            | Self::Truncated
            | Self::ModelNotFound
            | Self::Unsupported => true,
            Self::ContentFilter | Self::ContextLength | Self::BadRequest => false,
        }
    }
}

impl FailureKind {
    /// Whether it says something about the target's health, as opposed to the request.
    pub const fn speaks_against_target(self) -> bool {
        self.fails_over() && !matches!(self, Self::Unsupported)
    }

    /// Whether it says something of the account the call was made with, and nothing of another account there.
    pub const fn is_about_account(self) -> bool {
        matches!(self, Self::InvalidKey | Self::OutOfCredit | Self::RateLimit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_faults_of_the_clients_own_request_stop_the_chain() {
        let stops: Vec<_> =
            FailureKind::ALL.iter().filter(|kind| !kind.fails_over()).map(|kind| kind.as_str()).collect();
        assert_eq!(stops, ["content_filter", "context_length", "bad_request"]);
    }

    #[test]
    fn what_a_provider_cannot_do_goes_on_to_the_next_and_is_no_sign_of_ill_health() {
        assert!(FailureKind::Unsupported.fails_over() && !FailureKind::Unsupported.speaks_against_target());
        assert!(FailureKind::ServerError.speaks_against_target());
        assert!(!FailureKind::BadRequest.speaks_against_target());
    }

    #[test]
    fn every_kind_is_its_word() {
        for kind in FailureKind::ALL {
            assert_eq!(FailureKind::from_word(kind.as_str()), Some(*kind));
        }
    }
}
