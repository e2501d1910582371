//! Grammar of `budgets`.

use clap::{Subcommand, ValueEnum};

use super::Json;

const SETTING: &str = "\
Scopes: global, operation:ID, user:NAME, key:ID, provider:NAME, model:PROVIDER/MODEL, tag:NAME=VALUE, each-user,
each-operation. What a budget counts and when it begins anew stay as they are once it is made.

Examples:
  signalbox-node budgets set \"Everything, per day\" --usd 5 --dry-run
  signalbox-node budgets set \"Each user\" --scope each-user --period month --usd 20
  signalbox-node budgets set Trial --scope user:ann --period total --usd 2 --overrun 0
  signalbox-node budgets set \"Everything, per day\" --action notify --reason \"A week of watching\"";

const ADJUSTING: &str = "\
The rows of the ledger stay as they are; the correction stands in the history.

Examples:
  signalbox-node budgets adjust \"Everything, per day\" --usd=-0.25 --reason \"It was interrupted and never ran\"
  signalbox-node budgets adjust \"Each user\" --member ann --usd 1 --reason \"Used the vendor's page\"";

#[derive(Debug, Subcommand)]
pub enum Budgets {
    /// List budgets with what is settled, reserved, left and expected
    List(Json),
    /// Show a budget with its periods, open reservations and corrections
    #[command(
        after_help = "Examples:\n  signalbox-node budgets show \"Everything, per day\"\n  signalbox-node budgets show \"Each user\" --member ann --json"
    )]
    Show {
        /// Its name or id
        budget: String,
        /// The user or operation, for a budget of each
        #[arg(long, value_name = "NAME")]
        member: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Make a budget, or change one of that name
    #[command(after_help = SETTING)]
    Set {
        /// Its name; an id for a budget that is there
        budget: String,
        /// Whose use it counts [default for a new one: global]
        #[arg(long)]
        scope: Option<String>,
        /// When it begins anew [default for a new one: day]
        #[arg(long, value_enum)]
        period: Option<Period>,
        /// By whose midnight, e.g. Europe/Berlin [default for a new one: UTC]
        #[arg(long)]
        zone: Option<String>,
        /// Limit in US dollars; `none` takes it away
        #[arg(long, value_name = "USD", allow_hyphen_values = true)]
        usd: Option<String>,
        /// Limit in tokens; `none` takes it away
        #[arg(long)]
        tokens: Option<String>,
        /// Limit in requests; `none` takes it away
        #[arg(long)]
        requests: Option<String>,
        /// What becomes of a request that does not fit [default for a new one: block]
        #[arg(long, value_enum)]
        action: Option<Action>,
        /// By how much it can be passed at most, in percent; 0: never [default for a new one: 5]
        #[arg(long, value_name = "PERCENT")]
        overrun: Option<u32>,
        /// Shares in percent that somebody is told of, separated by commas [default for a new one: 50,80,100]
        #[arg(long, value_delimiter = ',', value_name = "PERCENTS")]
        warn: Option<Vec<u32>>,
        /// Let it count and hold
        #[arg(long, conflicts_with = "off")]
        on: bool,
        /// Let it rest: it counts nothing and refuses nothing
        #[arg(long)]
        off: bool,
        /// Why, for the history
        #[arg(long)]
        reason: Option<String>,
        /// Only show what would change, and what it would have refused in the last period
        #[arg(long)]
        dry_run: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Remove a budget; what was spent stays in the ledger
    #[command(after_help = "Example:\n  signalbox-node budgets remove Trial --reason \"It is over\"")]
    Remove {
        /// Its name or id
        budget: String,
        /// Why, for the history
        #[arg(long)]
        reason: Option<String>,
    },
    /// Correct what counts as spent in the period that runs
    #[command(after_help = ADJUSTING)]
    Adjust {
        /// Its name or id
        budget: String,
        /// The user or operation, for a budget of each
        #[arg(long, value_name = "NAME")]
        member: Option<String>,
        /// US dollars; negative gives back
        #[arg(long, allow_hyphen_values = true)]
        usd: String,
        /// Why; the history keeps it
        #[arg(long)]
        reason: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Say which budget refused a request, and who held what was missing
    #[command(after_help = "Example:\n  signalbox-node budgets why req_0193f0c1d2e3…")]
    Why {
        /// The request's id
        request: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show who spent most, over the last days
    #[command(after_help = "Example:\n  signalbox-node budgets history --by user --days 90")]
    History {
        /// By what it is split
        #[arg(long, value_enum, default_value_t = Split::User)]
        by: Split,
        /// How far back: 7, 30 or 90
        #[arg(long, default_value_t = 30)]
        days: u32,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Period {
    Day,
    Week,
    Month,
    Total,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Action {
    Notify,
    Downgrade,
    RequireApproval,
    Block,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Split {
    Operation,
    User,
    Provider,
    Model,
}
