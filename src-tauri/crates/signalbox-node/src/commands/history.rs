//! `history`: list, verify, export, revert, at.

use std::path::Path;

use signalbox_app::changes;
use signalbox_app::dto::{Change, ChangeFilter, HistoryFormat, Instant, JsonText};

use super::Desk;
use super::ledger::write_to;
use crate::cli::{History, HistoryFilter, HistoryForm};
use crate::failure::{Exit, Failure};
use crate::output::{Table, or_dash, print, print_json, remark, tell_asked};

pub async fn run(desk: Desk, command: History) -> Result<Exit, Failure> {
    match command {
        History::List { filter, limit, json } => list(&desk, filter.into(), limit, json).await,
        History::Verify(form) => verify(&desk, form.json).await,
        History::Export { format, out, filter } => export(&desk, filter.into(), format, out.as_deref()).await,
        History::Revert { seq, dry_run: true, reason: _ } => preview(&desk, seq).await,
        History::Revert { seq, dry_run: false, reason } => revert(&desk, seq, reason).await,
        History::At { at, kind, subject, json } => {
            let wanted = |given: Option<String>, is: &str| given.as_deref().is_none_or(|given| given == is);
            let mut state = changes::state_at(&desk.app, &desk.caller, Instant(at)).await?;
            state
                .things
                .retain(|thing| wanted(kind.clone(), &thing.kind) && wanted(subject.clone(), &thing.name));
            if json {
                print_json(&state)?;
                return Ok(Exit::Ok);
            }
            let mut table = Table::new(&["KIND", "NAME", ">ENTRY", "SINCE", "STATE"]);
            for thing in state.things {
                let since = thing.since.map(|since| since.0);
                table.row([thing.kind, thing.name, or_dash(thing.seq), or_dash(since), thing.state.0]);
            }
            print(&table.text())?;
            Ok(Exit::Ok)
        }
    }
}

impl From<HistoryFilter> for ChangeFilter {
    fn from(filter: HistoryFilter) -> Self {
        let HistoryFilter { kind, subject, actor, from, to, text } = filter;
        Self { kind, subject, actor, from: from.map(Instant), to: to.map(Instant), text }
    }
}

async fn export(
    desk: &Desk,
    filter: ChangeFilter,
    format: HistoryForm,
    path: Option<&Path>,
) -> Result<Exit, Failure> {
    let format = match format {
        HistoryForm::Csv => HistoryFormat::Csv,
        HistoryForm::Json => HistoryFormat::Json,
    };
    let count = changes::count(&desk.app, &desk.caller, filter.clone()).await?;
    remark(&format!("{count} changes pass the filter."));
    let written =
        write_to(path, async |out| changes::export(&desk.app, &desk.caller, filter, format, out).await)
            .await?;
    if let (Some(rows), Some(path)) = (written, path) {
        remark(&format!("{rows} changes written to {}.", path.display()));
    }
    Ok(Exit::Ok)
}

async fn preview(desk: &Desk, seq: u32) -> Result<Exit, Failure> {
    let preview = changes::revert_preview(&desk.app, &desk.caller, seq).await?;
    let shown = |state: Option<JsonText>| or_dash(state.map(|state| state.0));
    print(&format!("before  {}\nafter   {}", shown(preview.before), shown(preview.after)))?;
    if preview.later > 0 {
        remark(&format!("note: {} later changes of it are undone too.", preview.later));
    }
    Ok(Exit::Ok)
}

async fn revert(desk: &Desk, seq: u32, reason: Option<String>) -> Result<Exit, Failure> {
    if let Some(change) = tell_asked(changes::revert(&desk.app, &desk.caller, seq, reason).await?)? {
        print(&format!("{}.", change.sentence))?;
    }
    Ok(Exit::Ok)
}

async fn list(desk: &Desk, filter: ChangeFilter, limit: u32, json: bool) -> Result<Exit, Failure> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let (mut rows, mut cursor): (Vec<Change>, Option<String>) = (Vec::new(), None);
    while rows.len() < limit {
        let missing = u32::try_from(limit - rows.len()).unwrap_or(u32::MAX);
        let page = changes::page(&desk.app, &desk.caller, filter.clone(), cursor, missing).await?;
        rows.extend(page.rows);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    if json {
        print_json(&rows)?;
        return Ok(Exit::Ok);
    }
    let mut table = Table::new(&[">SEQ", "AT", "WHO", "BY", "KIND", "WHAT", "HASH"]);
    for change in rows {
        table.row([
            change.seq.to_string(),
            change.at.0,
            change.actor,
            change.source,
            change.kind,
            change.sentence,
            change.hash,
        ]);
    }
    print(&table.text())?;
    Ok(Exit::Ok)
}

async fn verify(desk: &Desk, json: bool) -> Result<Exit, Failure> {
    let report = changes::verify(&desk.app, &desk.caller).await?;
    if json {
        print_json(&report)?;
    } else {
        print(&match report.first_bad {
            None => format!("{} entries: the chain is intact.", report.entries),
            Some(seq) => format!("{} entries: entry {seq} does not fit.", report.entries),
        })?;
    }
    Ok(if report.intact { Exit::Ok } else { Exit::Failed })
}
