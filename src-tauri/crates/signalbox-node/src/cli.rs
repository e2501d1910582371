//! The command line's grammar.

mod alerts;
mod approvals;
pub mod budgets;
mod history;
pub mod keys;
mod prices;
mod toggles;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use signalbox_gateway::DEFAULT_LISTEN;

pub use alerts::{Alerts, Channels, Means, NewChannel, Security, Severity};
pub use approvals::{Approvals, Policy};
pub use budgets::Budgets;
pub use history::{History, HistoryFilter, HistoryForm};
pub use keys::Keys;
pub use prices::Prices;
pub use toggles::{KillSwitch, Position, Toggles};

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed, or what was checked is not in order
  2  the command line or a value on it is wrong
  3  there is no such thing
  4  refused: it exists already, is in use, or was changed meanwhile
  5  unavailable: data directory, database, port or secrets

Examples:
  signalbox-node serve
  signalbox-node keys create --name laptop
  signalbox-node providers add --kind openai --name groq --base-url https://api.groq.com/openai/v1 --credential-env GROQ_API_KEY
  signalbox-node routes set chat_message groq/llama-3.3-70b-versatile,deepseek/deepseek-flash
  signalbox-node requests list --status failed
  signalbox-node prices import model_prices.json --dry-run
  signalbox-node kill-switch on --reason \"A loop is spending\"
  signalbox-node budgets set Everything --usd 5
  signalbox-node ledger export --format csv --out ledger.csv

A change reaches a running instance on the same data directory within two seconds, the kill switch within one.";

/// Signalbox without a window: the gateway, and everything about it on the command line.
#[derive(Debug, Parser)]
#[command(name = "signalbox-node", version, after_help = EXIT_CODES, propagate_version = true)]
pub struct Cli {
    #[command(flatten)]
    pub place: Place,
    #[command(subcommand)]
    pub command: Command,
}

/// Which installation.
#[derive(Debug, Args)]
pub struct Place {
    /// Where everything is kept [default: the platform's data folder, shared with the window]
    #[arg(long, global = true, env = "SIGNALBOX_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Keep everything but secrets in this PostgreSQL database instead of a file
    #[arg(long, global = true, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<String>,
    /// Leave the operating system's keychain alone and keep the master key in a file
    #[arg(long, global = true, env = "SIGNALBOX_NO_KEYCHAIN", value_parser = clap::builder::FalseyValueParser::new())]
    pub no_keychain: bool,
    /// Who you are, as `people list` has it [default: local, whoever sits at this machine]
    #[arg(long = "as", global = true, env = "SIGNALBOX_PERSON", value_name = "NAME")]
    pub person: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve programs until interrupted
    #[command(
        after_help = "Example:\n  signalbox-node serve --listen 127.0.0.1:4180 --simulator off --log json"
    )]
    Serve(Serve),
    /// API keys of programs
    #[command(subcommand)]
    Keys(Keys),
    /// Providers: accounts at vendors, and servers
    #[command(subcommand)]
    Providers(Providers),
    /// Models and their prices
    #[command(subcommand)]
    Models(Models),
    /// What models cost: in force, planned, past; own prices and imported lists
    #[command(subcommand)]
    Prices(Prices),
    /// Limits on what may be spent: how they stand, set, corrected, and why a request was refused
    #[command(subcommand)]
    Budgets(Budgets),
    /// Where an operation's requests go
    #[command(subcommand)]
    Routes(Routes),
    /// The named kinds of AI work
    #[command(subcommand)]
    Operations(Operations),
    /// Requests as the ledger has them
    #[command(subcommand)]
    Requests(Requests),
    /// How providers' targets are: circuits, success, times
    Health(Json),
    /// When another target had to step in
    Failovers(Failovers),
    /// What is switched on, and what nobody can switch
    #[command(subcommand)]
    Toggles(Toggles),
    /// Stop all AI traffic, and let it run again
    #[command(subcommand)]
    KillSwitch(KillSwitch),
    /// Bounds and defaults of the installation
    #[command(subcommand)]
    Settings(Settings),
    /// Who may come in, and what they may do
    #[command(subcommand)]
    People(People),
    /// What waits for a person: requests and changes
    #[command(subcommand)]
    Approvals(Approvals),
    /// The secrets as a whole: where their master key is, and a passphrase over it
    #[command(subcommand)]
    Secrets(Secrets),
    /// The ledger as a whole
    #[command(subcommand)]
    Ledger(Ledger),
    /// The history of configuration changes
    #[command(subcommand)]
    History(History),
    /// What a person should know of, and where it is told
    #[command(subcommand)]
    Alerts(Alerts),
}

#[derive(Debug, Args)]
pub struct Serve {
    /// Where programs reach the gateway; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value_t = DEFAULT_LISTEN, env = "SIGNALBOX_LISTEN")]
    pub listen: SocketAddr,
    /// Whether the built-in simulator answers what no provider can
    #[arg(long, value_enum, default_value_t = Switch::On)]
    pub simulator: Switch,
    /// What a written request survives: the end of the process, or a power failure too
    #[arg(long, value_enum, default_value_t = Durability::Process)]
    pub durability: Durability,
    #[arg(long, help = "Form of the log on standard error; RUST_LOG sets what is logged", value_enum, default_value_t = LogForm::Text)]
    pub log: LogForm,
    /// Let an address be bound that other machines can reach; there is no encryption, so put TLS in front
    #[arg(long)]
    pub allow_remote: bool,
    /// A further name that clients may use for this gateway, e.g. behind a proxy
    #[arg(long, value_name = "NAME")]
    pub host: Vec<String>,
    #[arg(
        long,
        help = "The origin of a web page that may call with a key, e.g. https://desk.example",
        value_name = "ORIGIN"
    )]
    pub origin: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    On,
    Off,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Durability {
    Process,
    Power,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogForm {
    Text,
    Json,
}

#[derive(Debug, Args)]
pub struct Json {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum Providers {
    /// Add a provider; models the shipped price list knows come with it
    #[command(
        after_help = "Examples:\n  signalbox-node providers add --kind openai --name ollama --base-url http://127.0.0.1:11434/v1\n  signalbox-node providers add --kind openai --name groq --base-url https://api.groq.com/openai/v1 --credential-env GROQ_API_KEY\n  pass show anthropic | signalbox-node providers add --kind anthropic --name claude --base-url https://api.anthropic.com --credential-stdin"
    )]
    Add {
        /// Which API it speaks: openai (and everything compatible), anthropic, gemini, deepgram, elevenlabs or `edge_tts`
        #[arg(long)]
        kind: String,
        /// Its name in routes
        #[arg(long)]
        name: String,
        /// Where it is
        #[arg(long, value_name = "URL")]
        base_url: String,
        /// Read its credential from this environment variable of the node
        #[arg(long, value_name = "VAR", conflicts_with = "credential_stdin")]
        credential_env: Option<String>,
        /// Read its credential from standard input now, and seal it
        #[arg(long)]
        credential_stdin: bool,
        /// Send the credential in this header instead, e.g. api-key for Azure
        #[arg(long, value_name = "HEADER", conflicts_with = "token_url")]
        auth_header: Option<String>,
        /// Exchange the credential, a client's secret, for tokens that are given here
        #[arg(long, value_name = "URL", requires = "client_id")]
        token_url: Option<String>,
        /// As which client
        #[arg(long, value_name = "ID", requires = "token_url")]
        client_id: Option<String>,
        /// For which scope
        #[arg(long, value_name = "SCOPE", requires = "token_url")]
        scope: Option<String>,
    },
    /// Give a provider its credential, from standard input
    #[command(after_help = "Example:\n  pass show deepseek | signalbox-node providers credential deepseek")]
    Credential {
        /// Which provider
        name: String,
    },
    /// List providers
    List(Json),
}

#[derive(Debug, Subcommand)]
pub enum Models {
    /// Add a model, or give a known one new prices from now on
    #[command(
        after_help = "Example:\n  signalbox-node models add groq/openai/gpt-oss-120b --input-usd-per-mtok 0.15 --output-usd-per-mtok 0.75"
    )]
    Add {
        /// PROVIDER/MODEL
        target: String,
        /// Dollars per million tokens of fresh input; without prices its requests are marked unpriced
        #[arg(long, value_name = "USD")]
        input_usd_per_mtok: Option<String>,
        /// Dollars per million tokens of input read from the provider's cache [default: the price of fresh input]
        #[arg(long, value_name = "USD")]
        cached_input_usd_per_mtok: Option<String>,
        /// Dollars per million tokens of output
        #[arg(long, value_name = "USD")]
        output_usd_per_mtok: Option<String>,
        /// Tokens it can read and write together
        #[arg(long, value_name = "TOKENS")]
        context_window: Option<u32>,
    },
    /// List models with their prices
    List(Json),
}

#[derive(Debug, Subcommand)]
pub enum Routes {
    /// Show the route of an operation, or of all
    Show {
        /// Which operation [default: all]
        operation: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Set the targets of an operation, tried in this order
    #[command(
        after_help = "Example:\n  signalbox-node routes set chat_message deepseek/deepseek-flash,gemini/gemini-3.8-flash --reason \"cheaper\""
    )]
    Set {
        /// Which operation
        operation: String,
        /// PROVIDER/MODEL, separated by commas
        #[arg(value_delimiter = ',', required = true, value_name = "TARGETS")]
        targets: Vec<String>,
        /// Why, for the history
        #[arg(long)]
        reason: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub enum Operations {
    /// List operations
    List(Json),
    /// Serve an operation's requests
    Enable {
        /// Which operation
        operation: String,
    },
    /// Refuse an operation's requests
    Disable {
        /// Which operation
        operation: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum Requests {
    /// List requests, newest first
    #[command(
        after_help = "Examples:\n  signalbox-node requests list --status failed --from 2026-11-21T00:00:00Z\n  signalbox-node requests list --json --limit 1000"
    )]
    List {
        #[command(flatten)]
        filter: Filter,
        /// How many at most
        #[arg(long, default_value_t = 50)]
        limit: u32,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Count requests by operation, provider, model and status
    Count(Json),
    /// Show everything known of one request
    Show {
        /// Its id
        id: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub struct Failovers {
    /// Only for this operation
    #[arg(long)]
    pub operation: Option<String>,
    /// Only from targets of this provider
    #[arg(long)]
    pub provider: Option<String>,
    /// How many at most, the newest
    #[arg(long, default_value_t = 50)]
    pub limit: u32,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum People {
    /// List people
    List(Json),
    /// Let somebody in
    #[command(
        after_help = "Example:\n  signalbox-node people add anna --role admin --reason \"Second admin\""
    )]
    Add {
        /// Their name, for good: lower-case letters, digits and . - _ @
        name: String,
        /// What they may do: viewer, operator or admin
        #[arg(long, default_value = "viewer")]
        role: String,
        /// Why; the history keeps it
        #[arg(long)]
        reason: Option<String>,
    },
    /// Give somebody another role
    SetRole {
        /// Whom
        name: String,
        /// viewer, operator or admin
        role: String,
        /// Why; the history keeps it
        #[arg(long)]
        reason: Option<String>,
    },
    /// Shut somebody out; what they did stays in the history
    Disable {
        /// Whom
        name: String,
        /// Why; the history keeps it
        #[arg(long)]
        reason: Option<String>,
    },
    /// Let somebody in again
    Enable {
        /// Whom
        name: String,
        /// Why; the history keeps it
        #[arg(long)]
        reason: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub enum Settings {
    /// List settings with their values
    List(Json),
    /// Print the value of one setting
    #[command(after_help = "Example:\n  signalbox-node settings get breaker_failures")]
    Get {
        /// Which setting
        name: String,
        /// Print JSON: also its bounds and what it does
        #[arg(long)]
        json: bool,
    },
    /// Give a setting a value; it takes effect at once
    #[command(
        after_help = "Example:\n  signalbox-node settings set breaker_failures 5 --reason \"One flaky region\""
    )]
    Set {
        /// Which setting
        name: String,
        /// Its value
        value: String,
        /// Why; the history keeps it
        #[arg(long)]
        reason: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub enum Secrets {
    /// Show where the master key is, and whether the secrets are open here
    Status,
    /// Put the secrets under a passphrase, typed twice or read from standard input; every start needs it then
    #[command(
        after_help = "Example:\n  signalbox-node secrets protect\n  SIGNALBOX_PASSPHRASE=… signalbox-node serve"
    )]
    Protect,
}

/// All given conditions must hold.
#[derive(Debug, Args)]
pub struct Filter {
    /// Only this operation
    #[arg(long)]
    pub operation: Option<String>,
    /// Only this provider
    #[arg(long)]
    pub provider: Option<String>,
    /// Only this model; `gpt-*` for all that begin so
    #[arg(long)]
    pub model: Option<String>,
    /// Only this status
    #[arg(long, value_enum)]
    pub status: Option<Status>,
    /// Only costs that are this sure
    #[arg(long, value_enum)]
    pub cost_status: Option<CostStatus>,
    /// Only this key, by its id
    #[arg(long, value_name = "ID")]
    pub key: Option<String>,
    /// Only this user
    #[arg(long)]
    pub user: Option<String>,
    /// Only what the simulator answered (true) or did not (false)
    #[arg(long, value_name = "BOOL")]
    pub simulated: Option<bool>,
    /// Only what began at or after this instant, RFC 3339
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// Only what began before this instant, RFC 3339
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Status {
    InFlight,
    Succeeded,
    Failed,
    Cancelled,
    Interrupted,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum CostStatus {
    Exact,
    ProviderCharged,
    Estimated,
    Unpriced,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportForm {
    Jsonl,
    Csv,
}

#[derive(Debug, Subcommand)]
pub enum Ledger {
    /// Write requests out, newest first
    #[command(
        after_help = "Examples:\n  signalbox-node ledger export --format csv --out ledger.csv\n  signalbox-node ledger export --format jsonl --operation chat_message | gzip > chat.jsonl.gz"
    )]
    Export {
        /// Form of the lines
        #[arg(long, value_enum)]
        format: ExportForm,
        /// Into this file, readable by its owner only [default: standard output]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        #[command(flatten)]
        filter: Filter,
    },
    /// Recompute every total from the rows, and walk the chain of the change history
    Verify(Json),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_grammar_has_no_contradictions() {
        Cli::command().debug_assert();
    }
}
