//! Approvals: what waits for a person, and the person's answer.
//!
//! This is the only place where an approval is decided, and it takes a person who is an admin: no program, key, schedule or
//! model gets here. What is decided is what was shown: the decision carries its hash.

mod effect;
mod shown;

use signalbox_core::approval::{Approval, ApprovalFault, REASON_CHARS_MAX, Risk, Subject, UNDO_US};
use signalbox_core::change::{Change, ChangeKind};
use signalbox_core::decide::{Ask, Features, decide};
use signalbox_core::ids::ApprovalId;
use signalbox_core::money::NanoUsd;
use signalbox_core::person;
use signalbox_core::route::Target;
use signalbox_core::time::{MICROS_PER_SECOND, Timestamp};
use signalbox_store::{ConfigWrite, QueuePlace};

use crate::app::{App, Caller, Role, Source, json, reason, sentence};
use crate::dto;
use crate::error::{AppError, Code};
use crate::propose::filed;
use crate::view;

/// Most rows of a page.
const PAGE_ROWS_MAX: u32 = 500;
/// How far back "this week" reaches. Units: microseconds.
const WEEK_US: i64 = 7 * 86_400 * MICROS_PER_SECOND;

/// A page of the queue, with how much waits.
pub async fn page(
    app: &App,
    caller: &Caller,
    list: dto::ApprovalList,
    cursor: Option<String>,
    limit: u32,
) -> Result<dto::ApprovalPage, AppError> {
    caller.must_be(Role::Viewer)?;
    let (store, now) = (&app.control().store, app.now());
    let limit = limit.clamp(1, PAGE_ROWS_MAX);
    let place = cursor.as_deref().map(Place::read).transpose()?;
    let rows = match list {
        dto::ApprovalList::Pending => {
            let after = place.map(Place::in_queue);
            store.approvals_waiting(after, limit, now).await?
        }
        dto::ApprovalList::Decided => {
            let before = place.map(|place| (place.at, place.id));
            store.approvals_decided(before, limit).await?
        }
    };
    let is_full = rows.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
    let next = rows.last().filter(|_| is_full).map(|last| Place::of(last, list).to_string());
    let counts = store.approval_counts(now.plus_micros(-WEEK_US), now).await?;
    Ok(dto::ApprovalPage {
        rows: rows.iter().map(|approval| shown::row(approval, caller, now)).collect(),
        next,
        pending: view::count(counts.pending),
        decided_this_week: view::count(counts.decided),
    })
}

/// One approval: the request as it will run, or the change as it would be made.
pub async fn show(app: &App, caller: &Caller, id: &str) -> Result<dto::ApprovalDetail, AppError> {
    caller.must_be(Role::Viewer)?;
    let approval = find(app, id).await?;
    shown::detail(app, caller, &approval).await
}

/// Says yes to what was shown; a request may be sent to another target than it asked for.
///
/// Errors: [`Code::Conflict`] when it is not what was shown or was decided meanwhile, [`Code::Forbidden`] for one's own
/// while another admin could, a target that cannot serve it.
pub async fn approve(
    app: &App,
    caller: &Caller,
    input: dto::ApproveInput,
) -> Result<dto::ApprovalRow, AppError> {
    let approval = deciding(app, caller, &input.id, &input.hash).await?;
    let elsewhere = match input.target.as_deref().map(str::trim).filter(|target| !target.is_empty()) {
        Some(target) => Some(elsewhere(app, &approval, target).await?),
        None => None,
    };
    let why = bounded(input.reason)?;
    if let Subject::Change(_) = &approval.subject {
        let made = filed::approve(app, caller, &approval, why).await?;
        return Ok(shown::row(&made, caller, app.now()));
    }
    let next = approval
        .approve(&caller.id, why.clone(), elsewhere, undo_us(caller), app.now())
        .map_err(|fault| refused(&fault))?;
    let target = next.ruling.as_ref().and_then(|ruling| ruling.target.as_ref());
    let at = target.map_or_else(String::new, |target| format!(" at {target}"));
    let told = format!("Approved{at}: {}", shown::in_words(&approval));
    put(app, caller, &approval, next, told, why).await
}

/// Says no to what was shown. Whoever asked is told why.
///
/// Errors: as [`approve`]; no reason.
pub async fn reject(
    app: &App,
    caller: &Caller,
    input: dto::RejectInput,
) -> Result<dto::ApprovalRow, AppError> {
    let approval = deciding(app, caller, &input.id, &input.hash).await?;
    let why = bounded(Some(input.reason))?;
    if why.is_none() {
        return Err(AppError::invalid("reason", "Say why: whoever asked is told."));
    }
    let next = approval
        .reject(&caller.id, why.clone(), undo_us(caller), app.now())
        .map_err(|fault| refused(&fault))?;
    let told = format!("Rejected: {}", shown::in_words(&approval));
    put(app, caller, &approval, next, told, why).await
}

/// Takes a decision back before it counts.
///
/// Errors: it counts already, or there is none.
pub async fn undo(app: &App, caller: &Caller, id: &str) -> Result<dto::ApprovalRow, AppError> {
    caller.must_be(Role::Admin)?;
    let approval = find(app, id).await?;
    let next = approval.undo(app.now()).map_err(|fault| refused(&fault))?;
    let told = format!("Decision taken back: {}", shown::in_words(&approval));
    put(app, caller, &approval, next, told, None).await
}

/// Ends what is no longer wanted, also an approval that nobody has used. One's own, or as an admin anybody's.
///
/// Errors: nothing can come of it any more.
pub async fn withdraw(
    app: &App,
    caller: &Caller,
    input: dto::WithdrawInput,
) -> Result<dto::ApprovalRow, AppError> {
    caller.must_be(Role::Operator)?;
    let approval = find(app, &input.id).await?;
    if approval.submitter.person.as_deref() != Some(caller.id.as_str()) {
        caller.must_be(Role::Admin)?;
    }
    let why = bounded(input.reason)?;
    let next = approval.withdraw(&caller.id, why.clone(), app.now()).map_err(|fault| refused(&fault))?;
    let told = format!("Withdrawn: {}", shown::in_words(&approval));
    put(app, caller, &approval, next, told, why).await
}

/// How many people could decide.
async fn admins(app: &App) -> Result<u32, AppError> {
    let admins = person::admins(&app.live().await?.people);
    Ok(u32::try_from(admins).unwrap_or(u32::MAX))
}

/// How many wait.
pub(crate) async fn pending(app: &App) -> Result<u32, AppError> {
    let now = app.now();
    Ok(view::count(app.control().store.approval_counts(now, now).await?.pending))
}

async fn find(app: &App, id: &str) -> Result<Approval, AppError> {
    let missing = || AppError::not_found("approval", id);
    let parsed: ApprovalId = id.parse().map_err(|_| missing())?;
    app.control().store.approval(parsed).await?.ok_or_else(missing)
}

/// The approval, for a person who may decide it and has seen it.
async fn deciding(app: &App, caller: &Caller, id: &str, hash: &str) -> Result<Approval, AppError> {
    caller.must_be(Role::Admin)?;
    let approval = find(app, id).await?;
    approval.may_be_decided_by(&caller.id, admins(app).await?).map_err(|fault| refused(&fault))?;
    if approval.hash().to_string() != hash {
        let message = "This is not what was shown. Look at it again before you decide.";
        return Err(AppError::new(Code::Conflict, message));
    }
    Ok(approval)
}

/// Another target, and the most the request may cost there.
async fn elsewhere(
    app: &App,
    approval: &Approval,
    target: &str,
) -> Result<(Target, Option<NanoUsd>), AppError> {
    let invalid = |message: String| AppError::invalid("target", message);
    let asked = approval.request().map_err(|_| invalid("A change goes to no target.".to_owned()))?;
    let target: Target = target.parse().map_err(|error| invalid(sentence(&format!("{error}"))))?;
    let live = app.live().await?;
    if !live.snapshot.models.contains_key(&target) {
        return Err(invalid(format!("There is no target `{target}`.")));
    }
    let terms = &asked.terms;
    let features = Features {
        bound: asked.asked.bound,
        has_images: asked.asked.has_images,
        has_audio: asked.asked.has_audio,
        has_tools: asked.asked.has_tools,
        json_output: asked.asked.json_output,
        user: terms.user.as_deref(),
        tags: &terms.tags,
        ..Features::of(terms.surface, asked.asked.bound)
    };
    let key = terms.key.and_then(|id| live.key(id));
    let ask = Ask { pinned: Some(&target), key, ..Ask::of(&terms.operation, features) };
    let decision = decide(&live.snapshot, &ask, app.now())
        .map_err(|error| AppError::new(Code::Refused, sentence(&error.to_string())))?;
    let chosen = decision.chain().find(|candidate| candidate.target == target);
    let Some(chosen) = chosen else {
        return Err(invalid(format!("{target} cannot serve it: {}.", decision.rejections_in_words())));
    };
    Ok((target, chosen.estimate))
}

/// A decision made in the window can be taken back for a moment; who types a command has had that moment.
const fn undo_us(caller: &Caller) -> i64 {
    match caller.source {
        Source::Window | Source::Tray => UNDO_US,
        Source::Cli => 0,
    }
}

fn bounded(text: Option<String>) -> Result<Option<String>, AppError> {
    let text = reason(text);
    if text.as_ref().is_some_and(|text| text.chars().count() > REASON_CHARS_MAX) {
        return Err(AppError::invalid(
            "reason",
            format!("A reason has at most {REASON_CHARS_MAX} characters."),
        ));
    }
    Ok(text)
}

/// Writes a person's step with its entry in the history.
async fn put(
    app: &App,
    caller: &Caller,
    before: &Approval,
    after: Approval,
    told: String,
    why: Option<String>,
) -> Result<dto::ApprovalRow, AppError> {
    let change = Change {
        before: Some(json(&Step::of(before))?),
        after: Some(json(&Step::of(&after))?),
        reason: why,
        ..app.change(caller, ChangeKind::Approval, &before.id.to_string(), told)
    };
    let write = ConfigWrite::PutApproval { approval: Box::new(after.clone()), base_version: before.version };
    app.commit(vec![write], change).await?;
    Ok(shown::row(&after, caller, app.now()))
}

/// What the history keeps of an approval: how it stands, never what it says.
#[derive(serde::Serialize)]
struct Step<'a> {
    state: &'static str,
    ruling: Option<&'a signalbox_core::approval::Ruling>,
    note: Option<&'a str>,
}

impl<'a> Step<'a> {
    fn of(approval: &'a Approval) -> Self {
        Self {
            state: approval.state.as_str(),
            ruling: approval.ruling.as_ref(),
            note: approval.ending.as_ref().and_then(|ending| ending.note.as_deref()),
        }
    }
}

/// A step that is not possible, in words.
pub(crate) fn refused(fault: &ApprovalFault) -> AppError {
    let code = match fault {
        ApprovalFault::Already(_)
        | ApprovalFault::Expired(_)
        | ApprovalFault::TooLate(_)
        | ApprovalFault::NotYet(_)
        | ApprovalFault::Undecided => Code::Conflict,
        ApprovalFault::Own => Code::Forbidden,
        ApprovalFault::OtherKind(_) | ApprovalFault::Differs(_) | ApprovalFault::OverCeiling { .. } => {
            Code::Refused
        }
    };
    AppError::new(code, sentence(&fault.to_string()))
}

/// Where a page ends.
struct Place {
    risk: Risk,
    at: Timestamp,
    id: ApprovalId,
}

impl Place {
    fn of(approval: &Approval, list: dto::ApprovalList) -> Self {
        let at = match list {
            dto::ApprovalList::Pending => approval.created_at,
            dto::ApprovalList::Decided => approval.moved_at(),
        };
        Self { risk: approval.risk, at, id: approval.id }
    }

    fn read(cursor: &str) -> Result<Self, AppError> {
        let mut parts = cursor.splitn(3, '.');
        let mut read = || {
            let risk = Risk::from_rank(parts.next()?.parse().ok()?)?;
            let at = Timestamp::from_micros(parts.next()?.parse().ok()?);
            Some(Self { risk, at, id: parts.next()?.parse().ok()? })
        };
        read().ok_or_else(|| AppError::invalid("cursor", "The page does not exist."))
    }

    const fn in_queue(self) -> QueuePlace {
        QueuePlace { risk: self.risk, created_at: self.at, id: self.id }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.risk.rank(), self.at.as_micros(), self.id)
    }
}
