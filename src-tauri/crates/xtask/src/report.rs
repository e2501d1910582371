//! The report of a long task: each step with its outcome and duration, and a last line that says it all.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::step::{Running, Step, say, seconds};

/// What was done so far.
#[derive(Debug)]
pub struct Report {
    started: Instant,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    what: String,
    outcome: Outcome,
    took: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed,
}

impl Report {
    /// An empty report; its clock starts now.
    pub fn new() -> Self {
        Self { started: Instant::now(), rows: Vec::new() }
    }

    /// Runs steps the rest depends on: the first failure ends the task.
    pub fn must(&mut self, steps: impl IntoIterator<Item = Step>) -> Result<()> {
        for step in steps {
            self.timed(step.what().to_owned(), || step.run())?;
        }
        Ok(())
    }

    /// Runs a step the rest does not depend on: a failure is kept for the end.
    pub fn attempt(&mut self, step: Step) {
        if let Err(error) = self.timed(step.what().to_owned(), || step.run()) {
            say(&format!("✗ {error:#}"));
        }
    }

    /// Waits for a step that ran beside the others; a failure is kept for the end.
    ///
    /// Returns whether it succeeded.
    pub fn join(&mut self, running: Running) -> bool {
        let joined = self.timed(running.what().to_owned(), || running.join());
        if let Err(error) = &joined {
            say(&format!("✗ {error:#}"));
        }
        joined.is_ok()
    }

    /// Shows the table; an error when a step failed or `ended` is one.
    pub fn finish(self, ended: Result<()>) -> Result<()> {
        let width = self.rows.iter().map(|row| row.what.chars().count()).max().unwrap_or(0);
        say("");
        for row in &self.rows {
            let mark = match row.outcome {
                Outcome::Passed => "✓",
                Outcome::Failed => "✗",
            };
            say(&format!("{mark} {:width$}  {:>12}", row.what, seconds(row.took)));
        }
        let total = seconds(self.started.elapsed());
        let failed: Vec<&str> = self
            .rows
            .iter()
            .filter(|row| row.outcome == Outcome::Failed)
            .map(|row| row.what.as_str())
            .collect();
        if failed.is_empty() {
            ended?;
            say(&format!("✓ all {} steps passed in {total}", self.rows.len()));
            return Ok(());
        }
        let stopped = if ended.is_err() { "; the steps after it were not run" } else { "" };
        bail!("failed after {total}: {}{stopped}", failed.join(", "));
    }

    fn timed(&mut self, what: String, job: impl FnOnce() -> Result<()>) -> Result<()> {
        let started = Instant::now();
        let result = job();
        let outcome = if result.is_ok() { Outcome::Passed } else { Outcome::Failed };
        self.rows.push(Row { what, outcome, took: started.elapsed() });
        result
    }
}
