//! The root of the repository: every task runs there.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

/// Makes the root of the repository the working directory, wherever the task was called from.
pub fn enter() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .find(|folder| folder.join("tauri.conf.json").exists() || folder.join(".ci").exists())
        .context("the root of the repository is not above this program's sources")?;
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
