//! `ledger`: export, verify.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use serde_json::json;
use signalbox_app::dto::ExportFormat;
use signalbox_app::{AppError, changes, export};

use super::Desk;
use crate::cli::{ExportForm, Filter, Ledger};
use crate::failure::{Exit, Failure};
use crate::output::{print, print_json, remark};

pub async fn run(desk: Desk, command: Ledger) -> Result<Exit, Failure> {
    match command {
        Ledger::Export { format, out, filter } => {
            let format = match format {
                ExportForm::Jsonl => ExportFormat::Jsonl,
                ExportForm::Csv => ExportFormat::Csv,
            };
            write_out(&desk, format, out.as_deref(), filter).await
        }
        Ledger::Verify(form) => verify(&desk, form.json).await,
    }
}

async fn write_out(
    desk: &Desk,
    format: ExportFormat,
    path: Option<&Path>,
    filter: Filter,
) -> Result<Exit, Failure> {
    let written =
        write_to(path, async |out| export::write(&desk.app, &desk.caller, filter.into(), format, out).await)
            .await?;
    if let (Some(rows), Some(path)) = (written, path) {
        remark(&format!("{rows} requests written to {}.", path.display()));
    }
    Ok(Exit::Ok)
}

/// Writes to a file that only its owner can read, or to standard output. `None` when whoever reads that has had enough.
pub async fn write_to(
    path: Option<&Path>,
    write: impl AsyncFnOnce(&mut (dyn Write + Send)) -> Result<u64, AppError>,
) -> Result<Option<u64>, Failure> {
    let Some(path) = path else {
        let mut out = Readable { inner: BufWriter::new(io::stdout()), closed: false };
        let written = write(&mut out).await;
        return if out.closed { Ok(None) } else { Ok(Some(written?)) };
    };
    let unwritable =
        |error: io::Error| Failure::new(Exit::Failed, format!("Cannot write {}: {error}.", path.display()));
    let mut out = BufWriter::new(private_file(path).map_err(unwritable)?);
    let rows = write(&mut out).await?;
    out.into_inner().map_err(|error| unwritable(error.into_error()))?.sync_all().map_err(unwritable)?;
    Ok(Some(rows))
}

/// The ledger names users and keys, and the history who did what: a copy is its owner's alone.
fn private_file(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Standard output, and whether its reader has had enough (`| head`).
struct Readable<W> {
    inner: W,
    closed: bool,
}

impl<W: Write> Readable<W> {
    fn noting<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        self.closed |= result.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::BrokenPipe);
        result
    }
}

impl<W: Write> Write for Readable<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let result = self.inner.write(bytes);
        self.noting(result)
    }

    fn flush(&mut self) -> io::Result<()> {
        let result = self.inner.flush();
        self.noting(result)
    }
}

async fn verify(desk: &Desk, json: bool) -> Result<Exit, Failure> {
    let store = &desk.app.control().store;
    let report = store.verify_ledger().await.map_err(AppError::from)?;
    let chain = changes::verify(&desk.app, &desk.caller).await?;
    let in_order = report.is_clean() && chain.intact;
    if json {
        print_json(&json!({
            "in_order": in_order,
            "settled": report.settled,
            "open": report.open,
            "attempts": report.attempts,
            "rollups": report.rollups,
            "differences": report.differences,
            "first_differences": report.first_differences,
            "history_entries": chain.entries,
            "history_intact": chain.intact,
            "history_first_bad": chain.first_bad,
        }))?;
    } else {
        let mut lines = vec![format!(
            "{} settled requests with {} attempts, {} open, {} sums compared: {}.",
            report.settled,
            report.attempts,
            report.open,
            report.rollups,
            if report.is_clean() {
                "everything adds up".to_owned()
            } else {
                format!("{} differences", report.differences)
            }
        )];
        lines.extend(report.first_differences.iter().map(|difference| format!("  {difference}")));
        lines.push(match chain.first_bad {
            None => format!("{} entries of the change history: the chain is intact.", chain.entries),
            Some(seq) => {
                format!("{} entries of the change history: entry {seq} does not fit.", chain.entries)
            }
        });
        print(&lines.join("\n"))?;
    }
    Ok(if in_order { Exit::Ok } else { Exit::Failed })
}
