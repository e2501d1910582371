//! Cargo, called the same way by every task.
//!
//! Checks and tests ask for the whole workspace, and pick a target with `--test`, not with `--package`: Cargo unifies
//! features over what it is asked to build, so asking for one package would compile half of the dependencies a second
//! time. Only what is built with optimisation is asked for by package, because the rest is not wanted.

use std::{env, ffi::OsString, process::Command};

use crate::root;

/// The Cargo that started this program.
pub fn program() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// `cargo` with these arguments.
pub fn cargo<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new(program());
    configure(&mut command, arguments);
    command
}

/// Adds the arguments and what every call of Cargo shares.
pub fn configure<'a>(command: &mut Command, arguments: impl IntoIterator<Item = &'a str>) {
    command.args(arguments);
    if root::in_ci() {
        // Incremental state is never used again there, and costs time and disk.
        command.env("CARGO_INCREMENTAL", "0");
    }
}

/// Whether `cargo NAME` is installed.
pub fn has(subcommand: &str) -> bool {
    Command::new(program())
        .args([subcommand, "--version"])
        .output()
        .is_ok_and(|answer| answer.status.success())
}
