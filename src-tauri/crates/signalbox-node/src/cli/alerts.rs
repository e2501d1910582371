//! Grammar of `alerts`.

use clap::{Args, Subcommand, ValueEnum};

use super::Json;

#[derive(Debug, Subcommand)]
pub enum Alerts {
    /// List alerts, newest first
    #[command(after_help = "Example:\n  signalbox-node alerts list --open --severity critical")]
    List {
        /// Only what nobody acknowledged and what still holds
        #[arg(long)]
        open: bool,
        /// Only this kind, e.g. `circuit_opened`
        #[arg(long, value_name = "KIND")]
        kind: Option<String>,
        /// Only what matters this much
        #[arg(long, value_enum)]
        severity: Option<Severity>,
        /// Most rows
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: u32,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Acknowledge alerts: nobody else is told of them
    Ack {
        /// Their ids, from `alerts list`
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        ids: Vec<String>,
        /// All there are
        #[arg(long)]
        all: bool,
    },
    /// Where alerts are told
    #[command(subcommand)]
    Channels(Channels),
    /// Send a trial on a channel and say what came of it
    #[command(after_help = "Example:\n  signalbox-node alerts test ops")]
    Test {
        /// The channel's id or name
        channel: String,
    },
    /// What became of each telling, newest first
    Deliveries {
        /// Most rows
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: u32,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub enum Channels {
    /// List channels
    List(Json),
    /// Add a channel; its secret is read from standard input
    #[command(
        after_help = "Examples:\n  pass show ops-webhook | signalbox-node alerts channels add discord --name ops --secret-stdin\n  signalbox-node alerts channels add webhook --name desk --url https://desk.example/hook --new-key\n  pass show mail | signalbox-node alerts channels add email --name mail --host smtp.example.com --user desk --from desk@example.com --to ann@example.com --secret-stdin"
    )]
    Add(NewChannel),
    /// Remove a channel and its secret
    Remove {
        /// The channel's id or name
        channel: String,
    },
}

#[derive(Debug, Args)]
pub struct NewChannel {
    /// By which means
    #[arg(value_enum)]
    pub means: Means,
    /// What a person calls it
    #[arg(long)]
    pub name: String,
    /// The mildest alert that is told there
    #[arg(long, value_enum, default_value_t = Severity::Warning)]
    pub least: Severity,
    /// It may be on this machine or in its network, and without encryption
    #[arg(long)]
    pub local: bool,
    /// Of a webhook: where
    #[arg(long, value_name = "URL", required_if_eq("means", "webhook"))]
    pub url: Option<String>,
    /// Of mail: the server
    #[arg(long, required_if_eq("means", "email"))]
    pub host: Option<String>,
    /// Of mail: the server's port
    #[arg(long, default_value_t = 587)]
    pub port: u16,
    /// Of mail: how the connection is encrypted
    #[arg(long, value_enum, default_value_t = Security::StartTls)]
    pub security: Security,
    /// Of mail: who signs in
    #[arg(long)]
    pub user: Option<String>,
    /// Of mail: the sender
    #[arg(long, value_name = "ADDRESS", required_if_eq("means", "email"))]
    pub from: Option<String>,
    /// Of mail: the receivers, separated by commas
    #[arg(long, value_name = "ADDRESSES", value_delimiter = ',', required_if_eq("means", "email"))]
    pub to: Vec<String>,
    /// Read its secret from standard input: the webhook's URL, the signing key, the password
    #[arg(long)]
    pub secret_stdin: bool,
    /// Of a webhook: make a signing key and print it this once
    #[arg(long, conflicts_with = "secret_stdin")]
    pub new_key: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Means {
    Discord,
    /// Slack, Mattermost and others
    Slack,
    /// Signed JSON for any program
    Webhook,
    Email,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Severity {
    Info,
    Warning,
    Critical,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Security {
    Tls,
    StartTls,
    None,
}
