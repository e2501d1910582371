//! Prepares what the desktop shell embeds: the permissions of the window, and the built interface.
//!
//! Cargo runs this with the root of the repository as the working directory, because the root package *is* the
//! desktop package. Tauri expects its folders beside `tauri.conf.json`; ours live in `src-tauri/`, so the patterns are
//! given here and the schemas it generates are moved there.

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
};

use tauri_build::{AppManifest, Attributes};

include!("src/command_names.rs");

const CAPABILITIES: &str = "src-tauri/capabilities";
const UI_DIST: &str = "ui/dist";

/// Shown when the interface has not been built, so that `cargo build` alone works.
const PLACEHOLDER: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Signalbox</title></head>\
<body><main id=\"not-built\"><h1>The interface has not been built</h1><p>Run <code>cargo xtask run</code>, \
or <code>npm ci &amp;&amp; npm run build</code> in <code>ui/</code>, then build again.</p></main></body></html>\n";

fn main() -> Result<(), Box<dyn Error>> {
    for path in [CAPABILITIES, UI_DIST, "src-tauri/icons", "src-tauri/src/command_names.rs"] {
        println!("cargo:rerun-if-changed={path}");
    }
    ensure_ui()?;
    tauri_build::try_build(
        Attributes::new()
            .capabilities_path_pattern("./src-tauri/capabilities/**/*")
            .app_manifest(AppManifest::new().commands(COMMANDS)),
    )?;
    move_generated(Path::new("gen"), Path::new("src-tauri/gen"))?;
    Ok(())
}

fn ensure_ui() -> Result<(), Box<dyn Error>> {
    let index = PathBuf::from(UI_DIST).join("index.html");
    if !index.exists() {
        fs::create_dir_all(UI_DIST)?;
        fs::write(index, PLACEHOLDER)?;
    }
    Ok(())
}

/// Moves Tauri's generated schemas under `src-tauri`, where editors look for them and git ignores them.
fn move_generated(from: &Path, to: &Path) -> Result<(), Box<dyn Error>> {
    if !from.exists() {
        return Ok(());
    }
    copy_tree(from, to)?;
    fs::remove_dir_all(from)?;
    Ok(())
}

fn copy_tree(from: &Path, to: &Path) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
