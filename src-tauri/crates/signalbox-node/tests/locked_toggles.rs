//! No command of this program, with everything it takes, and no environment variable it reads switches a locked toggle.
//!
//! The commands are those of the grammar itself and the variables those of the sources, so that a new one is tried too.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at the first fault"
)]

#[expect(dead_code, reason = "shared with the tests of the command line")]
mod support;

use std::collections::BTreeSet;
use std::path::Path;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command, CommandFactory};
use serde_json::Value;
use signalbox_core::toggle::{Toggle, Toggles, tampered};
use signalbox_node::cli::Cli;
use signalbox_store::{Durability, Store};
use support::{Ended, Installation, finish, program};

/// What a line names until the name of a toggle stands there.
const NAME: &str = "a_locked_toggle";
/// `serve` does not end by itself.
const ENDLESS: &str = "serve";
/// With these a command changes nothing.
const HARMLESS: [&str; 4] = ["dry_run", "json", "help", "version"];

/// How a line is filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Filling {
    /// With the toggle's name wherever there is room for text, and the first of some words.
    Names,
    /// With the toggle's name first and `true` after it, the last of some words, and what excludes what came before.
    Switches,
}

/// Every command that does something.
fn leaves<'a>(command: &'a Command, path: &[&'a str], found: &mut Vec<(Vec<String>, &'a Command)>) {
    if !command.has_subcommands() {
        found.push((path.iter().map(|word| (*word).to_owned()).collect(), command));
    }
    for next in command.get_subcommands().filter(|next| next.get_name() != "help") {
        leaves(next, &[path, &[next.get_name()]].concat(), found);
    }
}

/// A line of a command with as much as it takes.
fn line_of(path: &[String], command: &Command, filling: Filling) -> Vec<String> {
    let taken = |arg: &&Arg| !HARMLESS.contains(&arg.get_id().as_str()) && !arg.is_global_set();
    let mut args: Vec<&Arg> = command.get_arguments().filter(taken).collect();
    if filling == Filling::Switches {
        args.reverse();
    }
    // What stands for itself by its place comes first, in its place.
    args.sort_by_key(|arg| arg.get_index().unwrap_or(usize::MAX));
    let mut line =
        completed(path.to_vec(), &args, filling).unwrap_or_else(|| panic!("{path:?} cannot be filled"));
    for arg in &args {
        let longer = [line.clone(), said(arg, filling)].concat();
        if let Some(longer) = completed(longer, &args, filling) {
            line = longer;
        }
    }
    line
}

/// The line with what it must have besides, if there is such a line.
fn completed(mut line: Vec<String>, args: &[&Arg], filling: Filling) -> Option<Vec<String>> {
    for _ in 0..=args.len() {
        let Err(error) = Cli::command().no_binary_name(true).try_get_matches_from(&line) else {
            return Some(line);
        };
        if error.kind() != ErrorKind::MissingRequiredArgument {
            return None;
        }
        let missing = match error.get(ContextKind::InvalidArg)? {
            ContextValue::Strings(names) => names.clone(),
            ContextValue::String(name) => vec![name.clone()],
            _ => return None,
        };
        let bare = |name: &str| name.replace(['<', '>', '[', ']'], "");
        let missing: Vec<String> = missing.iter().map(|name| bare(name)).collect();
        let known = args.iter().filter(|arg| missing.contains(&bare(&arg.to_string())));
        let more: Vec<String> = known.flat_map(|arg| said(arg, filling)).collect();
        if more.is_empty() {
            return None;
        }
        line.extend(more);
    }
    None
}

/// An argument as it is written.
fn said(arg: &Arg, filling: Filling) -> Vec<String> {
    let flag = arg.get_long().map(|long| format!("--{long}"));
    if matches!(arg.get_action(), ArgAction::SetTrue) {
        return flag.into_iter().collect();
    }
    let words = arg.get_possible_values();
    let word = match filling {
        Filling::Names => words.first(),
        Filling::Switches => words.last(),
    };
    let text = if filling == Filling::Names || arg.get_index() == Some(1) { NAME } else { "true" };
    let value = word.map_or(text, |word| word.get_name());
    let value = [value, "1"].into_iter().find(|value| is_taken(arg, value)).unwrap_or(value).to_owned();
    // What begins with a dash would be a flag.
    match flag {
        Some(flag) => vec![format!("{flag}={value}")],
        None => vec![value],
    }
}

/// Whether an argument can be of that value.
fn is_taken(arg: &Arg, value: &str) -> bool {
    let alone = Arg::new("value").value_parser(arg.get_value_parser().clone());
    Command::new("alone").no_binary_name(true).arg(alone).try_get_matches_from([value]).is_ok()
}

async fn run(installation: &Installation, line: &[String], variable: Option<(&str, &str)>) -> Ended {
    let mut command = program(installation.path());
    // What it writes out lands beside its data.
    command.args(line).current_dir(installation.path()).envs(variable);
    finish(command, "").await
}

/// An installation, and what its database says of toggles.
async fn installed() -> (Installation, Store) {
    let installation = Installation::new();
    installation.ok(&["toggles", "list"]).await;
    let file = installation.file("signalbox.sqlite");
    let store = Store::open_sqlite(&file, Durability::Process).await.unwrap();
    (installation, store)
}

async fn assert_all_hold(store: &Store, after: &str) {
    let stored = store.toggles().await.unwrap();
    assert!(tampered(&stored).is_empty(), "after {after}");
    for locked in Toggle::locked() {
        assert_eq!(Toggles::of(&stored).is_on(locked.toggle(), None), locked.value(), "after {after}");
    }
}

#[tokio::test]
async fn no_command_with_anything_it_takes_switches_a_locked_toggle() {
    let (installation, store) = installed().await;
    let mut grammar = Cli::command();
    grammar.build();
    let mut commands = Vec::new();
    leaves(&grammar, &[], &mut commands);
    assert!(commands.len() > 50, "the grammar is read");
    let ending = commands.iter().filter(|(path, _)| path[0] != ENDLESS);
    let lines: BTreeSet<Vec<String>> = ending
        .flat_map(|(path, command)| {
            [Filling::Names, Filling::Switches].map(|filling| line_of(path, command, filling))
        })
        .collect();
    println!("{} lines of {} commands", lines.len(), commands.len() - 1);
    for line in &lines {
        for locked in Toggle::locked() {
            let name = locked.toggle().name();
            let line: Vec<String> = line.iter().map(|word| word.replace(NAME, name)).collect();
            let ended = run(&installation, &line, None).await;
            assert!((0..=5).contains(&ended.code), "{line:?} ends as it should: {ended:?}");
            assert_all_hold(&store, &format!("{line:?}")).await;
        }
    }
    // What names one outright is refused by its name.
    for locked in Toggle::locked() {
        let name = locked.toggle().name();
        for position in ["on", "off", "default"] {
            let ended = installation.run(&["toggles", "set", name, position]).await;
            assert_eq!(ended.code, 4, "{ended:?}");
            assert!(ended.err.contains("locked in the build") && ended.err.contains(name), "{ended:?}");
        }
        assert_eq!(installation.run(&["settings", "set", name, "true"]).await.code, 3);
    }
    assert_all_hold(&store, "naming them").await;
    let _serving = installation.serve(&["--simulator", "off"]).await;
    assert_all_hold(&store, ENDLESS).await;
}

/// What the sources read from the environment by a name that is not written there: (as it stands there, the variable).
const READ: [(&str, &str); 3] = [
    ("PASSPHRASE_VARIABLE", "SIGNALBOX_PASSPHRASE"),
    ("ENVIRONMENT_VARIABLE", "SIGNALBOX_MASTER_KEY"),
    // Whatever a provider's credential is said to be in.
    ("variable", "SOME_CREDENTIAL"),
];

/// Every environment variable that the program reads.
fn variables() -> BTreeSet<String> {
    let mut grammar = Cli::command();
    grammar.build();
    let mut commands = Vec::new();
    leaves(&grammar, &[], &mut commands);
    let args =
        commands.iter().flat_map(|(_, command)| command.get_arguments()).chain(grammar.get_arguments());
    let mut found: BTreeSet<String> =
        args.filter_map(|arg| arg.get_env()?.to_str().map(str::to_owned)).collect();
    // Read by the library that filters the log.
    found.insert("RUST_LOG".to_owned());
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for name in ["core", "store", "providers", "simulator", "engine", "app", "gateway", "node"] {
        read_by(&crates.join(format!("signalbox-{name}/src")), &mut found);
    }
    found
}

fn read_by(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.file_stem().is_some_and(|name| name == "tests") {
            continue;
        }
        if path.is_dir() {
            read_by(&path, found);
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for call in ["env::var(", "env::var_os("] {
            for read in text.split(call).skip(1) {
                let read = read.split(')').next().unwrap();
                let known = READ.iter().find(|(written, _)| *written == read);
                let (_, name) =
                    known.unwrap_or_else(|| panic!("{} reads {read}: say which in READ", path.display()));
                found.insert((*name).to_owned());
            }
        }
    }
}

#[tokio::test]
async fn no_environment_variable_switches_a_locked_toggle() {
    let (installation, store) = installed().await;
    let known = variables();
    assert!(known.len() >= 8, "the sources are read: {known:?}");
    for locked in Toggle::locked() {
        let name = locked.toggle().name();
        let loud = name.to_uppercase();
        let invented = [loud.clone(), format!("SIGNALBOX_{loud}"), format!("SIGNALBOX_TOGGLE_{loud}")];
        for variable in known.iter().chain(&invented) {
            for value in [name, "true", &format!("{name}=true")] {
                let line = ["toggles", "list", "--json"].map(str::to_owned);
                let ended = run(&installation, &line, Some((variable, value))).await;
                assert!((0..=5).contains(&ended.code), "{variable}={value}: {ended:?}");
                if ended.code == 0 {
                    let toggles: Value = serde_json::from_str(&ended.out).unwrap();
                    let toggles = toggles.as_array().unwrap();
                    let shown = toggles.iter().find(|toggle| toggle["name"] == name).unwrap();
                    assert_eq!(shown["enabled"], locked.value(), "{variable}={value}");
                }
                assert_all_hold(&store, &format!("{variable}={value}")).await;
            }
        }
    }
}
