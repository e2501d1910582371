//! The history as a file: CSV for a spreadsheet, or JSON with everything that is needed to check the chain elsewhere.

use std::io::Write;

use serde::Serialize;
use signalbox_core::change::ChainedChange;

use super::{PAGE_ROWS_MAX, parse_filter};
use crate::app::{App, Caller, Role};
use crate::dto;
use crate::error::AppError;
use crate::export::harmless;

/// One entry as a line of an export.
#[derive(Debug, Serialize)]
struct Line {
    seq: i64,
    at: String,
    actor: String,
    source: String,
    kind: &'static str,
    subject: String,
    sentence: String,
    reason: Option<String>,
    approval: Option<String>,
    before: Option<String>,
    after: Option<String>,
    prev_hash: String,
    hash: String,
}

impl From<ChainedChange> for Line {
    fn from(entry: ChainedChange) -> Self {
        let change = entry.change;
        Self {
            seq: entry.seq,
            at: change.at.to_string(),
            actor: change.actor,
            source: change.source,
            kind: change.kind.as_str(),
            subject: change.subject,
            sentence: change.sentence,
            reason: change.reason,
            approval: change.approval.map(|approval| approval.to_string()),
            before: change.before,
            after: change.after,
            prev_hash: hex::encode(entry.prev_hash),
            hash: hex::encode(entry.hash),
        }
    }
}

impl Line {
    /// Free text that a spreadsheet would run as a formula gets a quote in front.
    fn for_a_spreadsheet(self) -> Self {
        let harmless = |text: &String| harmless(text);
        Self {
            actor: harmless(&self.actor),
            source: harmless(&self.source),
            subject: harmless(&self.subject),
            sentence: harmless(&self.sentence),
            reason: self.reason.as_ref().map(harmless),
            before: self.before.as_ref().map(harmless),
            after: self.after.as_ref().map(harmless),
            ..self
        }
    }
}

/// Writes every change that passes the filter, newest first, and says how many. Memory stays constant.
pub async fn export(
    app: &App,
    caller: &Caller,
    filter: dto::ChangeFilter,
    format: dto::HistoryFormat,
    out: &mut (dyn Write + Send),
) -> Result<u64, AppError> {
    caller.must_be(Role::Viewer)?;
    let filter = parse_filter(filter)?;
    let mut sink = Sink::new(format, out)?;
    let (mut before, mut rows) = (None, 0);
    loop {
        let page = app.control().store.changes(&filter, before, PAGE_ROWS_MAX).await?;
        let full = page.len() >= usize::try_from(PAGE_ROWS_MAX).unwrap_or(usize::MAX);
        before = page.last().map(|entry| entry.seq);
        for entry in page {
            sink.put(entry.into(), rows == 0)?;
            rows += 1;
        }
        if !full {
            break;
        }
    }
    sink.finish()?;
    Ok(rows)
}

enum Sink<'a> {
    Csv(Box<csv::Writer<&'a mut (dyn Write + Send)>>),
    Json(&'a mut (dyn Write + Send)),
}

impl<'a> Sink<'a> {
    fn new(format: dto::HistoryFormat, out: &'a mut (dyn Write + Send)) -> Result<Self, AppError> {
        match format {
            dto::HistoryFormat::Csv => Ok(Self::Csv(Box::new(csv::Writer::from_writer(out)))),
            dto::HistoryFormat::Json => {
                out.write_all(b"[").map_err(|error| failed(&error))?;
                Ok(Self::Json(out))
            }
        }
    }

    fn put(&mut self, line: Line, first: bool) -> Result<(), AppError> {
        match self {
            Self::Csv(writer) => writer.serialize(line.for_a_spreadsheet()).map_err(|error| failed(&error)),
            Self::Json(out) => {
                let between: &[u8] = if first { b"\n" } else { b",\n" };
                out.write_all(between).map_err(|error| failed(&error))?;
                serde_json::to_writer(&mut **out, &line).map_err(|error| failed(&error))
            }
        }
    }

    fn finish(self) -> Result<(), AppError> {
        match self {
            Self::Csv(mut writer) => writer.flush().map_err(|error| failed(&error)),
            Self::Json(out) => {
                out.write_all(b"\n]\n").and_then(|()| out.flush()).map_err(|error| failed(&error))
            }
        }
    }
}

fn failed(error: &dyn std::error::Error) -> AppError {
    AppError::internal("write the history out", error)
}
