//! The change history: read, verify, revert.

mod alerting;
mod export;
mod state_at;
mod undo;

pub use export::export;
pub use state_at::state_at;

use signalbox_core::change::{ChainedChange, ChangeKind};
use signalbox_engine::history::ChainCheck;
use signalbox_store::ChangeFilter;

use crate::app::{App, Caller, Role, reason};
use crate::error::AppError;
use crate::propose::{Outcome, Plan, ProposedChange};
use crate::{dto, impact, view};
use undo::{is_revertible, kind_of_undo, undo};

/// Most rows of a page.
const PAGE_ROWS_MAX: u32 = 500;
/// Later changes of a thing that are counted.
const LATER_READ: u32 = 1_000;

/// A page of changes, newest first, with the state of the chain.
pub async fn page(
    app: &App,
    caller: &Caller,
    filter: dto::ChangeFilter,
    cursor: Option<String>,
    limit: u32,
) -> Result<dto::ChangePage, AppError> {
    caller.must_be(Role::Viewer)?;
    let filter = parse_filter(filter)?;
    let before = cursor.map(|text| text.parse::<i64>()).transpose();
    let before = before.map_err(|_| AppError::invalid("cursor", "The cursor is not one of ours."))?;
    let limit = limit.clamp(1, PAGE_ROWS_MAX);
    let rows = app.control().store.changes(&filter, before, limit).await?;
    let full = rows.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
    let next = rows.last().filter(|_| full).map(|row| row.seq.to_string());
    // Walking the chain reads all of it: once for the newest page, not again for each older one.
    let chain = match app.control().history_checked().filter(|_| before.is_some()) {
        Some(check) => check.into(),
        None => verify(app, caller).await?,
    };
    Ok(dto::ChangePage { rows: rows.into_iter().map(shown).collect(), next, chain })
}

/// Walks the whole chain and says whether every entry still fits.
pub async fn verify(app: &App, caller: &Caller) -> Result<dto::ChainReport, AppError> {
    caller.must_be(Role::Viewer)?;
    let check = match app.engine() {
        Some(engine) => engine.verify_history().await?,
        None => app.control().verify_history().await?,
    };
    Ok(check.into())
}

impl From<ChainCheck> for dto::ChainReport {
    fn from(check: ChainCheck) -> Self {
        Self {
            intact: check.first_bad.is_none(),
            entries: view::count(check.entries),
            first_bad: check.first_bad.map(view::count),
            checked_at: check.at.into(),
        }
    }
}

/// How many changes pass a filter.
pub async fn count(app: &App, caller: &Caller, filter: dto::ChangeFilter) -> Result<u32, AppError> {
    caller.must_be(Role::Viewer)?;
    Ok(view::count(app.control().store.count_changes(&parse_filter(filter)?).await?))
}

/// A client's filter in the store's terms.
fn parse_filter(filter: dto::ChangeFilter) -> Result<ChangeFilter, AppError> {
    let kind = |word: String| {
        ChangeKind::from_word(&word)
            .ok_or_else(|| AppError::invalid("kind", format!("There is no kind `{word:.40}`.")))
    };
    Ok(ChangeFilter {
        kind: filter.kind.map(kind).transpose()?,
        subject: filter.subject,
        actor: filter.actor,
        from: filter.from.map(|from| view::instant("from", &from)).transpose()?,
        to: filter.to.map(|to| view::instant("to", &to)).transpose()?,
        text: reason(filter.text),
    })
}

/// Puts things back to what they were before a change. That is a change itself.
///
/// Errors: [`Code::Refused`](crate::Code::Refused) for what cannot be undone (credentials, the installation) or is in use
/// by now.
pub async fn revert(
    app: &App,
    caller: &Caller,
    seq: u32,
    why: Option<String>,
) -> Result<dto::Proposed<dto::Change>, AppError> {
    match app.propose(caller, &ProposedChange::Revert { seq, reason: why }).await? {
        Outcome::Applied(entry) => Ok(dto::Proposed::Applied { value: shown(*entry) }),
        Outcome::Asked(request) => Ok(dto::Proposed::Asked { request }),
        Outcome::Unchanged => Err(AppError::not_found("change", &seq.to_string())),
    }
}

/// What a revert would write, without writing it.
///
/// Errors: as [`revert`].
pub async fn revert_preview(app: &App, caller: &Caller, seq: u32) -> Result<dto::RevertPreview, AppError> {
    caller.must_be(Role::Viewer)?;
    let plan = plan_revert(app, seq).await?;
    let month = impact::of(app, &plan).await?;
    let same = ChangeFilter { subject: Some(plan.subject), kind: Some(plan.kind), ..ChangeFilter::default() };
    let mut later = app.control().store.changes(&same, None, LATER_READ).await?;
    later.retain(|entry| entry.seq > i64::from(seq));
    Ok(dto::RevertPreview {
        sentence: plan.sentence,
        before: plan.before.map(dto::JsonText),
        after: plan.after.map(dto::JsonText),
        later: u32::try_from(later.len()).unwrap_or(u32::MAX),
        month,
    })
}

/// What a revert would write.
pub(crate) async fn plan_revert(app: &App, seq: u32) -> Result<Plan, AppError> {
    let entry = app.control().store.change(i64::from(seq)).await?;
    let entry = entry.ok_or_else(|| AppError::not_found("change", &seq.to_string()))?;
    let undo = undo(app, &entry.change).await?;
    Ok(Plan {
        kind: kind_of_undo(&entry.change),
        sentence: format!("Change {seq} is reverted ({})", entry.change.sentence),
        subject: entry.change.subject,
        before: undo.before,
        after: undo.after,
        writes: undo.writes,
    })
}

fn shown(entry: ChainedChange) -> dto::Change {
    let revertible = is_revertible(&entry.change);
    let change = entry.change;
    dto::Change {
        seq: view::count(entry.seq),
        id: change.id.to_string(),
        at: change.at.into(),
        actor: change.actor,
        source: change.source,
        kind: change.kind.as_str().to_owned(),
        subject: change.subject,
        sentence: change.sentence,
        before: change.before.map(dto::JsonText),
        after: change.after.map(dto::JsonText),
        reason: change.reason,
        approval: change.approval.map(|approval| approval.to_string()),
        hash: hex::encode(&entry.hash[..6]),
        revertible,
    }
}
