//! The grammar of `approvals`.

use clap::{Args, Subcommand};

use super::Json;

#[derive(Debug, Subcommand)]
pub enum Approvals {
    /// What waits for a person, the riskiest first
    List {
        /// What no longer waits instead, the last step first
        #[arg(long)]
        decided: bool,
        /// At most this many
        #[arg(long, default_value_t = 50)]
        limit: u32,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// One approval, with the request as it will run
    Show {
        /// Its id, from `approvals list`
        id: String,
        #[command(flatten)]
        form: Json,
    },
    /// Say yes; it counts at once
    #[command(
        after_help = "Example:\n  signalbox-node approvals approve apr_0193f0c1d2e3… --target deepseek/deepseek-flash --reason \"once\""
    )]
    Approve {
        /// Its id, from `approvals list`
        id: String,
        /// Send it there instead of where it asked to go
        #[arg(long, value_name = "PROVIDER/MODEL")]
        target: Option<String>,
        /// Why, for the history
        #[arg(long)]
        reason: Option<String>,
    },
    /// Say no; whoever asked is told why
    Reject {
        /// Its id, from `approvals list`
        id: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// End what is no longer wanted, also an approval that nobody has used
    Withdraw {
        /// Its id, from `approvals list`
        id: String,
        /// Why, for the history
        #[arg(long)]
        reason: Option<String>,
    },
    /// When an operation's requests need a person
    #[command(
        after_help = "Examples:\n  signalbox-node approvals policy job_planning --above 0.50 --hold 60\n  signalbox-node approvals policy job_planning --budget-warned\n  signalbox-node approvals policy job_planning --rule 'operation.criticality == \"high\" && estimate_usd > 0.5'\n  signalbox-node approvals policy job_planning --off"
    )]
    Policy(Policy),
}

#[derive(Debug, Args)]
pub struct Policy {
    /// Which operation
    pub operation: String,
    /// Every request needs one
    #[arg(long)]
    pub always: bool,
    /// Requests that may cost more than this many dollars need one, and those of which nobody knows the cost
    #[arg(long, value_name = "USD")]
    pub above: Option<String>,
    /// Requests need one whose budgets have passed their warning
    #[arg(long)]
    pub budget_warned: bool,
    /// Requests that meet this need one
    #[arg(long, value_name = "CEL")]
    pub rule: Option<String>,
    /// How many seconds a client is kept waiting before it is told to come back
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub hold: u32,
    /// How many seconds an approval can be decided and used
    #[arg(long, value_name = "SECONDS", default_value_t = signalbox_core::approval::EXPIRES_S_USUAL)]
    pub expires: u32,
    /// No request needs one
    #[arg(long, conflicts_with_all = ["always", "above", "budget_warned", "rule"])]
    pub off: bool,
    /// Why, for the history
    #[arg(long)]
    pub reason: Option<String>,
}
