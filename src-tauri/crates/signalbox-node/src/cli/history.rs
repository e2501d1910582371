//! `history`: its grammar.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::Json;

#[derive(Debug, Subcommand)]
pub enum History {
    /// List changes, newest first
    #[command(
        after_help = "Examples:\n  signalbox-node history list --kind route --from 2026-11-01T00:00:00Z\n  signalbox-node history list --text haiku --json"
    )]
    List {
        #[command(flatten)]
        filter: HistoryFilter,
        /// How many at most
        #[arg(long, default_value_t = 50)]
        limit: u32,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Check that no entry was changed, removed or added afterwards
    Verify(Json),
    /// Write changes out, newest first, with the hashes that chain them
    #[command(
        after_help = "Example:\n  signalbox-node history export --format csv --out history.csv --kind budget"
    )]
    Export {
        /// Form of the file
        #[arg(long, value_enum)]
        format: HistoryForm,
        /// Into this file, readable by its owner only [default: standard output]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        #[command(flatten)]
        filter: HistoryFilter,
    },
    /// Put things back to what they were before a change; that is a change itself
    #[command(
        after_help = "Examples:\n  signalbox-node history revert 42 --dry-run\n  signalbox-node history revert 42 --reason \"Too slow\""
    )]
    Revert {
        /// The entry, from `history list`
        seq: u32,
        /// Show what it would put back, and put nothing back
        #[arg(long)]
        dry_run: bool,
        /// Why; the history keeps it
        #[arg(long)]
        reason: Option<String>,
    },
    /// The configuration as it was at an instant
    #[command(after_help = "Example:\n  signalbox-node history at 2026-11-01T00:00:00Z --kind route --json")]
    At {
        /// Which instant, RFC 3339
        at: String,
        /// Only things of this kind
        #[arg(long)]
        kind: Option<String>,
        /// Only the thing of this name
        #[arg(long)]
        subject: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// All given conditions must hold.
#[derive(Debug, Args)]
pub struct HistoryFilter {
    /// Only changes of this kind, e.g. route, budget, toggle, `kill_switch`, key, price, person
    #[arg(long)]
    pub kind: Option<String>,
    /// Only changes of this thing
    #[arg(long)]
    pub subject: Option<String>,
    /// Only changes by this person
    #[arg(long)]
    pub actor: Option<String>,
    /// Only changes at or after this instant, RFC 3339
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// Only changes before this instant, RFC 3339
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,
    /// Only changes with this in their sentence, reason or subject
    #[arg(long)]
    pub text: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum HistoryForm {
    Csv,
    Json,
}
