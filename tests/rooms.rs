//! The rooms of `ARCHITECTURE.md`: which crate may use which, and what each must not contain.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod tree;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use tree::{assert_none, root, text_files};

/// A crate, those of ours it may use, and the others it must not.
struct Room {
    name: &'static str,
    ours: &'static [&'static str],
    banned: &'static [&'static str],
}

const ROOMS: &[Room] = &[
    Room { name: "signalbox-core", ours: &[], banned: &["tokio", "sqlx", "axum", "reqwest", "tauri"] },
    Room { name: "signalbox-store", ours: &["signalbox-core"], banned: &["axum", "tauri", "reqwest"] },
    Room { name: "signalbox-providers", ours: &["signalbox-core"], banned: &["axum", "tauri", "sqlx"] },
    Room { name: "signalbox-simulator", ours: &["signalbox-core"], banned: &["tauri", "sqlx"] },
    Room {
        name: "signalbox-engine",
        ours: &["signalbox-core", "signalbox-store", "signalbox-providers"],
        banned: &["axum", "tauri", "sqlx"],
    },
    Room {
        name: "signalbox-app",
        ours: &["signalbox-core", "signalbox-store", "signalbox-engine"],
        banned: &["axum", "tauri", "sqlx"],
    },
    Room {
        name: "signalbox-gateway",
        ours: &["signalbox-core", "signalbox-engine", "signalbox-app"],
        banned: &["sqlx", "tauri"],
    },
    Room { name: "signalbox-node", ours: COMPOSED, banned: &["sqlx", "tauri"] },
    Room { name: "signalbox", ours: COMPOSED, banned: &["sqlx"] },
    Room { name: TESTKIT, ours: COMPOSED, banned: &["tauri"] },
    Room { name: "xtask", ours: &[], banned: &["tokio", "sqlx", "axum", "reqwest", "tauri"] },
];

/// What node, shell and testkit may put together.
const COMPOSED: &[&str] = &[
    "signalbox-core",
    "signalbox-store",
    "signalbox-providers",
    "signalbox-simulator",
    "signalbox-engine",
    "signalbox-app",
    "signalbox-gateway",
];

const TESTKIT: &str = "signalbox-testkit";

/// This file, and the test that plays somebody who writes past the store.
const OUTSIDE_THE_STORE: [&str; 2] = ["tests/rooms.rs", "tests/locked_toggles.rs"];

/// A dependency as a manifest declares it.
struct Edge {
    from: String,
    to: String,
    kind: Kind,
    /// `Cargo.toml:12`
    place: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Normal,
    Build,
    Dev,
}

#[test]
fn every_crate_is_a_room_of_the_table() {
    let mut crates: Vec<String> = packages().iter().map(|package| text(package, "name").to_owned()).collect();
    let mut rooms: Vec<String> = ROOMS.iter().map(|room| room.name.to_owned()).collect();
    crates.sort();
    rooms.sort();
    assert_eq!(crates, rooms, "a new crate needs its line in ARCHITECTURE.md and in ROOMS");
}

#[test]
fn crates_use_only_the_rooms_the_table_gives_them() {
    let findings: Vec<String> = edges()
        .iter()
        .filter(|edge| edge.kind != Kind::Dev && ROOMS.iter().any(|room| room.name == edge.to))
        .filter(|edge| !room(&edge.from).ours.contains(&edge.to.as_str()))
        .map(|edge| format!("{}: {} uses {}", edge.place, edge.from, edge.to))
        .collect();
    assert_none(&findings, "These rooms have no door between them (ARCHITECTURE.md):");
}

#[test]
fn crates_keep_out_what_does_not_belong_in_them() {
    let findings: Vec<String> = edges()
        .iter()
        .filter(|edge| edge.kind != Kind::Dev)
        .filter(|edge| room(&edge.from).banned.iter().any(|banned| is_family(&edge.to, banned)))
        .map(|edge| format!("{}: {} must not contain {}", edge.place, edge.from, edge.to))
        .collect();
    assert_none(&findings, "These dependencies do not belong in their room (ARCHITECTURE.md):");
}

#[test]
fn the_testkit_never_ships() {
    let findings: Vec<String> = edges()
        .iter()
        .filter(|edge| edge.to == TESTKIT && edge.kind != Kind::Dev)
        .map(|edge| format!("{}: {} has it as a {:?} dependency", edge.place, edge.from, edge.kind))
        .collect();
    assert_none(&findings, "The testkit is for [dev-dependencies] only:");
}

#[test]
fn sql_text_exists_only_in_the_store() {
    let findings: Vec<String> = text_files()
        .iter()
        .filter(|file| file.has_extension(&["rs"]))
        .filter(|file| {
            !file.path.starts_with("src-tauri/crates/signalbox-store/")
                && !OUTSIDE_THE_STORE.contains(&file.path.as_str())
        })
        .flat_map(|file| {
            file.lines()
                .filter(|(_, line)| !line.trim_start().starts_with("//") && is_sql(line))
                .map(|(number, line)| format!("{}:{number}: {}", file.path, line.trim()))
                .collect::<Vec<_>>()
        })
        .collect();
    assert_none(&findings, "SQL belongs in signalbox-store:");
}

#[test]
fn every_crate_has_the_licence_and_is_never_published() {
    let findings: Vec<String> = packages()
        .iter()
        .filter(|package| {
            let licensed = package["license"].as_str() == Some("Apache-2.0");
            let published = package["publish"].as_array().is_none_or(|registries| !registries.is_empty());
            !licensed || published
        })
        .map(|package| format!("{}:1: {}", relative(manifest(package)), text(package, "name")))
        .collect();
    assert_none(&findings, "license.workspace = true and publish.workspace = true are missing:");
}

fn room(name: &str) -> &'static Room {
    ROOMS.iter().find(|room| room.name == name).unwrap_or_else(|| panic!("{name} has no line in ROOMS"))
}

/// `tauri` also bans `tauri-plugin-opener`.
fn is_family(name: &str, banned: &str) -> bool {
    name.strip_prefix(banned).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

fn is_sql(line: &str) -> bool {
    let begins_statement =
        ["SELECT ", "INSERT INTO ", "DELETE FROM "].iter().any(|words| line.contains(words));
    let updates = line.split_once("UPDATE ").is_some_and(|(_, rest)| rest.contains(" SET "));
    begins_statement || updates
}

fn edges() -> Vec<Edge> {
    packages()
        .iter()
        .flat_map(|package| {
            package["dependencies"].as_array().unwrap().iter().map(|dependency| {
                let name = text(dependency, "name");
                Edge {
                    from: text(package, "name").to_owned(),
                    to: name.to_owned(),
                    kind: match dependency["kind"].as_str() {
                        None => Kind::Normal,
                        Some("build") => Kind::Build,
                        Some("dev") => Kind::Dev,
                        Some(other) => panic!("unknown kind of dependency: {other}"),
                    },
                    place: place(manifest(package), name),
                }
            })
        })
        .collect()
}

/// The workspace's packages, as `cargo metadata` describes them.
fn packages() -> Vec<Value> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let answer = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(answer.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&answer.stderr));
    let metadata: Value = serde_json::from_slice(&answer.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

fn manifest(package: &Value) -> &Path {
    Path::new(text(package, "manifest_path"))
}

/// The line of the manifest that declares the dependency.
fn place(manifest: &Path, dependency: &str) -> String {
    let text = fs::read_to_string(manifest).unwrap();
    let line = text.lines().position(|line| is_declaration(line, dependency));
    format!("{}:{}", relative(manifest), line.map_or(1, |index| index + 1))
}

fn is_declaration(line: &str, dependency: &str) -> bool {
    line.strip_prefix(dependency).is_some_and(|rest| rest.starts_with(['.', ' ', '=']))
}

fn relative(path: &Path) -> String {
    let path = path.strip_prefix(root()).map_or_else(|_| path.to_owned(), PathBuf::from);
    path.display().to_string()
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap()
}
