//! `cargo xtask test`: everything CI checks, from a fresh clone.
//!
//! The order is by what is needed next and by price: packages, the interface (the app embeds it), format, lints, one
//! compilation of all tests, the tests, the documentation. What others build on ends the task when it fails; other
//! failures are collected.

use anyhow::Result;

use crate::{
    cargo::{self, cargo},
    check, deny,
    display::Screen,
    npm, packages,
    report::Report,
    step::{Running, Step, say},
};

/// How much is tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// What fits into minutes.
    Normal,
    /// Scaled-up counts: `SIGNALBOX_NIGHTLY=1`.
    Nightly,
}

/// Checks everything.
pub fn test(extent: Extent) -> Result<()> {
    let mut report = Report::new();
    let ended = steps(&mut report, extent);
    report.finish(ended)
}

fn steps(report: &mut Report, extent: Extent) -> Result<()> {
    say("cargo xtask test: everything CI checks");
    report.must(packages::install(&[packages::WINDOW, packages::SCREEN, packages::TEST])?)?;
    let deny = deny::install().map(Step::start).transpose()?;

    report.must(npm::install(npm::UI)?)?;
    report.must(npm::install(npm::CLIENTS)?)?;
    report.attempt(npm::script("types, lints and format of the interface", "check"));
    report.attempt(npm::script("tests of the interface", "test"));
    report.must(npm::build()?)?;

    report.attempt(check::format());
    report.attempt(check::lints());
    rust_tests(report, extent)?;
    report.attempt(Step::new("examples in the documentation", cargo(["test", "--workspace", "--doc"])));
    report.attempt(documentation());
    dependencies(report, deny);
    Ok(())
}

fn rust_tests(report: &mut Report, extent: Extent) -> Result<()> {
    let profile = match extent {
        Extent::Normal => "ci",
        Extent::Nightly => "nightly",
    };
    let runner: &[&str] = if cargo::has("nextest") {
        &["nextest", "run", "--workspace", "--profile", profile]
    } else {
        say("  cargo-nextest is not installed: `cargo test` runs the tests, one program after the other");
        // Naming the kinds of targets leaves out the documentation's examples, which have a step of their own.
        &["test", "--workspace", "--lib", "--bins", "--tests", "--examples", "--no-fail-fast"]
    };
    let compile = cargo(runner.iter().copied().chain(["--no-run"]));
    report.must([Step::new("compiling the tests", compile).streamed_to_terminal()])?;

    let screen = Screen::start()?;
    let mut command = screen.cargo(runner.iter().copied());
    if extent == Extent::Nightly {
        command.env("SIGNALBOX_NIGHTLY", "1");
    }
    report.attempt(Step::new("tests", command).streamed());
    Ok(())
}

fn documentation() -> Step {
    // The readers are maintainers: private items are documented too.
    // Naming kinds of targets, examples among them, makes Cargo choose the same features as for the tests.
    let mut command = cargo([
        "doc",
        "--workspace",
        "--no-deps",
        "--document-private-items",
        "--lib",
        "--bins",
        "--examples",
    ]);
    command.env("RUSTDOCFLAGS", "--deny warnings --allow rustdoc::private_intra_doc_links");
    Step::new("documentation", command)
}

fn dependencies(report: &mut Report, deny: Option<Running>) {
    let there = deny.is_none_or(|running| report.join(running));
    if there {
        report.attempt(deny::check());
    }
}
