//! `cargo xtask run`: the window with its gateway, or the headless node where there is no display.

use std::{ffi::OsString, process::Command};

use anyhow::{Context, Result};

use crate::{
    cargo::cargo,
    display, npm, packages,
    step::{Step, run_all, say},
};

/// Builds with optimisation and runs, with the caller's arguments.
pub fn run(arguments: Vec<OsString>) -> Result<()> {
    if display::available() {
        return open_window(arguments);
    }
    say(
        "There is no display (neither DISPLAY nor WAYLAND_DISPLAY is set): running the headless node instead.",
    );
    serve(arguments)
}

fn open_window(arguments: Vec<OsString>) -> Result<()> {
    run_all(packages::install(&[packages::WINDOW])?)?;
    run_all(npm::install(npm::UI)?)?;
    run_all(npm::build()?)?;
    let package = ["--release", "--package", "signalbox", "--bin", "signalbox"];
    build("building the app (minutes, the first time)", package)?;
    say("▸ opening the window");
    become_program(package, [], arguments)
}

fn serve(arguments: Vec<OsString>) -> Result<()> {
    run_all(packages::install(&[packages::NODE])?)?;
    let package = ["--release", "--package", "signalbox-node", "--bin", "signalbox-node"];
    build("building the headless node (minutes, the first time)", package)?;
    say("▸ signalbox-node serve (Ctrl-C stops it)");
    become_program(package, ["serve"], arguments)
}

fn build(what: &str, package: [&str; 5]) -> Result<()> {
    Step::new(what, cargo(["build"].into_iter().chain(package))).streamed_to_terminal().run()
}

fn become_program<const N: usize>(
    package: [&str; 5],
    first: [&str; N],
    arguments: Vec<OsString>,
) -> Result<()> {
    let mut command = cargo(["run", "--quiet"].into_iter().chain(package).chain(["--"]));
    command.args(first).args(arguments);
    replace_this_process(command)
}

/// On Unix the program takes this one's place, so that signals reach it alone and its exit status is the task's.
#[cfg(unix)]
fn replace_this_process(mut command: Command) -> Result<()> {
    use std::os::unix::process::CommandExt as _;

    Err(command.exec()).context("cannot start `cargo`")
}

#[cfg(not(unix))]
fn replace_this_process(mut command: Command) -> Result<()> {
    let status = command.status().context("cannot start `cargo`")?;
    anyhow::ensure!(status.success(), "ended with {status}");
    Ok(())
}
