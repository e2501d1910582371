//! `history`: list, verify.

use signalbox_app::changes;
use signalbox_app::dto::{Change, ChangeFilter};

use super::Desk;
use crate::cli::History;
use crate::failure::{Exit, Failure};
use crate::output::{Table, print, print_json};

pub async fn run(desk: Desk, command: History) -> Result<Exit, Failure> {
    match command {
        History::List { kind, subject, limit, json } => {
            list(&desk, ChangeFilter { kind, subject, actor: None }, limit, json).await
        }
        History::Verify(form) => verify(&desk, form.json).await,
    }
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
