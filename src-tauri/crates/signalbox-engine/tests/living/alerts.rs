//! Alerts on real channels: a web server, a mail server, a desktop.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use signalbox_core::alert::channel::SecretNote;
use signalbox_core::alert::{
    AlertKind, AlertRule, Channel, DeliveryState, Escalation, Means, QuietHours, Security, Severity,
};
use signalbox_core::ids::ChannelId;
use signalbox_engine::alerts::courier::try_channel;
use signalbox_engine::alerts::{Notifier, new_signing_key};
use signalbox_store::{AlertFilter, ConfigWrite, Delivery, DeliveryFilter, KeptAlert};
use signalbox_testkit::{FakeClock, MailServer, Receiver, TestApp};

use crate::support::{CHAT, clocked, one_vendor};

const KIND: AlertKind = AlertKind::Anomaly;

/// Adds a channel that takes every alert, with its secret.
async fn add(app: &TestApp, name: &str, means: Means, secret: Option<&str>) -> Channel {
    let now = app.engine.control.now();
    let note = SecretNote { hint: "…".to_owned(), set_at: now, previous_until: None };
    let channel = Channel {
        id: ChannelId::generate(),
        name: name.to_owned(),
        least: Severity::Info,
        means,
        secret: secret.map(|_| note),
        version: 1,
        ..Channel::desktop()
    };
    if let Some(secret) = secret {
        app.engine.control.store_channel_secret(&channel, SecretString::from(secret), false).await.unwrap();
    }
    app.write(vec![ConfigWrite::PutChannel { channel: channel.clone(), base_version: None }]).await.unwrap();
    channel
}

async fn slack(app: &TestApp, name: &str, receiver: &Receiver) -> Channel {
    add(app, name, Means::Slack, Some(&receiver.url(&format!("/hooks/{name}-secret")))).await
}

async fn rule(app: &TestApp, rule: AlertRule) {
    app.write(vec![ConfigWrite::PutAlertRule { kind: KIND, rule: Some(rule) }]).await.unwrap();
}

fn raise(app: &TestApp, key: &str) {
    app.engine.alerts.raise(KIND, "crm", key, format!("{key} is unusual."));
}

/// Waits until the deliveries are as wanted.
async fn deliveries(app: &TestApp, what: &str, is_so: impl Fn(&[Delivery]) -> bool) -> Vec<Delivery> {
    let waiting = async {
        loop {
            let known = app.engine.control.store.deliveries(&DeliveryFilter::default(), 99).await.unwrap();
            if is_so(&known) {
                return known;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(20), waiting).await;
    assert!(in_time.is_ok(), "it never came about: {what}");
    in_time.unwrap()
}

fn all_ended(known: &[Delivery]) -> bool {
    !known.is_empty() && known.iter().all(|delivery| delivery.state != DeliveryState::Waiting)
}

async fn inbox(app: &TestApp) -> Vec<KeptAlert> {
    app.engine.control.store.alerts(&AlertFilter::default(), 99).await.unwrap()
}

fn later(app: &TestApp, clock: &FakeClock, by: Duration) {
    clock.advance(by);
    app.engine.alerts.look_again();
}

#[tokio::test]
async fn a_program_gets_signed_json_that_the_reference_implementation_verifies() {
    let (app, receiver) = (TestApp::start().await.unwrap(), Receiver::start().await.unwrap());
    let key = new_signing_key().unwrap();
    let url = receiver.url("/hook?team=ops").parse().unwrap();
    add(&app, "program", Means::Webhook { url }, Some(key.expose_secret())).await;
    raise(&app, "today");
    let told = deliveries(&app, "it was told", all_ended).await;
    assert_eq!((told.len(), told[0].state, told[0].tries), (1, DeliveryState::Sent, 1));
    let received = receiver.received();
    assert_eq!((received.len(), &*received[0].path), (1, "/hook?team=ops"));
    let mut headers = reqwest::header::HeaderMap::new();
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        headers.insert(name, received[0].headers[name].parse().unwrap());
    }
    let reference = standardwebhooks::Webhook::new(key.expose_secret()).unwrap();
    reference.verify(&received[0].body, &headers).unwrap();
    assert!(reference.verify(b"{}", &headers).is_err());
    let body: Value = serde_json::from_slice(&received[0].body).unwrap();
    assert_eq!((&body["type"], &body["data"]["kind"]), (&"alert.raised".into(), &"anomaly".into()));
    assert_eq!(body["data"]["sentence"], "today is unusual.");
    assert_eq!(received[0].headers["webhook-id"], told[0].id.to_string());
}

#[tokio::test]
async fn while_a_signing_key_is_replaced_both_keys_sign() {
    let (app, receiver) = (TestApp::start().await.unwrap(), Receiver::start().await.unwrap());
    let (old, new) = (new_signing_key().unwrap(), new_signing_key().unwrap());
    let url = receiver.url("/hook").parse().unwrap();
    let channel = add(&app, "program", Means::Webhook { url }, Some(old.expose_secret())).await;
    let control = &app.engine.control;
    control.store_channel_secret(&channel, new.clone(), true).await.unwrap();
    let until = control.now().plus_micros(3_600_000_000);
    let note = SecretNote { hint: "…".to_owned(), set_at: control.now(), previous_until: Some(until) };
    let channel = Channel { secret: Some(note), version: 2, ..channel };
    app.write(vec![ConfigWrite::PutChannel { channel, base_version: Some(1) }]).await.unwrap();
    raise(&app, "today");
    deliveries(&app, "it was told", all_ended).await;
    let received = receiver.received().remove(0);
    let mut headers = reqwest::header::HeaderMap::new();
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        headers.insert(name, received.headers[name].parse().unwrap());
    }
    for key in [&old, &new] {
        let reference = standardwebhooks::Webhook::new(key.expose_secret()).unwrap();
        reference.verify(&received.body, &headers).unwrap();
    }
}

#[tokio::test]
async fn a_state_that_comes_up_a_hundred_times_is_told_once_and_counted() {
    let (app, receiver) = (TestApp::start().await.unwrap(), Receiver::start().await.unwrap());
    slack(&app, "ops", &receiver).await;
    for _ in 0..100 {
        raise(&app, "today");
    }
    deliveries(&app, "it was told", all_ended).await;
    let waiting = async {
        while inbox(&app).await[0].times < 100 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting).await.unwrap();
    assert_eq!((inbox(&app).await.len(), receiver.received().len()), (1, 1));
}

#[tokio::test]
async fn what_a_receiver_could_not_take_is_tried_again_also_after_a_restart() {
    let (app, clock) = clocked().await;
    let receiver = Receiver::start().await.unwrap();
    slack(&app, "ops", &receiver).await;
    receiver.answer(503, Vec::new(), "not now");
    raise(&app, "today");
    let failed =
        deliveries(&app, "a try failed", |known| known.iter().any(|known| known.error.is_some())).await;
    assert_eq!((failed[0].state, failed[0].tries), (DeliveryState::Waiting, 1));
    assert_eq!(failed[0].error.as_deref(), Some("the receiver answered 503: not now"));
    assert_eq!(failed[0].due_at.micros_since(app.engine.control.now()), 30_000_000);

    let app = app.restart().await.unwrap();
    assert_eq!(receiver.received().len(), 1, "not before its time");
    receiver.answer(200, Vec::new(), "ok");
    later(&app, &clock, Duration::from_secs(30));
    let told = deliveries(&app, "it was told", all_ended).await;
    assert_eq!((told[0].state, told[0].tries, receiver.received().len()), (DeliveryState::Sent, 2, 2));
}

#[tokio::test]
async fn a_receiver_that_asks_for_a_pause_gets_it() {
    let (app, _clock) = clocked().await;
    let receiver = Receiver::start().await.unwrap();
    slack(&app, "ops", &receiver).await;
    receiver.answer(429, vec![("retry-after", "90.2".to_owned())], "");
    raise(&app, "today");
    let failed =
        deliveries(&app, "a try failed", |known| known.iter().any(|known| known.error.is_some())).await;
    assert_eq!(failed[0].due_at.micros_since(app.engine.control.now()), 91_000_000);
}

#[tokio::test]
async fn what_no_waiting_cures_is_listed_as_failed_and_a_redirect_is_never_followed() {
    let (app, receiver) = (TestApp::start().await.unwrap(), Receiver::start().await.unwrap());
    let elsewhere = Receiver::start().await.unwrap();
    let secret_url = receiver.url("/hooks/ops-secret");
    slack(&app, "ops", &receiver).await;
    receiver.answer(404, Vec::new(), &format!("no such hook {secret_url}"));
    raise(&app, "one");
    let told = deliveries(&app, "it failed", all_ended).await;
    assert_eq!(told[0].state, DeliveryState::Failed);
    assert_eq!(told[0].error.as_deref(), Some("the receiver answered 404: no such hook [secret]"));
    receiver.answer(307, vec![("location", elsewhere.url("/"))], "");
    raise(&app, "two");
    deliveries(&app, "both failed", |known| known.len() == 2 && all_ended(known)).await;
    assert!(elsewhere.received().is_empty());
}

#[tokio::test]
async fn a_place_in_our_own_network_is_called_only_if_the_channel_is_marked_as_local() {
    let (app, receiver) = (TestApp::start().await.unwrap(), Receiver::start().await.unwrap());
    let local = slack(&app, "ops", &receiver).await;
    let port = receiver.addr.port();
    for url in
        [format!("https://localhost:{port}/x"), format!("https://127.0.0.1:{port}/x"), receiver.url("/x")]
    {
        let control = &app.engine.control;
        control.store_channel_secret(&local, SecretString::from(url.clone()), false).await.unwrap();
        let public = Channel { is_local: false, ..local.clone() };
        let refused = try_channel(control, None, &public).await.unwrap().unwrap_err();
        assert!(refused.why.contains("local"), "{url}: {}", refused.why);
    }
    assert!(receiver.received().is_empty());
    let trials = deliveries(&app, "trials are listed", |known| known.len() == 3).await;
    assert!(trials.iter().all(|trial| trial.state == DeliveryState::Failed && trial.alert.is_none()));
}

#[tokio::test]
async fn quiet_hours_hold_back_what_can_wait_until_they_are_over() {
    let (app, clock) = clocked().await;
    let receiver = Receiver::start().await.unwrap();
    slack(&app, "ops", &receiver).await;
    let quiet = Some(QuietHours::new(11 * 60, 14 * 60, "UTC").unwrap());
    rule(&app, AlertRule { quiet, ..AlertRule::usual(KIND) }).await;
    raise(&app, "today");
    app.engine.alerts.raise(
        AlertKind::HistoryBroken,
        "history",
        "history",
        "Entry 7 does not fit.".to_owned(),
    );
    let held = deliveries(&app, "the critical one was told", |known| {
        known.len() == 2 && known.iter().any(|known| known.state == DeliveryState::Sent)
    })
    .await;
    assert_eq!((inbox(&app).await.len(), receiver.received().len()), (2, 1));
    assert!(held.iter().any(|known| known.state == DeliveryState::Waiting && known.tries == 0));
    later(&app, &clock, Duration::from_mins(119));
    later(&app, &clock, Duration::from_mins(1));
    deliveries(&app, "both were told", all_ended).await;
    assert_eq!(receiver.received().len(), 2);
}

#[tokio::test]
async fn nobody_acknowledging_brings_it_to_the_second_round_and_acknowledging_spares_them() {
    let (app, clock) = clocked().await;
    let (first, second) = (Receiver::start().await.unwrap(), Receiver::start().await.unwrap());
    let one = slack(&app, "first", &first).await;
    let two = slack(&app, "second", &second).await;
    let escalation = Some(Escalation { after_min: 15, channels: vec![two.id] });
    rule(&app, AlertRule { channels: Some(vec![one.id]), escalation, ..AlertRule::usual(KIND) }).await;
    raise(&app, "seen");
    raise(&app, "unseen");
    deliveries(&app, "the first round is over", |known| {
        known.len() == 4 && known.iter().filter(|known| known.state == DeliveryState::Sent).count() == 2
    })
    .await;
    let seen = inbox(&app).await.into_iter().find(|kept| kept.alert.key == "seen").unwrap();
    let store = &app.engine.control.store;
    store.acknowledge_alerts(Some(&[seen.alert.id]), "ann", app.engine.control.now()).await.unwrap();
    assert!(second.received().is_empty());
    later(&app, &clock, Duration::from_mins(15));
    let ended = deliveries(&app, "the second round is over", all_ended).await;
    assert_eq!(second.received().len(), 1);
    let body: Value = serde_json::from_slice(&second.received()[0].body).unwrap();
    assert!(body["text"].as_str().unwrap().contains("not acknowledged"));
    assert_eq!(ended.iter().filter(|known| known.state == DeliveryState::Dropped).count(), 1);
}

#[tokio::test]
async fn mail_arrives_with_its_login_and_a_server_that_is_busy_is_asked_again() {
    let (app, clock) = clocked().await;
    let server = MailServer::start().await.unwrap();
    let means = Means::Email {
        host: "localhost".to_owned(),
        port: server.addr.port(),
        security: Security::None,
        username: Some("desk".to_owned()),
        from: "Signalbox <desk@example.com>".to_owned(),
        to: vec!["ann@example.com".to_owned(), "ben@example.com".to_owned()],
    };
    add(&app, "mail", means, Some("hunter2 and more")).await;
    server.refuse(Some("450 come back later"));
    raise(&app, "größer");
    let failed =
        deliveries(&app, "a try failed", |known| known.iter().any(|known| known.error.is_some())).await;
    assert_eq!(failed[0].state, DeliveryState::Waiting);
    assert!(failed[0].error.as_deref().unwrap().contains("come back later"), "{:?}", failed[0].error);
    server.refuse(None);
    later(&app, &clock, Duration::from_secs(30));
    deliveries(&app, "it was told", all_ended).await;
    let mail = server.mails().remove(0);
    assert_eq!(mail.login, Some(("desk".to_owned(), "hunter2 and more".to_owned())));
    assert_eq!((&*mail.from, mail.to.len()), ("desk@example.com", 2));
    assert!(mail.data.contains("Subject: [Signalbox] Warning: Unusual spending"), "{}", mail.data);
    assert!(mail.data.contains("Date: Sat, 21 Nov 2026 12:00:00 +0000"), "{}", mail.data);

    server.refuse(Some("550 no such person"));
    raise(&app, "two");
    let known = deliveries(&app, "it failed", |known| known.len() == 2 && all_ended(known)).await;
    assert_eq!(known[0].state, DeliveryState::Failed);
}

#[tokio::test]
async fn a_mail_server_that_cannot_encrypt_gets_no_mail_and_no_password() {
    let (app, server) = (TestApp::start().await.unwrap(), MailServer::start().await.unwrap());
    let means = Means::Email {
        host: "localhost".to_owned(),
        port: server.addr.port(),
        security: Security::StartTls,
        username: Some("desk".to_owned()),
        from: "desk@example.com".to_owned(),
        to: vec!["ann@example.com".to_owned()],
    };
    let channel = add(&app, "mail", means, Some("hunter2 and more")).await;
    let refused = try_channel(&app.engine.control, None, &channel).await.unwrap().unwrap_err();
    assert!(refused.why.contains("mail server"), "{}", refused.why);
    assert!(server.mails().is_empty());
}

#[derive(Debug, Default)]
struct Desktop(Mutex<Vec<(String, String)>>);

impl Notifier for Desktop {
    fn notify(&self, title: &str, body: &str) -> Result<(), String> {
        self.0.lock().unwrap().push((title.to_owned(), body.to_owned()));
        Ok(())
    }
}

#[tokio::test]
async fn the_desktop_shows_what_it_is_about_and_the_sentence_only_if_that_was_chosen() {
    let app = TestApp::start().await.unwrap();
    raise(&app, "before there is a desktop");
    let desktop = Arc::new(Desktop::default());
    app.engine.alerts.use_desktop(Arc::clone(&desktop) as Arc<dyn Notifier>);
    let without = tokio::time::timeout(Duration::from_secs(20), async {
        while inbox(&app).await.is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    without.await.unwrap();
    raise(&app, "one");
    deliveries(&app, "it was shown", all_ended).await;
    let shows = Channel { means: Means::Desktop { shows_text: true }, version: 1, ..Channel::desktop() };
    app.write(vec![ConfigWrite::PutChannel { channel: shows, base_version: None }]).await.unwrap();
    raise(&app, "two");
    let told = tokio::time::timeout(Duration::from_secs(20), async {
        while !desktop.0.lock().unwrap().iter().any(|(_, body)| body == "two is unusual.") {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    told.await.unwrap();
    let shown = desktop.0.lock().unwrap().clone();
    assert_eq!(shown[0], ("Signalbox: Unusual spending".to_owned(), "Open Signalbox to see it.".to_owned()));
}

#[tokio::test]
async fn no_secret_of_a_channel_is_in_the_database_or_its_log_and_none_opens_for_another_place() {
    let (app, receiver) = (TestApp::start().await.unwrap(), Receiver::start().await.unwrap());
    let channel = slack(&app, "canary", &receiver).await;
    raise(&app, "today");
    deliveries(&app, "it was told", all_ended).await;
    let control = &app.engine.control;
    let moved = Channel { means: Means::Discord, ..channel.clone() };
    assert!(control.channel_secret(&moved).await.is_err());
    control.forget_channel_secret(channel.id).await.unwrap();
    assert!(control.channel_secret(&channel).await.unwrap().is_none());
    for entry in std::fs::read_dir(app.data_dir()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            assert!(!String::from_utf8_lossy(&bytes).contains("canary-secret"), "{}", path.display());
        }
    }
}

#[tokio::test]
async fn a_receiver_that_never_answers_delays_no_request() {
    let app = TestApp::start().await.unwrap();
    let _vendor = one_vendor(&app).await;
    // It is bound and nobody accepts: the connection stands, and no answer comes.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", silent.local_addr().unwrap());
    add(&app, "silent", Means::Slack, Some(&url)).await;
    raise(&app, "today");
    deliveries(&app, "a try is on its way", |known| known.iter().any(|known| known.tries == 1)).await;
    let reply = tokio::time::timeout(Duration::from_secs(4), app.chat(CHAT, "Hello")).await.unwrap().unwrap();
    assert_eq!(reply.status, 200);
    let known = deliveries(&app, "the try is still on its way", |known| !known.is_empty()).await;
    assert_eq!((known[0].state, known[0].error.as_deref()), (DeliveryState::Waiting, None));
}
