//! `signalbox-node`: Signalbox without a window, and its command line.
//!
//! `serve` composes the instance; every other command is one use case of `signalbox-app`, printed. A command may run beside
//! a serving instance on the same data directory: the instance takes configuration changes over within two seconds.

pub mod cli;
mod commands;
mod failure;
mod input;
mod output;

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use crate::cli::Cli;
use crate::failure::Exit;

/// Runs the command line this process was started with.
pub fn run() -> ExitCode {
    signalbox_engine::process::leave_no_secrets_behind();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers, not errors; clap knows which stream each belongs to.
            let _ = error.print();
            let asked_for = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            return if asked_for { ExitCode::SUCCESS } else { Exit::Usage.into() };
        }
    };
    match commands::run(cli) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            output::complain(&failure.message);
            failure.exit.into()
        }
    }
}
