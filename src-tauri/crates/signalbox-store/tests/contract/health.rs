//! Targets' health and the steps of their circuits.

use signalbox_core::breaker::{BreakerSettings, Cause, Circuit};
use signalbox_core::failure::FailureKind;
use signalbox_core::health::{Failed, FailureNote, TargetHealth};
use signalbox_core::ids::{HealthEventId, NodeId, ProviderName, RequestId};
use signalbox_core::route::Target;
use signalbox_store::{HealthEvent, HealthEventFilter};

use crate::database::on_both_databases;
use crate::samples::{HOSTILE, MIDNIGHT};

/// Failed three times at midnight.
fn broken() -> TargetHealth {
    let (mut health, settings) = (TargetHealth::default(), BreakerSettings::default());
    for _ in 0..3 {
        let permit = health.permit(settings, MIDNIGHT).unwrap().permit;
        let failed = Failed {
            kind: FailureKind::ServerError,
            message: HOSTILE.to_owned(),
            http_status: Some(500),
            latency_us: 5,
            retry_after_us: None,
            request: Some(RequestId::generate()),
        };
        health.failed(permit, &failed, settings, MIDNIGHT);
    }
    health
}

fn event(target: &str, second: i64) -> HealthEvent {
    let note = |note: &FailureNote| FailureNote { message: "boom".to_owned(), ..note.clone() };
    HealthEvent {
        id: HealthEventId::generate(),
        at: MIDNIGHT.plus_micros(second * 1_000_000),
        target: target.parse().unwrap(),
        from: Circuit::Closed,
        to: Circuit::Open,
        cause: Cause::Failures,
        actor: Some("ann".to_owned()),
        reason: Some("maintenance".to_owned()),
        calls: broken().failures().map(note).collect(),
    }
}

on_both_databases! {
    async fn an_open_circuit_is_read_back_as_it_was_by_its_own_node_only(db: &Database) {
        let (store, node) = (&db.store, NodeId::generate());
        let target: Target = "openrouter/openai/gpt".parse().unwrap();
        store.save_target_health(node, &[(target.clone(), TargetHealth::default())], MIDNIGHT).await.unwrap();
        store.save_target_health(node, &[(target.clone(), broken())], MIDNIGHT).await.unwrap();
        let read = store.target_health(node).await.unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!((&read[0].0, read[0].1.breaker().circuit()), (&target, Circuit::Open));
        assert_eq!(read[0].1.failures().count(), 3);
        assert!(store.target_health(NodeId::generate()).await.unwrap().is_empty());
    }

    async fn steps_are_written_once_paged_newest_first_and_filtered(db: &Database) {
        let store = &db.store;
        let events = [event("a/m", 1), event("b/m", 2), event("a/n", 3)];
        store.insert_health_events(&events).await.unwrap();
        store.insert_health_events(&events[..1]).await.unwrap();
        let page = store.health_events(&HealthEventFilter::default(), 2).await.unwrap();
        assert_eq!(page, [events[2].clone(), events[1].clone()]);
        let before = Some((page[1].at, page[1].id));
        let rest = HealthEventFilter { before, ..HealthEventFilter::default() };
        assert_eq!(store.health_events(&rest, 2).await.unwrap(), [events[0].clone()]);
        let provider = Some(ProviderName::new("a").unwrap());
        let of_a = HealthEventFilter { provider, ..HealthEventFilter::default() };
        assert_eq!(store.health_events(&of_a, 9).await.unwrap().len(), 2);
        let hostile = HealthEvent { actor: Some(HOSTILE.to_owned()), reason: Some(HOSTILE.to_owned()), ..event("c/m", 4) };
        store.insert_health_events(&[hostile]).await.unwrap();
        assert_eq!(store.health_events(&HealthEventFilter::default(), 9).await.unwrap().len(), 4);
    }
}
