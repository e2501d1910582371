//! Approvals: asked once, decided once, used once.

use signalbox_core::approval::{
    Approval, ApprovalState, AskedChange, AskedRequest, Digest, PENDING_MAX, REJECTION_HOLDS_US, Reason,
    Risk, Submitter, Terms, UNDO_US,
};
use signalbox_core::change::ChangeKind;
use signalbox_core::decide::Asked;
use signalbox_core::entry::EntryPath;
use signalbox_core::ids::{ChangeId, KeyId, RequestId};
use signalbox_core::ledger::Surface;
use signalbox_core::money::NanoUsd;
use signalbox_core::time::Timestamp;
use signalbox_store::{ConfigEdit, ConfigWrite, FiledApproval, QueuePlace, Store, StoreError};

use crate::database::on_both_databases;
use crate::samples::{HOSTILE, MIDNIGHT, SECOND, change, operation_id, stored, target};

fn at(second: i64) -> Timestamp {
    MIDNIGHT.plus_micros(second * SECOND)
}

fn submitter(id: &str) -> Submitter {
    Submitter { id: id.to_owned(), name: HOSTILE.replace('\0', ""), person: None }
}

/// A request that says `body`, asked at a second by a submitter; it expires after a thousand.
fn asked(body: &str, by: &str, risk: Risk, second: i64) -> Approval {
    let terms = Terms {
        surface: Surface::OpenaiChat,
        operation: operation_id("chat_message"),
        key: Some(KeyId::generate()),
        user: Some("ada".to_owned()),
        tags: vec![("b".to_owned(), "1".to_owned()), ("a".to_owned(), "2".to_owned())],
        pinned: Some(target("openrouter/openai/gpt")),
        route_version: 3,
        body: Digest::of(body.as_bytes()),
        ceiling: Some(NanoUsd::from_nanos(i64::MAX)),
    };
    let request = AskedRequest {
        terms: Terms { key: None, ..terms },
        reasons: vec![
            Reason::Above { limit: NanoUsd::from_nanos(1) },
            Reason::BudgetUsedUp { budget: "day".to_owned() },
        ],
        via: EntryPath::Gateway,
        targets: vec![target("a/m")],
        asked: Asked::default(),
        parameters: vec![("max_tokens".to_owned(), "5".to_owned())],
    };
    Approval::of_request(request, submitter(by), risk, body.to_owned(), at(second), 1_000)
}

async fn file(store: &Store, approval: &Approval) {
    assert_eq!(store.file_approval(approval, PENDING_MAX).await.unwrap(), FiledApproval::New);
}

fn decided(approval: &Approval, base: &Approval) -> ConfigEdit {
    let writes =
        vec![ConfigWrite::PutApproval { approval: Box::new(approval.clone()), base_version: base.version }];
    ConfigEdit { writes, change: change(ChangeKind::Approval, &approval.id.to_string()) }
}

fn without_shown(approval: &Approval) -> Approval {
    Approval { shown: None, ..approval.clone() }
}

on_both_databases! {
    async fn an_approval_is_read_back_as_it_was_asked_decided_and_used(db: &Database) {
        let store = &db.store;
        let pending = asked(HOSTILE, "key_1", Risk::Low, 0);
        file(store, &pending).await;
        let read = store.approval(pending.id).await.unwrap().unwrap();
        assert_eq!(read, Approval { shown: Some(stored(HOSTILE)), ..pending.clone() });
        assert_eq!(read.hash(), pending.hash());
        let elsewhere = Some((target("b/m"), Some(NanoUsd::from_nanos(7))));
        let approved = pending.approve("bob", Some("fine".to_owned()), elsewhere, 0, at(1)).unwrap();
        store.write_config(vec![decided(&approved, &pending)]).await.unwrap();
        assert_eq!(without_shown(&store.approval(pending.id).await.unwrap().unwrap()), without_shown(&approved));
        let request = RequestId::generate();
        let used = approved.consume(request, at(2)).unwrap();
        assert!(store.step_approval(&used, approved.version).await.unwrap());
        assert_eq!(db.open_again().await.approval(pending.id).await.unwrap(), Some(used));
        assert_eq!(store.approval_of_request(request).await.unwrap(), Some(pending.id));
    }

    async fn of_two_steps_at_once_one_takes_effect(db: &Database) {
        let store = &db.store;
        let pending = asked("once", "key_1", Risk::Low, 0);
        file(store, &pending).await;
        let yes = pending.approve("bob", None, None, 0, at(1)).unwrap();
        let no = pending.reject("ann", None, 0, at(1)).unwrap();
        store.write_config(vec![decided(&yes, &pending)]).await.unwrap();
        let late = store.write_config(vec![decided(&no, &pending)]).await;
        assert!(matches!(late, Err(StoreError::Conflict { kind: "approval", current_version: 2, .. })), "{late:?}");
        let other = db.open_again().await;
        let use_it = |request| yes.consume(request, at(2)).unwrap();
        let (one, two) = (use_it(RequestId::generate()), use_it(RequestId::generate()));
        let (first, second) = tokio::join!(store.step_approval(&one, 2), other.step_approval(&two, 2));
        assert_eq!(u32::from(first.unwrap()) + u32::from(second.unwrap()), 1);
    }

    async fn what_ended_never_changes_and_no_approval_is_deleted_or_asked_otherwise(db: &Database) {
        let store = &db.store;
        let pending = asked("end", "key_1", Risk::Low, 0);
        file(store, &pending).await;
        let gone = pending.withdraw("bob", None, at(1)).unwrap();
        assert!(store.step_approval(&gone, 1).await.unwrap());
        let raw = |statement: &'static str| db.run_behind_its_back(statement);
        assert!(raw("UPDATE approvals SET state = 'pending'").await.is_err());
        assert!(raw("UPDATE approvals SET repeats = 5").await.is_err());
        assert!(raw("DELETE FROM approvals").await.is_err());
        let other = asked("other", "key_1", Risk::Low, 0);
        file(store, &other).await;
        assert!(raw("UPDATE approvals SET subject = '{}' WHERE state = 'pending'").await.is_err());
        assert!(raw("UPDATE approvals SET expires_at = 0 WHERE state = 'pending'").await.is_err());
        assert!(raw("UPDATE approvals SET state = 'approved' WHERE state = 'pending'").await.is_err(), "nobody decided");
        assert!(raw("UPDATE approvals SET state = 'consumed' WHERE state = 'pending'").await.is_err());
    }

    async fn the_identical_request_waits_once_and_is_answered_with_what_it_has(db: &Database) {
        let store = &db.store;
        let first = asked("same", "key_1", Risk::Low, 0);
        file(store, &first).await;
        let again = |second| asked("same", "key_1", Risk::Low, second);
        let known = store.file_approval(&again(1), PENDING_MAX).await.unwrap();
        assert!(matches!(&known, FiledApproval::Known(known) if known.id == first.id), "{known:?}");
        store.note_approval_repeats(&[(first.id, 4)]).await.unwrap();
        assert_eq!(store.approval(first.id).await.unwrap().unwrap().repeats, 5);
        let no = first.reject("bob", Some("too dear".to_owned()), UNDO_US, at(2)).unwrap();
        store.write_config(vec![decided(&no, &first)]).await.unwrap();
        let known = store.file_approval(&again(3), PENDING_MAX).await.unwrap();
        assert!(matches!(&known, FiledApproval::Known(known) if known.state == ApprovalState::Rejected));
        let later = 3 + REJECTION_HOLDS_US / SECOND;
        file(store, &again(later)).await;
        let expired = later + 1_000;
        file(store, &again(expired)).await;
        assert_eq!(store.approval_counts(at(0), at(expired)).await.unwrap().pending, 1);
        let ended = store.approvals_decided(None, 9).await.unwrap();
        assert_eq!(ended.iter().map(|one| one.state).collect::<Vec<_>>(), [ApprovalState::Expired, ApprovalState::Rejected]);
    }

    async fn nobody_fills_the_queue_for_the_others(db: &Database) {
        let store = &db.store;
        for number in 0..3 {
            assert_eq!(store.file_approval(&asked(&number.to_string(), "key_1", Risk::Low, 0), 3).await.unwrap(), FiledApproval::New);
        }
        assert_eq!(store.file_approval(&asked("3", "key_1", Risk::Low, 0), 3).await.unwrap(), FiledApproval::Full);
        assert_eq!(store.file_approval(&asked("3", "key_2", Risk::Low, 0), 3).await.unwrap(), FiledApproval::New);
        assert_eq!(store.file_approval(&asked("4", "key_1", Risk::Low, 1_000), 3).await.unwrap(), FiledApproval::New);
    }

    async fn the_queue_is_riskiest_then_oldest_first_and_paged_without_gaps(db: &Database) {
        let store = &db.store;
        let queue = [
            asked("a", "key_1", Risk::High, 5),
            asked("b", "key_1", Risk::High, 7),
            asked("c", "key_1", Risk::Medium, 1),
            asked("d", "key_1", Risk::Low, 0),
        ];
        for approval in queue.iter().rev() {
            file(store, approval).await;
        }
        let (mut read, mut after) = (Vec::new(), None);
        loop {
            let page = store.approvals_waiting(after, 2, at(10)).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(QueuePlace { risk: last.risk, created_at: last.created_at, id: last.id });
            read.extend(page);
        }
        assert_eq!(read, queue.each_ref().map(without_shown));
        assert!(store.approvals_waiting(None, 9, at(1_007)).await.unwrap().is_empty(), "nothing past its time waits");
        assert_eq!(store.open_approvals(9).await.unwrap().len(), 4);
    }

    async fn what_was_decided_is_listed_last_step_first(db: &Database) {
        let store = &db.store;
        let (one, two) = (asked("1", "key_1", Risk::Low, 0), asked("2", "key_1", Risk::Low, 0));
        for (approval, second) in [(&one, 5), (&two, 3)] {
            file(store, approval).await;
            let yes = approval.approve("bob", None, None, 0, at(second)).unwrap();
            store.write_config(vec![decided(&yes, approval)]).await.unwrap();
        }
        let ids = |page: Vec<Approval>| page.into_iter().map(|approval| approval.id).collect::<Vec<_>>();
        assert_eq!(ids(store.approvals_decided(None, 1).await.unwrap()), [one.id]);
        assert_eq!(ids(store.approvals_decided(Some((at(5), one.id)), 9).await.unwrap()), [two.id]);
        let counts = store.approval_counts(at(4), at(10)).await.unwrap();
        assert_eq!((counts.pending, counts.decided), (0, 1));
        let like = store.last_approved_like(&operation_id("chat_message"), "key_1", two.id).await.unwrap();
        assert_eq!(like.map(|like| like.id), Some(one.id));
        assert!(store.last_approved_like(&operation_id("chat_message"), "key_2", two.id).await.unwrap().is_none());
    }

    async fn what_a_rejected_request_said_is_forgotten(db: &Database) {
        let store = &db.store;
        let pending = asked("said", "key_1", Risk::Low, 0);
        file(store, &pending).await;
        let no = pending.reject("bob", None, UNDO_US, at(1)).unwrap();
        store.write_config(vec![decided(&no, &pending)]).await.unwrap();
        let shown = async || store.approval(pending.id).await.unwrap().unwrap().shown;
        assert_eq!(shown().await.as_deref(), Some("said"));
        assert_eq!(store.forget_rejected_requests(at(0)).await.unwrap(), 0);
        assert_eq!(store.forget_rejected_requests(at(1)).await.unwrap(), 1);
        assert_eq!(shown().await, None);
    }

    async fn a_change_is_filed_and_applied_with_its_writes_or_not_at_all(db: &Database) {
        let store = &db.store;
        let asked = AskedChange {
            kind: ChangeKind::Setting,
            subject: "log_payloads".to_owned(),
            sentence: HOSTILE.replace('\0', ""),
            proposed: r#"{"b":1,"a":2}"#.to_owned(),
            before: None,
            after: Some("\"on\"".to_owned()),
            impact: None,
            monthly_impact: None,
        };
        let pending = Approval::of_change(asked, submitter("ann"), at(0), 1_000);
        let file = |approval: &Approval| {
            let writes = vec![ConfigWrite::FileApproval { approval: Box::new(approval.clone()) }];
            vec![ConfigEdit { writes, change: change(ChangeKind::Approval, &approval.id.to_string()) }]
        };
        store.write_config(file(&pending)).await.unwrap();
        assert!(matches!(store.write_config(file(&pending)).await, Err(StoreError::AlreadyExists { .. })));
        assert_eq!(store.approval(pending.id).await.unwrap(), Some(pending.clone()));
        let done = pending.approve("bob", None, None, 0, at(1)).unwrap().apply(ChangeId::generate(), at(1)).unwrap();
        let apply = || {
            let writes = vec![
                ConfigWrite::PutSetting { key: "log_payloads".to_owned(), value: "on".to_owned() },
                ConfigWrite::PutApproval { approval: Box::new(done.clone()), base_version: pending.version },
            ];
            vec![ConfigEdit { writes, change: change(ChangeKind::Setting, "log_payloads") }]
        };
        store.write_config(apply()).await.unwrap();
        let revision = store.revision().await.unwrap();
        assert!(matches!(store.write_config(apply()).await, Err(StoreError::Conflict { .. })));
        assert_eq!(store.revision().await.unwrap(), revision);
        assert_eq!(store.approval(pending.id).await.unwrap(), Some(done));
    }
}
