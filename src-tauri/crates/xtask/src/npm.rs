//! npm projects: their packages, and the built interface.
//!
//! What is there and newer than its sources is left alone, so that a second call costs nothing.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
};

use anyhow::{Context, Result, bail};

use crate::step::Step;

/// The interface.
pub const UI: &str = "ui";
/// The vendors' official JavaScript clients, driven by the tests.
pub const CLIENTS: &str = "tests/clients";

const PROGRAM: &str = if cfg!(windows) { "npm.cmd" } else { "npm" };
/// What the built interface is made of; the packages are named by the lock file.
const UI_SOURCES: [&str; 6] =
    ["src", "index.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.ts"];

/// The steps that install a project's packages; nothing when they are there.
pub fn install(project: &str) -> Result<Vec<Step>> {
    let folder = Path::new(project);
    // npm writes this file last.
    let installed = modified(&folder.join("node_modules/.package-lock.json"));
    let wanted = modified(&folder.join("package-lock.json")).max(modified(&folder.join("package.json")));
    if installed.is_some() && installed >= wanted {
        return Ok(Vec::new());
    }
    ensure_npm()?;
    let command = npm(project, &["ci", "--no-audit", "--no-fund"]);
    Ok(vec![Step::new(format!("installing the npm packages of {project}"), command)])
}

/// The steps that build the interface; nothing when the built one is newer than its sources.
pub fn build() -> Result<Vec<Step>> {
    let folder = Path::new(UI);
    let mut newest = None;
    for source in UI_SOURCES {
        newest = newest.max(newest_below(&folder.join(source))?);
    }
    // The folder is made anew by each build, and the placeholder of build.rs has none.
    let built = modified(&folder.join("dist/assets"));
    if built.is_some() && built >= newest {
        return Ok(Vec::new());
    }
    Ok(vec![script("building the interface", "build")])
}

/// The step that runs a script of the interface.
pub fn script(what: &str, name: &str) -> Step {
    Step::new(what, npm(UI, &["run", name]))
}

fn npm(project: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).current_dir(project);
    command
}

fn ensure_npm() -> Result<()> {
    if Command::new(PROGRAM).arg("--version").output().is_ok_and(|answer| answer.status.success()) {
        return Ok(());
    }
    bail!(
        "npm was not found. Install Node.js 20 or newer, which brings npm: https://nodejs.org/en/download, \
         or on Debian and Ubuntu `apt-get install nodejs npm`; then call this again"
    );
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|data| data.modified()).ok()
}

/// The newest time of a file, or of anything below a folder; folders count, because they tell of removed files.
fn newest_below(path: &Path) -> Result<Option<SystemTime>> {
    let mut newest = modified(path);
    let mut folders: Vec<PathBuf> = if path.is_dir() { vec![path.to_owned()] } else { Vec::new() };
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?;
        for entry in entries {
            let found = entry.with_context(|| format!("cannot list {}", folder.display()))?.path();
            newest = newest.max(modified(&found));
            if found.is_dir() {
                folders.push(found);
            }
        }
    }
    Ok(newest)
}
