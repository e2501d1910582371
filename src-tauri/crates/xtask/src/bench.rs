//! `cargo xtask bench`: what the gateway adds to a call, and what becomes of a thousand streams in an outage.

use anyhow::Result;

use crate::{
    cargo::cargo,
    packages,
    step::{Step, run_all},
};

/// Builds with full optimisation and measures; the benchmark prints one table.
pub fn bench() -> Result<()> {
    run_all(packages::install(&[packages::NODE])?)?;
    let target = ["--package", "signalbox-node", "--bench", "gateway", "--bench", "storm"];
    let build = cargo(["bench", "--no-run"].into_iter().chain(target));
    Step::new("compiling the benchmark with optimisation", build).streamed_to_terminal().run()?;
    Step::new("measuring", cargo(["bench"].into_iter().chain(target))).streamed().run()
}
