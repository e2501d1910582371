//! System packages: what the build and the tests need beyond Rust and Node.js.
//!
//! Installed on Debian and its relatives; elsewhere the person is told what is needed.

use std::{
    collections::HashSet,
    io::{self, BufRead, IsTerminal},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::{
    root,
    step::{Step, say},
};

/// For the headless node: a C compiler, for SQLite and the cryptography.
pub const NODE: &[&str] = &["build-essential", "pkg-config"];

/// For the window.
pub const WINDOW: &[&str] = &[
    "build-essential",
    "pkg-config",
    "curl",
    "file",
    "libayatana-appindicator3-dev",
    "librsvg2-dev",
    "libsoup-3.0-dev",
    "libssl-dev",
    "libwebkit2gtk-4.1-dev",
];

/// For driving the window without a screen.
pub const SCREEN: &[&str] = &["dbus-x11", "webkit2gtk-driver", "xvfb"];

/// For the tests: a second database, and the environment of the Python clients.
pub const TEST: &[&str] = &["postgresql", "python3", "python3-venv"];

/// The steps that install what is missing; asks first where a person has to give the right.
pub fn install(lists: &[&[&str]]) -> Result<Vec<Step>> {
    let wanted: Vec<&str> = lists.concat();
    if cfg!(target_os = "macos") {
        say("  on macOS the build needs the Xcode command line tools: xcode-select --install");
        return Ok(Vec::new());
    }
    if cfg!(windows) {
        say("  on Windows the build needs the Microsoft C++ build tools, and the window WebView2 \
             (part of Windows 11)");
        return Ok(Vec::new());
    }
    let Some(installed) = installed(&wanted) else {
        say(&format!(
            "  this is not Debian: your distribution's counterparts of these packages are needed: {}",
            wanted.join(" ")
        ));
        return Ok(Vec::new());
    };
    let missing: Vec<&str> = wanted.into_iter().filter(|name| !installed.contains(*name)).collect();
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    let right = right_to_install(&missing)?;
    let mut update = right.apt_get();
    update.arg("update");
    let mut install = right.apt_get();
    install.args(["install", "--yes", "--no-install-recommends"]).args(&missing);
    Ok(vec![
        Step::new("reading the list of system packages", update),
        Step::new(format!("installing the system packages {}", missing.join(" ")), install),
    ])
}

/// The installed ones of these packages; nothing where there is no dpkg.
fn installed(names: &[&str]) -> Option<HashSet<String>> {
    // It exits with 1 when it does not know one of them, and still lists the others.
    let answer = Command::new("dpkg-query")
        .args(["--show", "--showformat=${db:Status-Status} ${Package}\n"])
        .args(names)
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&answer.stdout);
    Some(text.lines().filter_map(|line| line.strip_prefix("installed ")).map(str::to_owned).collect())
}

/// How packages may be installed here.
#[derive(Debug, Clone, Copy)]
enum Right {
    Root,
    Sudo,
    /// Without a password: nobody is there to type one.
    SudoSilently,
}

impl Right {
    fn apt_get(self) -> Command {
        let environment = ["env", "DEBIAN_FRONTEND=noninteractive"];
        let apt_get = ["apt-get", "-o", "DPkg::Lock::Timeout=300"];
        let mut command = match self {
            Self::Root => Command::new("env"),
            Self::Sudo | Self::SudoSilently => Command::new("sudo"),
        };
        match self {
            Self::Root => command.args(&environment[1..]),
            Self::Sudo => command.args(environment),
            Self::SudoSilently => command.arg("--non-interactive").args(environment),
        };
        command.args(apt_get);
        command
    }
}

fn right_to_install(missing: &[&str]) -> Result<Right> {
    if is_root()? {
        return Ok(Right::Root);
    }
    let by_hand = format!("sudo apt-get install {}", missing.join(" "));
    if !Command::new("sudo").arg("--version").output().is_ok_and(|answer| answer.status.success()) {
        bail!("system packages are missing and there is no sudo; as root: {by_hand}");
    }
    if root::in_ci() || !io::stdin().is_terminal() {
        return Ok(Right::SudoSilently);
    }
    say(&format!(
        "These system packages are missing:\n  {}\nInstall them with sudo? [Y/n]",
        missing.join(" ")
    ));
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).context("cannot read the answer")?;
    if !matches!(answer.trim().to_lowercase().as_str(), "" | "y" | "yes") {
        bail!("not installed. By hand: {by_hand}");
    }
    // Asks for the password now, at the terminal: the steps themselves have no one to ask.
    let status = Command::new("sudo").arg("--validate").status().context("cannot start sudo")?;
    if !status.success() {
        bail!("sudo was refused. By hand: {by_hand}");
    }
    Ok(Right::Sudo)
}

fn is_root() -> Result<bool> {
    let answer = Command::new("id").arg("--user").output().context("cannot start `id`")?;
    Ok(answer.stdout.trim_ascii() == b"0")
}
