//! One step of a task: a command, run with a line saying what it does and how long it took.
//!
//! A quiet step writes to a log file and shows it only when it fails; a file rather than a pipe, because a package's
//! install script may leave a daemon behind that would hold a pipe open for ever.

use std::{
    fs::{self, File},
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::root;

/// How often a running step is looked at.
const POLL: Duration = Duration::from_millis(50);
/// How often a quiet step says that it is still running, so that nobody takes it for hung.
const STILL_RUNNING: Duration = Duration::from_mins(1);
/// How much of a failed step's output is shown; the log file has the rest.
const SHOWN_LINES_MAX: usize = 400;

/// A command with the words for it.
#[derive(Debug)]
pub struct Step {
    what: String,
    command: Command,
    output: Output,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Output {
    /// Kept in a log file, shown on failure.
    Quiet,
    /// Shown as it comes.
    Streamed,
}

impl Step {
    /// A step whose output is shown only when it fails.
    pub fn new(what: impl Into<String>, command: Command) -> Self {
        Self { what: what.into(), command, output: Output::Quiet }
    }

    /// Shows the output as it comes.
    pub fn streamed(mut self) -> Self {
        self.output = Output::Streamed;
        self
    }

    /// Shows the output as it comes to a person at a terminal, who likes to see a long build move.
    pub fn streamed_to_terminal(self) -> Self {
        if io::stderr().is_terminal() { self.streamed() } else { self }
    }

    /// What the step does.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// Runs the command to its end; an exit status other than 0 is an error.
    pub fn run(self) -> Result<()> {
        match self.output {
            Output::Quiet => self.run_quietly(),
            Output::Streamed => self.run_streamed(),
        }
    }

    /// Starts the command and lets it run beside the next steps.
    pub fn start(mut self) -> Result<Running> {
        let log = log_path(&self.what);
        send_output_to(&mut self.command, &log)?;
        let child = self.command.spawn().with_context(|| cannot_start(&self.command))?;
        say(&format!("▸ {} (beside the next steps)", self.what));
        Ok(Running { what: self.what, child, log })
    }

    fn run_streamed(mut self) -> Result<()> {
        say(&format!("▸ {} …", self.what));
        let started = Instant::now();
        let status =
            self.command.stdin(Stdio::null()).status().with_context(|| cannot_start(&self.command))?;
        ended(&self.what, status)?;
        say(&format!("  {}: done in {}", self.what, seconds(started.elapsed())));
        Ok(())
    }

    fn run_quietly(mut self) -> Result<()> {
        let log = log_path(&self.what);
        send_output_to(&mut self.command, &log)?;
        write(&format!("▸ {} …", self.what));
        let started = Instant::now();
        let status = match self.command.spawn() {
            Ok(child) => wait_saying_so(child, started)?,
            Err(error) => {
                say(" failed");
                return Err(error).with_context(|| cannot_start(&self.command));
            }
        };
        let took = seconds(started.elapsed());
        if status.success() {
            say(&format!(" done in {took}"));
        } else {
            say(&format!(" failed after {took}"));
            show(&log);
        }
        ended(&self.what, status)
    }
}

/// A step that runs beside the others. It is stopped when nobody waits for its end.
#[derive(Debug)]
pub struct Running {
    what: String,
    child: Child,
    log: PathBuf,
}

impl Running {
    /// What the step does.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// Waits for the end.
    pub fn join(mut self) -> Result<()> {
        let started = Instant::now();
        write(&format!("▸ waiting for the end of: {} …", self.what));
        let status = self.child.wait().with_context(|| format!("cannot wait for: {}", self.what))?;
        say(&format!(" {}", seconds(started.elapsed())));
        if !status.success() {
            show(&self.log);
        }
        ended(&self.what, status)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only when the command has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs steps one after the other, up to the first failure.
pub fn run_all(steps: impl IntoIterator<Item = Step>) -> Result<()> {
    steps.into_iter().try_for_each(Step::run)
}

/// Writes one line for the person who called the task.
pub fn say(line: &str) {
    write(&format!("{line}\n"));
}

/// `12 s`, `3 min 05 s`.
pub fn seconds(duration: Duration) -> String {
    let whole = (duration + Duration::from_millis(500)).as_secs();
    if whole < 60 { format!("{whole} s") } else { format!("{} min {:02} s", whole / 60, whole % 60) }
}

fn write(text: &str) {
    let mut output = io::stderr().lock();
    // Nobody listens any more: the exit status still tells how it went.
    let _ = output.write_all(text.as_bytes()).and_then(|()| output.flush());
}

fn wait_saying_so(mut child: Child, started: Instant) -> Result<ExitStatus> {
    let mut said = 0;
    loop {
        if let Some(status) = child.try_wait().context("cannot wait for a command")? {
            return Ok(status);
        }
        let due = started.elapsed().as_secs() / STILL_RUNNING.as_secs();
        if due > said {
            said = due;
            write(&format!(" {} …", seconds(started.elapsed())));
        }
        thread::sleep(POLL);
    }
}

fn send_output_to(command: &mut Command, log: &Path) -> Result<()> {
    let folder = root::logs();
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    let twin = file.try_clone().with_context(|| format!("cannot write {}", log.display()))?;
    command.stdin(Stdio::null()).stdout(file).stderr(twin);
    Ok(())
}

fn log_path(what: &str) -> PathBuf {
    let name: String =
        what.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' }).collect();
    root::logs().join(format!("{}.log", name.trim_matches('-')))
}

fn show(log: &Path) {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    let first = lines.len().saturating_sub(SHOWN_LINES_MAX);
    for line in &lines[first..] {
        say(line);
    }
    say(&format!("  (all {} lines: {})", lines.len(), log.display()));
}

fn ended(what: &str, status: ExitStatus) -> Result<()> {
    if !status.success() {
        bail!("{what}: failed ({status})");
    }
    Ok(())
}

fn cannot_start(command: &Command) -> String {
    format!("cannot start `{}`", command.get_program().display())
}
