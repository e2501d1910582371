use proptest::prelude::*;

use super::*;
use crate::decide::Asked;
use crate::ids::{KeyId, OperationId};
use crate::ledger::Surface;

/// Instants in these tests are seconds after this one.
fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(1_795_219_200_000_000).plus_micros(second * MICROS_PER_SECOND)
}

fn nanos(amount: i64) -> NanoUsd {
    NanoUsd::from_nanos(amount)
}

fn terms() -> Terms {
    Terms {
        surface: Surface::OpenaiChat,
        operation: OperationId::new("email_analysis").unwrap(),
        key: Some(KeyId::from_uuid(uuid::Uuid::nil())),
        user: Some("ada".to_owned()),
        tags: vec![("team".to_owned(), "growth".to_owned())],
        pinned: None,
        route_version: 3,
        body: Digest::of(b"{}"),
        ceiling: Some(nanos(700)),
    }
}

fn submitter() -> Submitter {
    Submitter { id: "key_1".to_owned(), name: "crm".to_owned(), person: Some("ann".to_owned()) }
}

/// A request that asks at second 0 and expires after 100.
fn request() -> Approval {
    let asked = AskedRequest {
        terms: terms(),
        reasons: vec![Reason::Always],
        via: EntryPath::Gateway,
        targets: vec!["a/m".parse().unwrap()],
        asked: Asked::default(),
        parameters: Vec::new(),
    };
    Approval::of_request(asked, submitter(), Risk::Low, "{}".to_owned(), at(0), 100)
}

fn change() -> Approval {
    let asked = AskedChange {
        kind: ChangeKind::Route,
        subject: "email_analysis".to_owned(),
        sentence: "a/m joins".to_owned(),
        proposed: "{}".to_owned(),
        before: None,
        after: None,
        impact: None,
        monthly_impact: Some(nanos(5)),
    };
    Approval::of_change(asked, submitter(), at(0), 100)
}

fn approved(approval: &Approval) -> Approval {
    approval.approve("bob", None, None, 0, at(1)).unwrap()
}

#[test]
fn every_state_leads_back_from_its_word() {
    for state in ApprovalState::ALL {
        assert_eq!(ApprovalState::from_word(state.as_str()), Some(*state));
        assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
    }
}

#[test]
fn a_request_runs_once_from_asked_to_consumed_and_what_it_said_is_kept_no_longer() {
    let request = request();
    assert_eq!(request.grants(&terms(), at(1)), Err(ApprovalFault::Undecided));
    let yes = approved(&request);
    assert_eq!((yes.version, yes.state, yes.shown.as_deref()), (2, ApprovalState::Approved, Some("{}")));
    assert_eq!(yes.grants(&terms(), at(2)), Ok(Grant { target: None }));
    let id = RequestId::generate();
    let used = yes.consume(id, at(2)).unwrap();
    assert_eq!((used.state, used.shown.as_deref()), (ApprovalState::Consumed, None));
    assert_eq!(used.ending.as_ref().and_then(|ending| ending.request), Some(id));
    assert_eq!(used.consume(id, at(3)), Err(ApprovalFault::Already(ApprovalState::Consumed)));
    assert_eq!(used.grants(&terms(), at(3)), Err(ApprovalFault::Already(ApprovalState::Consumed)));
}

#[test]
fn a_decision_counts_only_once_it_can_no_longer_be_taken_back() {
    let yes = request().approve("bob", None, None, UNDO_US, at(1)).unwrap();
    assert_eq!(yes.public_state_at(at(5)), ApprovalState::Pending);
    assert_eq!(yes.grants(&terms(), at(5)), Err(ApprovalFault::NotYet(at(6))));
    assert_eq!(yes.consume(RequestId::generate(), at(5)), Err(ApprovalFault::NotYet(at(6))));
    let back = yes.undo(at(5)).unwrap();
    assert_eq!((back.state, &back.ruling, back.version), (ApprovalState::Pending, &None, 3));
    assert_eq!(yes.undo(at(6)), Err(ApprovalFault::TooLate(at(6))));
    assert_eq!(yes.public_state_at(at(6)), ApprovalState::Approved);
    assert!(yes.grants(&terms(), at(6)).is_ok());
    let no = request().reject("bob", None, UNDO_US, at(1)).unwrap();
    assert_eq!(
        (no.public_state_at(at(5)), no.public_state_at(at(6))),
        (ApprovalState::Pending, ApprovalState::Rejected)
    );
    assert_eq!(no.undo(at(5)).unwrap().state, ApprovalState::Pending);
}

#[test]
fn after_its_time_nothing_comes_of_it() {
    let yes = approved(&request());
    assert!(yes.grants(&terms(), at(99)).is_ok());
    assert_eq!(yes.grants(&terms(), at(100)), Err(ApprovalFault::Expired(at(100))));
    assert_eq!(yes.consume(RequestId::generate(), at(100)), Err(ApprovalFault::Expired(at(100))));
    assert_eq!(request().approve("bob", None, None, 0, at(100)), Err(ApprovalFault::Expired(at(100))));
    assert_eq!(request().expire(at(99)), Err(ApprovalFault::NotYet(at(100))));
    assert_eq!(
        (request().expire(at(100)).unwrap().state, yes.state_at(at(100))),
        (ApprovalState::Expired, ApprovalState::Expired)
    );
}

#[test]
fn an_approval_that_nobody_used_can_be_withdrawn() {
    let gone = approved(&request()).withdraw("bob", Some("wrong model".to_owned()), at(2)).unwrap();
    assert_eq!(gone.ending.as_ref().and_then(|ending| ending.note.as_deref()), Some("by bob: wrong model"));
    assert_eq!(gone.grants(&terms(), at(3)), Err(ApprovalFault::Already(ApprovalState::Withdrawn)));
}

#[test]
fn nobody_approves_their_own_while_another_admin_could() {
    assert_eq!(request().may_be_decided_by("ann", 2), Err(ApprovalFault::Own));
    assert_eq!(request().may_be_decided_by("ann", 1), Ok(()));
    assert_eq!(request().may_be_decided_by("bob", 2), Ok(()));
}

#[test]
fn another_target_is_allowed_up_to_what_it_may_cost_there_and_only_for_a_request() {
    let elsewhere = Some(("b/m".parse().unwrap(), Some(nanos(900))));
    let yes = request().approve("bob", None, elsewhere.clone(), 0, at(1)).unwrap();
    assert_eq!(yes.grants(&terms(), at(1)).unwrap().target, Some("b/m".parse().unwrap()));
    assert_eq!((yes.grants_elsewhere(Some(nanos(900))), yes.ceiling()), (Ok(()), Some(nanos(900))));
    assert!(yes.grants_elsewhere(Some(nanos(901))).is_err() && yes.grants_elsewhere(None).is_err());
    assert_eq!(change().approve("bob", None, elsewhere, 0, at(1)), Err(ApprovalFault::OtherKind("change")));
}

#[test]
fn a_change_is_applied_or_fails_and_is_never_consumed() {
    let yes = approved(&change());
    assert_eq!(yes.consume(RequestId::generate(), at(2)), Err(ApprovalFault::OtherKind("change")));
    assert_eq!(
        approved(&request()).apply(ChangeId::generate(), at(2)),
        Err(ApprovalFault::OtherKind("request"))
    );
    let (done, failed) =
        (yes.apply(ChangeId::generate(), at(2)).unwrap(), yes.fail("moved".to_owned(), at(2)).unwrap());
    assert_eq!((done.state, failed.state), (ApprovalState::Applied, ApprovalState::Failed));
    assert!(
        done.apply(ChangeId::generate(), at(3)).is_err()
            && failed.apply(ChangeId::generate(), at(3)).is_err()
    );
    assert!(change().apply(ChangeId::generate(), at(2)).is_err());
}

/// The nine ways a request can be another one.
fn mutated(field: usize, salt: &str) -> Terms {
    let mut other = terms();
    match field {
        0 => other.surface = Surface::AnthropicMessages,
        1 => other.operation = OperationId::new("chat_message").unwrap(),
        2 => other.key = None,
        3 => other.user = Some(format!("ada{salt}")),
        4 => other.tags.push((salt.to_owned(), salt.to_owned())),
        5 => other.pinned = Some("a/m".parse().unwrap()),
        6 => other.route_version += 1,
        7 => other.body = Digest::of(salt.as_bytes()),
        _ => other.ceiling = Some(nanos(701)),
    }
    other
}

/// What may happen to an approval.
#[derive(Debug, Clone, Copy)]
enum Step {
    Approve,
    Reject,
    Undo,
    Withdraw,
    Expire,
    Consume,
    Apply,
    Fail,
}

fn taken(step: Step, approval: &Approval, now: Timestamp) -> Result<Approval, ApprovalFault> {
    match step {
        Step::Approve => approval.approve("bob", None, None, UNDO_US, now),
        Step::Reject => approval.reject("bob", None, UNDO_US, now),
        Step::Undo => approval.undo(now),
        Step::Withdraw => approval.withdraw("bob", None, now),
        Step::Expire => approval.expire(now),
        Step::Consume => approval.consume(RequestId::generate(), now),
        Step::Apply => approval.apply(ChangeId::generate(), now),
        Step::Fail => approval.fail(String::new(), now),
    }
}

/// The states a step may lead from and to; all else is illegal.
fn is_legal(from: ApprovalState, to: ApprovalState) -> bool {
    use ApprovalState::{Applied, Approved, Consumed, Expired, Failed, Pending, Rejected, Withdrawn};
    match from {
        Pending => matches!(to, Approved | Rejected | Expired | Withdrawn),
        // A decision goes back to pending only while it does not count yet.
        Approved => matches!(to, Consumed | Applied | Failed | Expired | Withdrawn | Pending),
        Rejected => to == Pending,
        Expired | Withdrawn | Consumed | Applied | Failed => false,
    }
}

fn any_step() -> impl Strategy<Value = Step> {
    use Step::{Apply, Approve, Consume, Expire, Fail, Reject, Undo, Withdraw};
    prop::sample::select(vec![Approve, Reject, Undo, Withdraw, Expire, Consume, Apply, Fail])
}

proptest! {
    #[test]
    fn any_single_field_that_differs_refuses_the_request(field in 0..9_usize, salt in "[a-z]{1,8}") {
        let yes = approved(&request());
        let other = mutated(field, &salt);
        prop_assert!(yes.grants(&other, at(2)).is_err());
        prop_assert_ne!(other.digest(), terms().digest());
        prop_assert_eq!(other.fingerprint() == terms().fingerprint(), field == 8, "only the ceiling is not the question");
    }

    #[test]
    fn any_two_requests_that_differ_anywhere_never_share_an_approval(
        user in "[ab]{0,2}", tags in prop::collection::vec(("[ab]{1,2}", "[ab]{0,2}"), 0..3), version in 0..3_u32, body in "[ab]{0,2}",
        other_user in "[ab]{0,2}", other_tags in prop::collection::vec(("[ab]{1,2}", "[ab]{0,2}"), 0..3), other_version in 0..3_u32, other_body in "[ab]{0,2}",
    ) {
        let one = Terms { user: Some(user), tags, route_version: version, body: Digest::of(body.as_bytes()), ..terms() };
        let other = Terms { user: Some(other_user), tags: other_tags, route_version: other_version, body: Digest::of(other_body.as_bytes()), ..terms() };
        prop_assert_eq!(one == other, one.difference(&other).is_none());
        prop_assert_eq!(one == other, one.digest() == other.digest());
    }

    #[test]
    fn no_walk_takes_an_illegal_step_uses_anything_twice_or_comes_back_from_an_end(
        is_change in any::<bool>(), steps in prop::collection::vec((any_step(), 0..30_i64), 0..40),
    ) {
        let (mut approval, mut second, mut uses) = (if is_change { change() } else { request() }, 0, 0);
        for (step, wait) in steps {
            second += wait;
            let before = approval.clone();
            let Ok(next) = taken(step, &approval, at(second)) else { continue };
            prop_assert!(is_legal(before.state, next.state), "{:?} -> {:?}", before.state, next.state);
            prop_assert_eq!(next.version, before.version + 1);
            let kept = |of: &Approval| (of.id, of.subject.clone(), of.created_at, of.expires_at);
            prop_assert_eq!(kept(&next), kept(&before));
            if matches!(next.state, ApprovalState::Consumed | ApprovalState::Applied) {
                uses += 1;
                let ruling = next.ruling.as_ref().unwrap();
                prop_assert!(at(second) >= ruling.effective_at && at(second) < next.expires_at);
                prop_assert_eq!(next.state == ApprovalState::Applied, is_change);
            }
            prop_assert!(next.state.is_open() || next.state == ApprovalState::Rejected || next.shown.is_none());
            approval = next;
        }
        prop_assert!(uses <= 1);
    }
}
