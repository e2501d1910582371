//! The TypeScript of commands and events is generated, checked in and never stale; and the window may call exactly them.

use std::path::Path;

const CHECKED_IN: &str = "ui/src/bindings/index.ts";

#[test]
fn the_checked_in_bindings_are_those_of_the_commands() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE_BINDINGS").is_some() {
        signalbox_desktop::export_bindings(&root.join(CHECKED_IN)).unwrap();
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let fresh = folder.path().join("index.ts");
    signalbox_desktop::export_bindings(&fresh).unwrap();
    let read = |path: &Path| std::fs::read_to_string(path).unwrap();
    assert!(
        read(&fresh) == read(&root.join(CHECKED_IN)),
        "{CHECKED_IN} is stale: run `cargo xtask bindings` and commit it"
    );
}

#[test]
fn every_command_is_granted_to_the_window_one_by_one_and_nothing_else_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("src-tauri/capabilities/main.json")).unwrap();
    let capability: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut granted: Vec<&str> =
        capability["permissions"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    let names = signalbox_desktop::COMMANDS.iter().map(|name| format!("allow-{}", name.replace('_', "-")));
    let mut expected: Vec<String> = names.collect();
    expected.extend(["core:event:allow-listen", "core:event:allow-unlisten"].map(str::to_owned));
    granted.sort_unstable();
    expected.sort_unstable();
    assert_eq!(granted, expected);
    assert!(capability.get("remote").is_none(), "no foreign page may call commands");
    let bindings = std::fs::read_to_string(root.join(CHECKED_IN)).unwrap();
    let calls = bindings.matches("__TAURI_INVOKE(\"").count();
    assert_eq!(calls, signalbox_desktop::COMMANDS.len(), "the bindings call exactly the granted commands");
    for name in signalbox_desktop::COMMANDS {
        assert!(bindings.contains(&format!("__TAURI_INVOKE(\"{name}\"")), "{name} is not in the bindings");
    }
}
