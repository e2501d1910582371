//! Approvals as an admin sees them.

use std::collections::BTreeSet;

use signalbox_core::approval::{
    Approval, ApprovalState, AskedRequest, Ending, Risk, Ruling, Subject, visible,
};
use signalbox_core::decide::readiness;
use signalbox_core::ledger::Surface;
use signalbox_core::money::NanoUsd;
use signalbox_core::time::Timestamp;

use super::{admins, effect};
use crate::app::{App, Caller, Role, sentence};
use crate::dto;
use crate::error::AppError;

/// What is asked, in one line without anybody's text.
pub(super) fn in_words(approval: &Approval) -> String {
    match &approval.subject {
        Subject::Request(asked) => {
            let cost = asked
                .terms
                .ceiling
                .map_or_else(|| "at an unknown cost".to_owned(), |ceiling| format!("up to ${ceiling}"));
            format!("{} for {}, {cost}", asked.terms.operation, visible(&approval.submitter.name))
        }
        Subject::Change(change) => visible(&change.sentence),
    }
}

pub(super) fn row(approval: &Approval, caller: &Caller, now: Timestamp) -> dto::ApprovalRow {
    let ruling = approval.ruling.as_ref();
    let ending = approval.ending.as_ref();
    let (kind, subject, origin, target, monthly_impact) = match &approval.subject {
        Subject::Request(asked) => (
            dto::ApprovalKind::Request,
            asked.terms.operation.to_string(),
            origin_of(asked),
            asked.targets.first().map(ToString::to_string),
            None,
        ),
        Subject::Change(change) => (
            dto::ApprovalKind::Change,
            change.subject.clone(),
            "a change of the configuration".to_owned(),
            None,
            change.monthly_impact,
        ),
    };
    dto::ApprovalRow {
        id: approval.id.to_string(),
        hash: approval.hash().to_string(),
        kind,
        state: state_of(approval.state_at(now)),
        risk: match approval.risk {
            Risk::Low => dto::Risk::Low,
            Risk::Medium => dto::Risk::Medium,
            Risk::High => dto::Risk::High,
        },
        subject,
        sentence: in_words(approval),
        target,
        max_cost: approval.ceiling().map(Into::into),
        monthly_impact: monthly_impact.map(Into::into),
        submitter: visible(&approval.submitter.name),
        origin,
        created_at: approval.created_at.into(),
        expires_at: approval.expires_at.into(),
        repeats: approval.repeats,
        own: approval.submitter.person.as_deref() == Some(caller.id.as_str()),
        decided_by: ruling.map(|ruling| ruling.by.clone()),
        decided_at: ruling.map(|ruling| ruling.at.into()),
        reason: why(ruling, ending),
        decided_target: ruling.and_then(|ruling| ruling.target.as_ref()).map(ToString::to_string),
        request_id: ending.and_then(|ending| ending.request).map(|id| id.to_string()),
        undo_until: ruling
            .filter(|ruling| ending.is_none() && now < ruling.effective_at)
            .map(|ruling| ruling.effective_at.into()),
    }
}

fn why(ruling: Option<&Ruling>, ending: Option<&Ending>) -> Option<String> {
    let note = ending.and_then(|ending| ending.note.clone());
    note.or_else(|| ruling.and_then(|ruling| ruling.reason.clone()))
}

fn origin_of(asked: &AskedRequest) -> String {
    format!("{} to {}", asked.via.in_words(), path_of(asked.terms.surface))
}

const fn path_of(surface: Surface) -> &'static str {
    match surface {
        Surface::OpenaiChat => "/v1/chat/completions",
        Surface::OpenaiResponses => "/v1/responses",
        Surface::OpenaiEmbeddings => "/v1/embeddings",
        Surface::OpenaiTranscription => "/v1/audio/transcriptions",
        Surface::OpenaiSpeech => "/v1/audio/speech",
        Surface::AnthropicMessages => "/v1/messages",
    }
}

const fn state_of(state: ApprovalState) -> dto::ApprovalState {
    match state {
        ApprovalState::Pending => dto::ApprovalState::Pending,
        ApprovalState::Approved => dto::ApprovalState::Approved,
        ApprovalState::Rejected => dto::ApprovalState::Rejected,
        ApprovalState::Expired => dto::ApprovalState::Expired,
        ApprovalState::Withdrawn => dto::ApprovalState::Withdrawn,
        ApprovalState::Consumed => dto::ApprovalState::Consumed,
        ApprovalState::Applied => dto::ApprovalState::Applied,
        ApprovalState::Failed => dto::ApprovalState::Failed,
    }
}

pub(super) async fn detail(
    app: &App,
    caller: &Caller,
    approval: &Approval,
) -> Result<dto::ApprovalDetail, AppError> {
    let mut detail = dto::ApprovalDetail {
        row: row(approval, caller, app.now()),
        shown: approval.shown.clone(),
        method: None,
        path: None,
        reasons: Vec::new(),
        targets: Vec::new(),
        parameters: Vec::new(),
        user: None,
        tags: Vec::new(),
        tokens_in: None,
        budgets: Vec::new(),
        previous: None,
        other_targets: Vec::new(),
        change: None,
        may_decide: may_decide(caller, approval, admins(app).await?),
    };
    match &approval.subject {
        Subject::Request(asked) => {
            detail.method = Some("POST".to_owned());
            detail.path = Some(path_of(asked.terms.surface).to_owned());
            detail.reasons = asked.reasons.iter().map(|reason| sentence(&reason.to_string())).collect();
            detail.targets = asked.targets.iter().map(ToString::to_string).collect();
            detail.parameters = asked.parameters.iter().map(tag).collect();
            detail.user = asked.terms.user.as_deref().map(visible);
            detail.tags = asked.terms.tags.iter().map(tag).collect();
            detail.tokens_in = u32::try_from(asked.asked.bound.tokens_in).ok();
            let target = asked.targets.first().filter(|_| approval.state_at(app.now()).is_open());
            if let Some(target) = target {
                detail.budgets = effect::of(app, asked, target).await?;
            }
            detail.previous = previous(app, approval, asked).await?;
            detail.other_targets = other_targets(app, asked).await?;
        }
        Subject::Change(change) => {
            detail.change = Some(dto::AskedChange {
                kind: change.kind.as_str().to_owned(),
                before: change.before.clone().map(dto::JsonText),
                after: change.after.clone().map(dto::JsonText),
                impact: change.impact.clone().map(dto::JsonText),
            });
        }
    }
    Ok(detail)
}

fn tag((name, value): &(String, String)) -> dto::Tag {
    dto::Tag { name: visible(name), value: visible(value) }
}

fn may_decide(caller: &Caller, approval: &Approval, admins: u32) -> dto::MayDecide {
    let role = caller.must_be(Role::Admin).map_err(|error| error.message);
    let own = || {
        let fault = approval.may_be_decided_by(&caller.id, admins);
        fault.map_err(|fault| sentence(&fault.to_string()))
    };
    match role.and_then(|()| own()) {
        Ok(()) => dto::MayDecide { allowed: true, why: None },
        Err(why) => dto::MayDecide { allowed: false, why: Some(why) },
    }
}

/// The last approval like it, and in what this one differs. What earlier ones said is not kept, so texts can only be told
/// to be the same or not.
async fn previous(
    app: &App,
    approval: &Approval,
    asked: &AskedRequest,
) -> Result<Option<dto::PreviousApproval>, AppError> {
    let store = &app.control().store;
    let last = store.last_approved_like(&asked.terms.operation, &approval.submitter.id, approval.id).await?;
    let known = last.as_ref().and_then(|last| Some((last, last.request().ok()?, last.ruling.as_ref()?)));
    let Some((last, before, ruling)) = known else { return Ok(None) };
    Ok(Some(dto::PreviousApproval {
        id: last.id.to_string(),
        decided_by: ruling.by.clone(),
        decided_at: ruling.at.into(),
        differences: differences(before, asked),
    }))
}

fn differences(before: &AskedRequest, after: &AskedRequest) -> Vec<dto::ApprovalDifference> {
    let facts = |asked: &AskedRequest| {
        let cost = |cost: Option<NanoUsd>| cost.map(|cost| format!("${cost}"));
        let targets: Vec<String> = asked.targets.iter().map(ToString::to_string).collect();
        let mut facts = vec![
            ("text", Some(asked.terms.body.to_string().chars().take(12).collect())),
            ("targets", Some(targets.join(", "))),
            ("max cost", cost(asked.terms.ceiling)),
            ("input tokens", Some(asked.asked.bound.tokens_in.to_string())),
            ("user", asked.terms.user.as_deref().map(visible)),
            ("route version", Some(asked.terms.route_version.to_string())),
        ];
        facts.extend(asked.parameters.iter().map(|(name, value)| (name.as_str(), Some(value.clone()))));
        facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Vec<_>>()
    };
    let (before, after) = (facts(before), facts(after));
    let value = |facts: &[(String, Option<String>)], name: &str| {
        facts.iter().find(|(known, _)| known == name).and_then(|(_, value)| value.clone())
    };
    let mut names = BTreeSet::new();
    after
        .iter()
        .chain(&before)
        .filter(|(name, _)| names.insert(name.clone()))
        .map(|(name, _)| dto::ApprovalDifference {
            name: name.clone(),
            before: value(&before, name),
            after: value(&after, name),
        })
        .filter(|difference| difference.before != difference.after)
        .collect()
}

/// Every target that could serve the operation now and is not asked for already.
async fn other_targets(app: &App, asked: &AskedRequest) -> Result<Vec<String>, AppError> {
    let live = app.live().await?;
    let Some(entry) = live.snapshot.operations.get(&asked.terms.operation) else { return Ok(Vec::new()) };
    let (capability, allowed) = (entry.operation.capability, &entry.operation.allowed_providers);
    let mut targets: Vec<String> = live
        .snapshot
        .models
        .keys()
        .filter(|target| allowed.is_empty() || allowed.contains(&target.provider))
        .filter(|target| asked.targets.first() != Some(target))
        .filter(|target| readiness(&live.snapshot, target, capability).is_none())
        .map(ToString::to_string)
        .collect();
    targets.sort();
    Ok(targets)
}

#[cfg(test)]
mod tests {
    use signalbox_core::approval::{Digest, Reason, Terms};
    use signalbox_core::decide::Asked;
    use signalbox_core::entry::EntryPath;
    use signalbox_core::ids::OperationId;

    use super::*;

    fn asked(max_tokens: &str, body: &str) -> AskedRequest {
        AskedRequest {
            terms: Terms {
                surface: Surface::OpenaiChat,
                operation: OperationId::new("chat_message").unwrap(),
                key: None,
                user: None,
                tags: Vec::new(),
                pinned: None,
                route_version: 1,
                body: Digest::of(body.as_bytes()),
                ceiling: Some(NanoUsd::from_nanos(1)),
            },
            reasons: vec![Reason::Always],
            via: EntryPath::Gateway,
            targets: vec!["a/m".parse().unwrap()],
            asked: Asked::default(),
            parameters: vec![("max_tokens".to_owned(), max_tokens.to_owned())],
        }
    }

    #[test]
    fn only_what_differs_from_the_last_one_is_listed() {
        assert_eq!(differences(&asked("5", "a"), &asked("5", "a")), []);
        let changed = differences(&asked("5", "a"), &asked("9", "b"));
        let names: Vec<&str> = changed.iter().map(|change| change.name.as_str()).collect();
        assert_eq!(names, ["text", "max_tokens"]);
        assert_eq!((changed[1].before.as_deref(), changed[1].after.as_deref()), (Some("5"), Some("9")));
        let gone = differences(&asked("5", "a"), &AskedRequest { parameters: Vec::new(), ..asked("5", "a") });
        assert_eq!((gone[0].before.as_deref(), &gone[0].after), (Some("5"), &None));
    }
}
