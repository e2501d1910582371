//! `cargo xtask check`: the fast loop.

use anyhow::Result;

use crate::{
    cargo::cargo,
    npm, packages,
    report::Report,
    step::{Step, say},
};

/// Format, lints, types and rooms.
pub fn check() -> Result<()> {
    let mut report = Report::new();
    let ended = steps(&mut report);
    report.finish(ended)
}

/// `cargo fmt --check`.
pub fn format() -> Step {
    Step::new("format", cargo(["fmt", "--all", "--check"]))
}

/// Clippy over everything; a warning fails it.
pub fn lints() -> Step {
    Step::new("lints", cargo(["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]))
        .streamed_to_terminal()
}

fn steps(report: &mut Report) -> Result<()> {
    say("cargo xtask check: format, lints, types, rooms");
    report.must(packages::install(&[packages::WINDOW])?)?;
    report.must(npm::install(npm::UI)?)?;
    report.attempt(format());
    report.attempt(npm::script("types, lints and format of the interface", "check"));
    report.attempt(lints());
    let rooms = cargo(["test", "--workspace", "--test", "rooms", "--test", "tidy"]);
    report.attempt(Step::new("rooms and tidiness", rooms).streamed_to_terminal());
    Ok(())
}
