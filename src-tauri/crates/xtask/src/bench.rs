//! `cargo xtask bench`: what the gateway adds to a call, what becomes of a thousand streams in an outage, and how long a
//! decision and the registry's look-up take.

use anyhow::Result;

use crate::{
    cargo::cargo,
    packages,
    step::{Step, run_all},
};

/// What is measured: package and benchmark. The smallest first.
const MEASURED: [(&str, &str); 3] =
    [("signalbox-core", "decide"), ("signalbox-providers", "registry"), ("signalbox-node", "gateway")];

/// Builds with full optimisation and measures; each benchmark prints one table.
pub fn bench() -> Result<()> {
    run_all(packages::install(&[packages::NODE])?)?;
    for (package, name) in MEASURED {
        let build = cargo(["bench", "--no-run", "--package", package, "--bench", name]);
        Step::new(format!("compiling {name} with optimisation"), build).streamed_to_terminal().run()?;
    }
    for (package, name) in MEASURED {
        Step::new(format!("measuring {name}"), cargo(["bench", "--package", package, "--bench", name]))
            .streamed()
            .run()?;
    }
    Ok(())
}
