//! Tidiness that no compiler checks. Each finding names its file and line.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod tree;

use tree::{TextFile, assert_none, text_files};

/// A file is one noun; beyond this it is two.
const LINES_MAX: usize = 600;

#[test]
fn a_source_file_is_short_enough_to_be_one_noun() {
    let findings: Vec<String> = sources()
        .iter()
        .filter(|file| file.has_extension(&["rs", "ts", "tsx"]) && file.lines().count() > LINES_MAX)
        .map(|file| format!("{}:{}: {} lines", file.path, LINES_MAX + 1, file.lines().count()))
        .collect();
    assert_none(&findings, "These files have grown beyond one noun; split them:");
}

#[test]
fn no_file_knows_the_machine_it_was_written_on() {
    // Written so that this file does not find itself.
    let folders = ["work", "farm", "root"].map(|name| format!("/{name}/"));
    let findings = find(&text_files(), |_, line| folders.iter().any(|folder| names_path(line, folder)));
    assert_none(&findings, "Paths of one machine:");
}

#[test]
fn packages_come_from_the_public_registries_by_their_public_names() {
    let findings = find(&text_files(), |file, line| {
        let line = line.trim();
        match file.path.rsplit('/').next().unwrap() {
            "Cargo.lock" => {
                line.starts_with("source = ")
                    && line != "source = \"registry+https://github.com/rust-lang/crates.io-index\""
            }
            "package-lock.json" => {
                line.starts_with("\"resolved\": ") && !line.contains("\"https://registry.npmjs.org/")
            }
            ".npmrc" => line.contains("registry") && line.contains("//"),
            "config.toml" => line.starts_with("replace-with") || line.starts_with("registry ="),
            "requirements.txt" => line.contains("index-url"),
            _ => false,
        }
    });
    assert_none(&findings, "Packages must come from crates.io, the npm registry and PyPI:");
}

#[test]
fn nothing_is_left_for_later_in_the_code() {
    let words = ["TO\u{44}O", "FIX\u{4d}E", "X\u{58}X"];
    let calls = ["to\u{64}o!(", "un\u{69}mplemented!(", "d\u{62}g!("];
    let findings = find(&sources(), |file, line| {
        words.iter().any(|word| has_word(line, word))
            || file.has_extension(&["rs"]) && calls.iter().any(|call| line.contains(call))
    });
    assert_none(&findings, "Left-overs:");
}

#[test]
fn no_float_comes_near_money() {
    let money = ["usd", "cost", "price", "spend", "budget", "money"];
    let findings = find(&sources(), |file, line| {
        let float = has_word(line, "f32") || has_word(line, "f64");
        let line = line.to_lowercase();
        file.path.starts_with("src-tauri/")
            && file.has_extension(&["rs"])
            && float
            && money.iter().any(|word| line.contains(word))
    });
    assert_none(&findings, "Money is integer nano-dollars:");
}

/// The code people write: neither generated files nor recorded ones.
fn sources() -> Vec<TextFile> {
    let mut files = text_files();
    files.retain(|file| {
        file.has_extension(&["rs", "ts", "tsx", "mjs", "py"])
            && !file.path.split('/').any(|part| part == "bindings" || part == "gen")
    });
    files
}

fn find(files: &[TextFile], is_wrong: impl Fn(&TextFile, &str) -> bool) -> Vec<String> {
    let mut findings = Vec::new();
    for file in files {
        for (number, line) in file.lines() {
            if is_wrong(file, line) {
                findings.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
    }
    findings
}

/// Whether the line names a path below this top folder, not merely a longer path with the same part.
fn names_path(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|letter| !letter.is_ascii_alphanumeric() && !matches!(letter, '.' | '_' | '-'))
    })
}

/// Whether the line has these letters as a word of their own.
fn has_word(line: &str, word: &str) -> bool {
    let joins = |letter: char| letter.is_alphanumeric() || letter == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !before.is_some_and(joins) && !after.is_some_and(joins)
    })
}
