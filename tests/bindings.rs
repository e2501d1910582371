//! The TypeScript of commands and events is generated, checked in and never stale; and the window may call exactly them.

#![expect(clippy::unwrap_used, reason = "tests stop at the first fault")]

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

/// What only the small window for quick approvals calls.
const QUICK_ONLY: [&str; 3] = ["quick_approve", "quick_close", "queue_open"];

/// What it calls besides: to see the queue, to say no, and to take either back. Nothing else.
const QUICK_TOO: [&str; 4] = ["approvals_page", "approval_show", "approval_reject", "approval_undo"];

#[test]
fn every_command_is_granted_to_the_window_one_by_one_and_nothing_else_is() {
    let main = signalbox_desktop::COMMANDS.iter().copied().filter(|name| !QUICK_ONLY.contains(name));
    assert_eq!(granted_to("main"), permissions(main));
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let bindings = std::fs::read_to_string(root.join(CHECKED_IN)).unwrap();
    let calls = bindings.matches("__TAURI_INVOKE(\"").count();
    assert_eq!(calls, signalbox_desktop::COMMANDS.len(), "the bindings call exactly the granted commands");
    for name in signalbox_desktop::COMMANDS {
        assert!(bindings.contains(&format!("__TAURI_INVOKE(\"{name}\"")), "{name} is not in the bindings");
    }
}

#[test]
fn the_small_window_may_only_see_the_queue_and_decide_what_is_of_low_risk() {
    assert_eq!(granted_to("quick"), permissions(QUICK_ONLY.into_iter().chain(QUICK_TOO)));
}

/// The permissions of a window, in order.
fn granted_to(window: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src-tauri/capabilities/{window}.json"));
    let capability: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(capability.get("remote").is_none(), "no foreign page may call commands");
    assert_eq!(capability["windows"], serde_json::json!([window]));
    let mut granted: Vec<String> = serde_json::from_value(capability["permissions"].clone()).unwrap();
    granted.sort_unstable();
    granted
}

/// To call these commands and to hear of events, in order.
fn permissions<'a>(commands: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut names: Vec<String> = commands.map(|name| format!("allow-{}", name.replace('_', "-"))).collect();
    names.extend(["core:event:allow-listen", "core:event:allow-unlisten"].map(str::to_owned));
    names.sort_unstable();
    names
}
