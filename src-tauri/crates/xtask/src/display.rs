//! A screen nobody looks at: Xvfb and a session bus of our own, so that the window can be driven anywhere, never
//! disturbs the person at the machine, and meets no keychain of theirs.

use std::{
    env,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::cargo;

/// Whether a window can be opened for the person who called.
pub fn available() -> bool {
    let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux") || set("DISPLAY") || set("WAYLAND_DISPLAY")
}

/// A screen of our own; elsewhere than on Linux, the screen of the person.
#[derive(Debug)]
pub struct Screen {
    xvfb: Option<Xvfb>,
}

#[derive(Debug)]
struct Xvfb {
    process: Child,
    /// `:97`
    name: String,
}

impl Screen {
    /// Starts a screen on the first free number.
    pub fn start() -> Result<Self> {
        if !cfg!(target_os = "linux") {
            return Ok(Self { xvfb: None });
        }
        let mut process = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1600x1000x24", "-nolisten", "tcp", "-noreset"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start `Xvfb`")?;
        let mut number = String::new();
        if let Some(output) = process.stdout.take() {
            BufReader::new(output).read_line(&mut number).context("cannot read from Xvfb")?;
        }
        let screen = Self { xvfb: Some(Xvfb { process, name: format!(":{}", number.trim()) }) };
        if number.trim().is_empty() {
            bail!("Xvfb did not start");
        }
        Ok(screen)
    }

    /// `cargo` with these arguments, on this screen and a session bus of its own.
    pub fn cargo<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        let Some(xvfb) = &self.xvfb else {
            return cargo::cargo(arguments);
        };
        let mut command = Command::new("dbus-run-session");
        command.arg("--").arg(cargo::program());
        cargo::configure(&mut command, arguments);
        command
            .env("DISPLAY", &xvfb.name)
            .env("GDK_BACKEND", "x11")
            .env("NO_AT_BRIDGE", "1")
            .env_remove("WAYLAND_DISPLAY");
        command
    }
}

impl Drop for Xvfb {
    fn drop(&mut self) {
        // Both fail only when it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
