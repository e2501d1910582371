//! The root of the repository: every task runs there.

use std::{env, path::PathBuf};

use anyhow::{Context, Result};

/// Makes the root of the repository the working directory, wherever in it the task was called.
///
/// Asked of the caller's folder, not remembered from the build: several clones may share one target folder.
pub fn enter() -> Result<()> {
    let here = env::current_dir().context("cannot tell the working directory")?;
    let root = here
        .ancestors()
        .find(|folder| folder.join("tauri.conf.json").exists())
        .with_context(|| format!("{} is not in a clone of Signalbox", here.display()))?;
    env::set_current_dir(root).with_context(|| format!("cannot enter {}", root.display()))
}

/// Where the output of each quiet step is kept.
pub fn logs() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from).join("xtask")
}

/// Whether nobody is there to answer a question.
pub fn in_ci() -> bool {
    env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false")
}
