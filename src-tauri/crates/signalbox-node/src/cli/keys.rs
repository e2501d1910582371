//! Grammar of `keys`.

use clap::{Args, Subcommand};

use super::Json;

#[derive(Debug, Subcommand)]
pub enum Keys {
    /// Make a key; it is shown this once
    #[command(
        after_help = "Examples:\n  signalbox-node keys create --name laptop --budget-per-day 5\n  signalbox-node keys create --name crm --owner grace --operations email_analysis,intent_classification --targets deepseek,anthropic/claude-haiku-4-5 --expires 2027-01-31T00:00:00Z"
    )]
    Create {
        /// What a person calls it
        #[arg(long)]
        name: String,
        #[command(flatten)]
        scope: KeyScope,
        /// Give it a budget of its own of so many US dollars per day
        #[arg(long, value_name = "USD")]
        budget_per_day: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List keys, revoked ones included
    List(Json),
    /// Change what a key is for; what is not named stays
    #[command(
        after_help = "Examples:\n  signalbox-node keys scope key_0193f0c1d2e3… --targets deepseek\n  signalbox-node keys scope key_0193f0c1d2e3… --operations \"\" --expires never"
    )]
    Scope {
        /// The key's id, from `keys list`
        id: String,
        #[command(flatten)]
        scope: KeyScope,
    },
    /// Give a key a new secret, which is shown this once; the one it has opens for a while longer
    #[command(
        after_help = "Examples:\n  signalbox-node keys rotate key_0193f0c1d2e3…\n  signalbox-node keys rotate key_0193f0c1d2e3… --overlap-hours 0"
    )]
    Rotate {
        /// The key's id, from `keys list`
        id: String,
        /// How long the secret it has opens as well; 0: it stops at once
        #[arg(long, value_name = "HOURS", default_value_t = signalbox_app::keys::OVERLAP_HOURS)]
        overlap_hours: u32,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Give a key its owner's own credential at a provider, from standard input
    #[command(
        after_help = "Example:\n  pass show my-deepseek | signalbox-node keys credential key_0193f0c1d2e3… deepseek"
    )]
    Credential {
        /// The key's id, from `keys list`
        id: String,
        /// Which provider
        provider: String,
        /// Forget it instead
        #[arg(long)]
        clear: bool,
    },
    /// Make a key useless, for good
    #[command(after_help = "Example:\n  signalbox-node keys revoke key_0193f0c1d2e3…")]
    Revoke {
        /// The key's id, from `keys list`
        id: String,
    },
}

/// What a key is for.
#[derive(Debug, Args)]
pub struct KeyScope {
    /// Who answers for it
    #[arg(long, value_name = "NAME")]
    pub owner: Option<String>,
    /// Operations it may use, separated by commas [default: all]
    #[arg(long, value_delimiter = ',', value_name = "IDS")]
    pub operations: Option<Vec<String>>,
    /// Where its requests may go: PROVIDER or PROVIDER/MODEL, separated by commas [default: anywhere]
    #[arg(long, value_delimiter = ',', value_name = "TARGETS")]
    pub targets: Option<Vec<String>>,
    /// When it ends, RFC 3339, or `never`
    #[arg(long, value_name = "TIME")]
    pub expires: Option<String>,
}
