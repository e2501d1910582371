//! The project's tasks, one verb each: `cargo xtask run | check | test | bench | bindings | screenshots`.
//!
//! Each task brings what it needs (system packages, npm packages, the built interface) and says what it is doing, so
//! that a fresh clone needs no other instruction. It builds nothing itself and knows nothing of the product: it calls
//! Cargo, npm and a few programs of the system, with the same profile and features everywhere, so that no task
//! compiles again what another one has compiled.

mod bench;
mod bindings;
mod cargo;
mod check;
mod deny;
mod display;
mod npm;
mod packages;
mod report;
mod root;
mod run;
mod screenshots;
mod step;
mod test;

use std::{ffi::OsString, process::ExitCode};

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "The project's tasks", version)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Builds and opens the window with its gateway; without a display, runs the headless node.
    Run {
        /// Passed on to the program (after `--`).
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// The fast loop: format, lints, types, rooms.
    Check,
    /// Everything CI checks.
    Test {
        /// Scales up the counts of the crash, load and property tests.
        #[arg(long)]
        nightly: bool,
    },
    /// Measures what the gateway adds to a call.
    Bench,
    /// Rewrites the generated TypeScript after a change of commands or DTOs.
    Bindings,
    /// Writes a picture of each screen, dark and light, to `docs/screenshots`.
    Screenshots,
}

fn main() -> ExitCode {
    match perform(Arguments::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            step::say(&format!("✗ {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn perform(task: Task) -> Result<()> {
    root::enter()?;
    match task {
        Task::Run { arguments } => run::run(arguments),
        Task::Check => check::check(),
        Task::Test { nightly: false } => test::test(test::Extent::Normal),
        Task::Test { nightly: true } => test::test(test::Extent::Nightly),
        Task::Bench => bench::bench(),
        Task::Bindings => bindings::bindings(),
        Task::Screenshots => screenshots::screenshots(),
    }
}
