//! The inbox of alerts, where they are told, and what became of each telling.

use signalbox_core::alert::channel::SecretNote;
use signalbox_core::alert::{
    Alert, AlertKind, AlertRule, Cause, Channel, DeliveryState, Escalation, Means, Planned, QuietHours,
    Severity,
};
use signalbox_core::ids::{AlertId, ChannelId, DeliveryId};
use signalbox_core::time::Timestamp;
use signalbox_store::{AlertFilter, AlertKept, ConfigWrite, DeliveryFilter, NewDelivery, StoreError};

use crate::database::on_both_databases;
use crate::samples::{HOSTILE, MIDNIGHT, edit, stored};

fn after(seconds: i64) -> Timestamp {
    MIDNIGHT.plus_micros(seconds * 1_000_000)
}

fn alert(kind: AlertKind, key: &str, seconds: i64) -> Alert {
    Alert {
        id: AlertId::generate(),
        at: after(seconds),
        kind,
        subject: "alpha/gpt".to_owned(),
        sentence: format!("{key} after {seconds} s"),
        key: key.to_owned(),
    }
}

fn rule(kind: AlertKind) -> AlertRule {
    AlertRule { window_s: 100, ..AlertRule::usual(kind) }
}

fn delivery(channel: ChannelId, cause: Cause, seconds: i64) -> NewDelivery {
    NewDelivery {
        id: DeliveryId::generate(),
        planned: Planned { channel, at: after(seconds), cause },
        channel_name: HOSTILE.to_owned(),
        means: "discord",
    }
}

fn discord() -> Channel {
    let note = SecretNote { hint: "discord.com …k3Qa".to_owned(), set_at: MIDNIGHT, previous_until: None };
    Channel {
        id: ChannelId::generate(),
        name: HOSTILE.to_owned(),
        means: Means::Discord,
        secret: Some(note),
        version: 1,
        ..Channel::desktop()
    }
}

on_both_databases! {
    async fn a_state_is_one_alert_until_its_window_is_over_and_every_time_is_counted(db: &Database) {
        let (store, kind) = (&db.store, AlertKind::CircuitOpened);
        let (first, again, later) = (alert(kind, "a", 0), alert(kind, "a", 99), alert(kind, "a", 100));
        let channel = ChannelId::generate();
        for (raised, kept) in [
            (&first, AlertKept::New),
            (&again, AlertKept::Again(first.id)),
            (&later, AlertKept::New),
            (&alert(kind, "b", 100), AlertKept::New),
        ] {
            let deliveries = [delivery(channel, Cause::Raised, 0)];
            assert_eq!(store.keep_alert(raised, 1, &rule(kind), &deliveries).await.unwrap(), kept);
        }
        let inbox = store.alerts(&AlertFilter::default(), 9).await.unwrap();
        assert_eq!(inbox.len(), 3);
        let oldest = inbox.last().unwrap();
        assert_eq!((oldest.alert.id, oldest.times, oldest.last_at), (first.id, 2, after(99)));
        assert_eq!(oldest.alert.sentence, "a after 99 s");
        assert_eq!(store.deliveries(&DeliveryFilter::default(), 9).await.unwrap().len(), 3);
        assert_eq!(store.open_alerts().await.unwrap(), [(Severity::Warning, 3)]);
    }

    async fn many_that_raise_one_state_at_once_make_one_alert(db: &Database) {
        let other = db.open_again().await;
        let raise = |index: i64| {
            let store = if index % 2 == 0 { &db.store } else { &other };
            let raised = alert(AlertKind::BudgetExhausted, "day", index);
            async move { store.keep_alert(&raised, 1, &rule(raised.kind), &[]).await.unwrap() }
        };
        let kept = futures::future::join_all((0..20).map(raise)).await;
        assert_eq!(kept.iter().filter(|kept| **kept == AlertKept::New).count(), 1);
        assert_eq!(db.store.alerts(&AlertFilter::default(), 9).await.unwrap()[0].times, 20);
        other.close().await;
    }

    async fn a_circuit_that_closes_ends_the_alert_that_it_opened_and_one_that_opens_again_reopens_it(db: &Database) {
        let store = &db.store;
        let opened = alert(AlertKind::CircuitOpened, "a", 0);
        let escalated = delivery(ChannelId::generate(), Cause::Escalated, 600);
        store.keep_alert(&opened, 1, &rule(opened.kind), &[escalated]).await.unwrap();
        let closed = alert(AlertKind::CircuitClosed, "a", 10);
        store.keep_alert(&closed, 1, &rule(closed.kind), &[]).await.unwrap();
        let read = store.alert(opened.id).await.unwrap().unwrap();
        assert_eq!(read.resolved_at, Some(after(10)));
        let left = store.deliveries(&DeliveryFilter::default(), 9).await.unwrap();
        assert_eq!(left[0].state, DeliveryState::Dropped);
        store.keep_alert(&alert(AlertKind::CircuitOpened, "a", 20), 1, &rule(opened.kind), &[]).await.unwrap();
        assert_eq!(store.alert(opened.id).await.unwrap().unwrap().resolved_at, None);
    }

    async fn the_inbox_is_paged_newest_first_and_filtered(db: &Database) {
        let store = &db.store;
        let alerts = [
            alert(AlertKind::CircuitOpened, "a", 1),
            alert(AlertKind::HistoryBroken, "b", 2),
            Alert { sentence: HOSTILE.to_owned(), subject: HOSTILE.to_owned(), ..alert(AlertKind::Anomaly, HOSTILE, 3) },
        ];
        for raised in &alerts {
            store.keep_alert(raised, 1, &rule(raised.kind), &[]).await.unwrap();
        }
        let page = store.alerts(&AlertFilter::default(), 2).await.unwrap();
        assert_eq!(page.iter().map(|kept| kept.alert.id).collect::<Vec<_>>(), [alerts[2].id, alerts[1].id]);
        let before = Some((page[1].alert.at, page[1].alert.id));
        let rest = store.alerts(&AlertFilter { before, ..AlertFilter::default() }, 2).await.unwrap();
        assert_eq!(rest[0].alert, alerts[0]);
        let critical = AlertFilter { severity: Some(Severity::Critical), ..AlertFilter::default() };
        assert_eq!(store.alerts(&critical, 9).await.unwrap()[0].alert.id, alerts[1].id);
        let anomalies = AlertFilter { kind: Some(AlertKind::Anomaly), ..AlertFilter::default() };
        assert_eq!(store.alerts(&anomalies, 9).await.unwrap().len(), 1);
    }

    async fn what_a_person_has_seen_is_told_to_nobody_else(db: &Database) {
        let store = &db.store;
        let (seen, unseen) = (alert(AlertKind::Anomaly, "a", 0), alert(AlertKind::Anomaly, "b", 0));
        for raised in [&seen, &unseen] {
            let (first, second) =
                (delivery(ChannelId::generate(), Cause::Raised, 0), delivery(ChannelId::generate(), Cause::Escalated, 600));
            store.keep_alert(raised, 1, &rule(raised.kind), &[first, second]).await.unwrap();
        }
        assert_eq!(store.acknowledge_alerts(Some(&[seen.id]), "ann", after(5)).await.unwrap(), 1);
        assert_eq!(store.acknowledge_alerts(Some(&[seen.id]), "ben", after(6)).await.unwrap(), 0);
        let read = store.alert(seen.id).await.unwrap().unwrap();
        assert_eq!(read.acknowledged, Some((after(5), "ann".to_owned())));
        let waiting = DeliveryFilter { state: Some(DeliveryState::Waiting), ..DeliveryFilter::default() };
        assert_eq!(store.deliveries(&waiting, 9).await.unwrap().len(), 3);
        let of_seen = DeliveryFilter { alert: Some(seen.id), ..waiting.clone() };
        assert_eq!(store.deliveries(&of_seen, 9).await.unwrap()[0].cause, Cause::Raised);
        let open = AlertFilter { is_open: true, ..AlertFilter::default() };
        assert_eq!(store.alerts(&open, 9).await.unwrap()[0].alert.id, unseen.id);
        assert_eq!(store.acknowledge_alerts(None, "ann", after(7)).await.unwrap(), 1);
        assert!(store.open_alerts().await.unwrap().is_empty());
    }

    async fn a_due_delivery_is_taken_by_one_and_comes_back_when_its_try_never_ended(db: &Database) {
        let (store, channel) = (&db.store, ChannelId::generate());
        let raised = alert(AlertKind::Anomaly, "a", 0);
        let (now, later) = (delivery(channel, Cause::Raised, 0), delivery(channel, Cause::Raised, 60));
        let desktop = NewDelivery { means: "desktop", ..delivery(ChannelId::DESKTOP, Cause::Raised, 0) };
        store.keep_alert(&raised, 1, &rule(raised.kind), &[now.clone(), later.clone(), desktop]).await.unwrap();
        let due = store.due_deliveries(after(1), false, 9).await.unwrap();
        assert_eq!(due.iter().map(|due| due.id).collect::<Vec<_>>(), [now.id]);
        assert_eq!(store.due_deliveries(after(1), true, 9).await.unwrap().len(), 2);
        assert!(store.claim_delivery(&due[0], after(60)).await.unwrap());
        assert!(!store.claim_delivery(&due[0], after(60)).await.unwrap());
        assert_eq!(store.next_delivery_at(false).await.unwrap(), Some(after(60)));
        // Its try never ended: it is due once more.
        let due = store.due_deliveries(after(60), false, 9).await.unwrap();
        assert_eq!((due.len(), due.iter().map(|due| due.tries).max()), (2, Some(1)));
        store.postpone_delivery(now.id, after(90), HOSTILE).await.unwrap();
        store.end_delivery(later.id, DeliveryState::Failed, Some(HOSTILE), after(61)).await.unwrap();
        assert_eq!(store.next_delivery_at(false).await.unwrap(), Some(after(90)));
        let failed = DeliveryFilter { state: Some(DeliveryState::Failed), ..DeliveryFilter::default() };
        let failed = store.deliveries(&failed, 9).await.unwrap();
        assert_eq!((failed.len(), failed[0].ended_at), (1, Some(after(61))));
        assert!(failed[0].error.is_some());
    }

    async fn a_trial_of_a_channel_is_listed_with_its_end_and_is_no_alert(db: &Database) {
        let trial = delivery(ChannelId::generate(), Cause::Test, 0);
        db.store.insert_trial(&trial, DeliveryState::Failed, Some("answered 404"), MIDNIGHT).await.unwrap();
        let of_channel = DeliveryFilter { channel: Some(trial.planned.channel), ..DeliveryFilter::default() };
        let listed = db.store.deliveries(&of_channel, 9).await.unwrap();
        assert_eq!((listed[0].alert, listed[0].tries, listed[0].state), (None, 1, DeliveryState::Failed));
        assert_eq!(db.store.next_delivery_at(true).await.unwrap(), None);
        assert!(db.store.alerts(&AlertFilter::default(), 9).await.unwrap().is_empty());
    }

    async fn what_is_old_is_forgotten_whole(db: &Database) {
        let store = &db.store;
        let (old, new) = (alert(AlertKind::Anomaly, "a", 0), alert(AlertKind::Anomaly, "b", 500));
        for raised in [&old, &new] {
            let told = [delivery(ChannelId::generate(), Cause::Raised, 0)];
            store.keep_alert(raised, 1, &rule(raised.kind), &told).await.unwrap();
        }
        store.forget_alerts(after(100)).await.unwrap();
        let inbox = store.alerts(&AlertFilter::default(), 9).await.unwrap();
        assert_eq!(inbox.iter().map(|kept| kept.alert.id).collect::<Vec<_>>(), [new.id]);
        let told = store.deliveries(&DeliveryFilter::default(), 9).await.unwrap();
        assert_eq!(told.iter().map(|told| told.alert).collect::<Vec<_>>(), [Some(new.id)]);
    }

    async fn channels_and_rules_are_read_back_as_they_were_written_and_no_version_is_overwritten(db: &Database) {
        let store = &db.store;
        let channel = discord();
        let rule = AlertRule {
            quiet: Some(QuietHours::new(1_320, 420, "Europe/Berlin").unwrap()),
            escalation: Some(Escalation { after_min: 15, channels: vec![channel.id] }),
            channels: Some(vec![channel.id]),
            ..AlertRule::usual(AlertKind::Anomaly)
        };
        store
            .write_config(vec![edit(vec![
                ConfigWrite::PutChannel { channel: channel.clone(), base_version: None },
                ConfigWrite::PutAlertRule { kind: AlertKind::Anomaly, rule: Some(rule.clone()) },
            ])])
            .await
            .unwrap();
        let read = store.load_config().await.unwrap().alerting;
        let name = stored(HOSTILE);
        assert_eq!(read.channels, [Channel::desktop(), Channel { name: name.clone(), ..channel.clone() }]);
        assert_eq!(read.rule(AlertKind::Anomaly), rule);
        assert_eq!(read.rule(AlertKind::JobStalled), AlertRule::usual(AlertKind::JobStalled));

        let newer = Channel { enabled: false, version: 2, ..channel.clone() };
        let put = |base_version| vec![edit(vec![ConfigWrite::PutChannel { channel: newer.clone(), base_version }])];
        assert!(matches!(store.write_config(put(None)).await, Err(StoreError::AlreadyExists { .. })));
        store.write_config(put(Some(1))).await.unwrap();
        let refused = store.write_config(put(Some(1))).await;
        assert!(matches!(refused, Err(StoreError::Conflict { current_version: 2, .. })));
        let remove = |base_version| vec![edit(vec![
            ConfigWrite::RemoveChannel { id: channel.id, base_version },
            ConfigWrite::PutAlertRule { kind: AlertKind::Anomaly, rule: None },
        ])];
        assert!(store.write_config(remove(1)).await.is_err());
        store.write_config(remove(2)).await.unwrap();
        assert!(matches!(store.write_config(remove(2)).await, Err(StoreError::NotFound { .. })));
        let read = store.load_config().await.unwrap().alerting;
        assert_eq!((read.channels.len(), read.rules.len()), (1, 0));
    }
}
