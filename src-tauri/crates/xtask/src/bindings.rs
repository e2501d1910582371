//! `cargo xtask bindings`: the TypeScript of commands and DTOs, written anew.

use anyhow::Result;

use crate::{
    cargo::cargo,
    packages,
    step::{Step, run_all},
};

/// Runs the test that guards the bindings, told to write them.
pub fn bindings() -> Result<()> {
    run_all(packages::install(&[packages::WINDOW])?)?;
    let mut command = cargo(["test", "--workspace", "--test", "bindings"]);
    command.env("UPDATE_BINDINGS", "1");
    Step::new("writing ui/src/bindings", command).streamed_to_terminal().run()
}
