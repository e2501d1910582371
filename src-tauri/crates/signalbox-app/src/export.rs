//! The ledger as a file: one line per request, CSV or JSON lines, whatever its size.

use std::io::Write;

use serde::Serialize;
use signalbox_core::money::NanoUsd;

use crate::app::{App, Caller, Role};
use crate::dto;
use crate::error::AppError;
use crate::requests::{PAGE_ROWS_MAX, key_names, parse_filter, shown};

/// One request as a line of an export. Costs are exact, in dollars and in nano-dollars; unknown ones are empty, not 0.
#[derive(Debug, Serialize)]
struct Line {
    id: String,
    started_at: String,
    operation: String,
    status: dto::RequestStatus,
    provider: Option<String>,
    model: Option<String>,
    streamed: bool,
    simulated: bool,
    attempts: u32,
    tokens_in: u32,
    tokens_out: u32,
    cost_usd: Option<String>,
    cost_nano_usd: Option<String>,
    cost_status: Option<dto::CostStatus>,
    latency_ms: Option<f64>,
    first_token_ms: Option<f64>,
    key: Option<String>,
    user: Option<String>,
    error_code: Option<String>,
}

/// Writes every request that passes the filter, newest first, and says how many. Memory stays constant.
pub async fn write(
    app: &App,
    caller: &Caller,
    filter: dto::RequestFilter,
    format: dto::ExportFormat,
    out: &mut (dyn Write + Send),
) -> Result<u64, AppError> {
    caller.must_be(Role::Viewer)?;
    let filter = parse_filter(filter)?;
    let names = key_names(app).await?;
    let mut sink = Sink::new(format, out);
    let (mut before, mut rows) = (None, 0);
    loop {
        let page = app.control().store.requests(&filter, before, PAGE_ROWS_MAX).await?;
        for summary in &page {
            sink.put(&line(shown(summary, &names)))?;
            rows += 1;
        }
        match page.last() {
            Some(last) if page.len() >= usize::try_from(PAGE_ROWS_MAX).unwrap_or(usize::MAX) => {
                before = Some(last.id);
            }
            _ => break,
        }
    }
    sink.finish()?;
    Ok(rows)
}

enum Sink<'a> {
    Csv(Box<csv::Writer<&'a mut (dyn Write + Send)>>),
    Jsonl(&'a mut (dyn Write + Send)),
}

impl<'a> Sink<'a> {
    fn new(format: dto::ExportFormat, out: &'a mut (dyn Write + Send)) -> Self {
        match format {
            dto::ExportFormat::Csv => Self::Csv(Box::new(csv::Writer::from_writer(out))),
            dto::ExportFormat::Jsonl => Self::Jsonl(out),
        }
    }

    fn put(&mut self, line: &Line) -> Result<(), AppError> {
        match self {
            Self::Csv(writer) => writer.serialize(line).map_err(|error| failed(&error)),
            Self::Jsonl(out) => {
                serde_json::to_writer(&mut **out, line).map_err(|error| failed(&error))?;
                out.write_all(b"\n").map_err(|error| failed(&error))
            }
        }
    }

    fn finish(self) -> Result<(), AppError> {
        match self {
            Self::Csv(mut writer) => writer.flush().map_err(|error| failed(&error)),
            Self::Jsonl(out) => out.flush().map_err(|error| failed(&error)),
        }
    }
}

fn failed(error: &dyn std::error::Error) -> AppError {
    AppError::internal("write the export", error)
}

fn line(row: dto::RequestRow) -> Line {
    let nanos = row.cost.as_ref().and_then(|cost| cost.0.parse().ok()).map(NanoUsd::from_nanos);
    Line {
        id: row.id,
        started_at: row.started_at.0,
        operation: row.operation,
        status: row.status,
        provider: row.provider.map(|provider| harmless(&provider)),
        model: row.model.map(|model| harmless(&model)),
        streamed: row.streamed,
        simulated: row.simulated,
        attempts: row.attempts,
        tokens_in: row.tokens_in,
        tokens_out: row.tokens_out,
        cost_usd: nanos.map(|nanos| nanos.to_string()),
        cost_nano_usd: row.cost.map(|cost| cost.0),
        cost_status: row.cost_status,
        latency_ms: row.latency_ms,
        first_token_ms: row.first_token_ms,
        key: row.key_name.map(|name| harmless(&name)),
        user: row.user.map(|user| harmless(&user)),
        error_code: row.error_code,
    }
}

/// Text from outside that a spreadsheet would run as a formula gets a quote in front.
pub(crate) fn harmless(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}
