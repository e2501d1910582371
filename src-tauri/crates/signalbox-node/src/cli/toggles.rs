//! `toggles` and `kill-switch`: their grammar.

use clap::{Subcommand, ValueEnum};

use super::Json;

#[derive(Debug, Subcommand)]
pub enum Toggles {
    /// List toggles and what holds now
    List(Json),
    /// Set a toggle; it takes effect at once
    #[command(
        after_help = "Examples:\n  signalbox-node toggles set log_payloads on --operation email_analysis\n  signalbox-node toggles set log_payloads off --reason \"Found it\""
    )]
    Set {
        /// Which toggle
        name: String,
        /// On, off, or as it usually is (for one operation: as it is for all)
        #[arg(value_enum)]
        position: Position,
        /// Only for this operation
        #[arg(long)]
        operation: Option<String>,
        /// Why; the history keeps it
        #[arg(long)]
        reason: Option<String>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Position {
    On,
    Off,
    Default,
}

#[derive(Debug, Subcommand)]
pub enum KillSwitch {
    /// Stop all AI traffic: requests under way end, new ones are refused, also after a restart
    #[command(after_help = "Example:\n  signalbox-node kill-switch on --reason \"A loop is spending\"")]
    On {
        /// Why; the history keeps it and clients are told
        #[arg(long)]
        reason: Option<String>,
    },
    /// Let AI traffic run again; asks for the word RESUME
    #[command(
        after_help = "Examples:\n  signalbox-node kill-switch off\n  signalbox-node kill-switch off --typed RESUME"
    )]
    Off {
        /// The word, for scripts [default: read from standard input]
        #[arg(long, value_name = "WORD")]
        typed: Option<String>,
        /// Why; the history keeps it
        #[arg(long)]
        reason: Option<String>,
    },
    /// Show whether AI traffic runs
    Status(Json),
}
