//! cargo-deny: licences, banned crates and sources of all dependencies (`deny.toml`).

use std::process::Command;

use crate::{cargo, step::Step};

/// The version the configuration is written for.
const VERSION: &str = "0.20.2";

/// The step that builds cargo-deny; nothing when it is there.
///
/// It takes minutes and nothing else needs it, so it is started beside the other steps and gets what they leave of
/// the processor.
pub fn install() -> Option<Step> {
    if cargo::has("deny") {
        return None;
    }
    let mut command = if cfg!(unix) { Command::new("nice") } else { Command::new(cargo::program()) };
    if cfg!(unix) {
        command.args(["-n", "19"]).arg(cargo::program());
    }
    command
        .args(["install", "--locked", "cargo-deny", "--version", VERSION])
        // In the shared folder it would wait for every other build.
        .env_remove("CARGO_TARGET_DIR");
    Some(Step::new("installing cargo-deny", command))
}

/// The step that checks the dependencies.
pub fn check() -> Step {
    // Its warnings, thousands of lines on crates present in two versions, would bury the error.
    let arguments = ["deny", "--log-level", "error", "--workspace", "check", "licenses", "bans", "sources"];
    Step::new("licences and sources of the dependencies", cargo::cargo(arguments))
}
