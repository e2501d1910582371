//! Alerts as an admin works with them: rules, channels and their secrets, trials, the inbox.

#![expect(clippy::unwrap_used, reason = "tests stop at the first fault")]

use std::time::Duration;

use secrecy::ExposeSecret;
use signalbox_app::dto::{
    AlertChannelInput, AlertChannelPatch, AlertEscalation, AlertFilter, AlertRuleInput, AlertSeverity,
    ChangeFilter, ChannelMeans, DeliveryFilter, DeliveryState, MailSecurity, QuietHours, SecretInput,
};
use signalbox_app::{App, Caller, Code, Role, Source, alert_rules, alerts, changes, channels};
use signalbox_core::alert::AlertKind;
use signalbox_testkit::{Receiver, TestApp};

fn admin() -> Caller {
    Caller::local(Source::Cli)
}

fn over(app: &TestApp) -> App {
    App::with_engine(app.engine.clone()).unwrap()
}

fn slack(name: &str) -> AlertChannelInput {
    AlertChannelInput {
        name: name.to_owned(),
        enabled: true,
        least: AlertSeverity::Info,
        local: true,
        means: ChannelMeans::Slack,
    }
}

fn rule(kind: &str) -> AlertRuleInput {
    AlertRuleInput {
        kind: kind.to_owned(),
        enabled: true,
        severity: AlertSeverity::Warning,
        channels: None,
        quiet: None,
        window_s: 3_600,
        escalation: None,
        reason: None,
    }
}

fn secret(text: &str) -> SecretInput {
    SecretInput::new(text.to_owned())
}

#[tokio::test]
async fn a_channel_is_added_given_its_secret_tried_and_its_url_is_shown_nowhere() {
    let (running, receiver) = (TestApp::start().await.unwrap(), Receiver::start().await.unwrap());
    let app = over(&running);
    let added = channels::add(&app, &admin(), slack("ops")).await.unwrap();
    assert!(!added.ready && added.problem.is_some());
    let url = receiver.url("/hooks/canary-of-the-url-Zq7x");
    let set = channels::set_secret(&app, &admin(), &added.id, secret(&url)).await.unwrap();
    assert!(set.ready);
    assert_eq!(set.secret.as_ref().unwrap().hint, "127.0.0.1 …Zq7x");
    let trial = channels::test(&app, &admin(), &added.id).await.unwrap();
    assert!(trial.sent, "{:?}", trial.problem);
    receiver.answer(404, Vec::new(), &format!("nothing at {url}"));
    let trial = channels::test(&app, &admin(), &added.id).await.unwrap();
    assert_eq!(trial.problem.as_deref(), Some("The receiver answered 404: nothing at [secret]."));
    let listed = alerts::deliveries(&app, &admin(), DeliveryFilter::default(), None, 9).await.unwrap();
    let states: Vec<_> = listed.rows.iter().map(|row| row.state).collect();
    assert_eq!(states, [DeliveryState::Failed, DeliveryState::Sent]);
    let known = serde_json::to_string(&channels::list(&app, &admin()).await.unwrap()).unwrap();
    let history = changes::page(&app, &admin(), ChangeFilter::default(), None, 9).await.unwrap();
    let told = serde_json::to_string(&(known, history.rows, listed.rows)).unwrap();
    assert!(!told.contains("canary-of-the-url"), "{told}");
}

#[tokio::test]
async fn a_webhook_that_moves_forgets_its_key_and_a_new_key_signs_beside_the_old_one_for_a_day() {
    let running = TestApp::start().await.unwrap();
    let app = over(&running);
    let means = |url: &str| ChannelMeans::Webhook { url: url.to_owned() };
    let input = AlertChannelInput { local: false, means: means("https://a.example/hook"), ..slack("desk") };
    let added = channels::add(&app, &admin(), input.clone()).await.unwrap();
    for short in ["", "whsec_", "whsec_c2hvcnQ=", "hunter2"] {
        let refused = channels::set_secret(&app, &admin(), &added.id, secret(short)).await.unwrap_err();
        assert_eq!(refused.code, Code::Invalid, "{short}");
    }
    let (made, key) = channels::renew_signing_key(&app, &admin(), &added.id).await.unwrap();
    assert!(made.ready && made.secret.unwrap().previous_until.is_none());
    assert!(key.expose_secret().starts_with("whsec_"));
    let (again, other) = channels::renew_signing_key(&app, &admin(), &added.id).await.unwrap();
    assert!(again.secret.as_ref().unwrap().previous_until.is_some());
    assert_ne!(key.expose_secret(), other.expose_secret());
    let elsewhere = AlertChannelInput { means: means("https://b.example/hook"), ..input };
    let patch = AlertChannelPatch { id: added.id.clone(), base_version: again.version, channel: elsewhere };
    let moved = channels::update(&app, &admin(), patch.clone()).await.unwrap();
    assert!(!moved.ready && moved.secret.is_none());
    assert_eq!(channels::update(&app, &admin(), patch).await.unwrap_err().code, Code::Conflict);
}

#[tokio::test]
async fn what_cannot_be_a_channel_is_refused_with_its_field() {
    let running = TestApp::start().await.unwrap();
    let app = over(&running);
    let mail = |host: &str, port, from: &str, to: &[&str]| ChannelMeans::Email {
        host: host.to_owned(),
        port,
        security: MailSecurity::None,
        username: None,
        from: from.to_owned(),
        to: to.iter().map(|to| (*to).to_owned()).collect(),
    };
    let webhook = |url: &str| ChannelMeans::Webhook { url: url.to_owned() };
    for (means, local, field) in [
        (webhook("http://a.example"), false, "means.url"),
        (webhook("https://10.0.0.1/x"), false, "means.url"),
        (webhook("https://me:pw@a.example"), true, "means.url"),
        (mail("smtp.example", 25, "a@b.c", &["d@e.f"]), false, "means.security"),
        (mail("smtp example", 25, "a@b.c", &["d@e.f"]), true, "means.host"),
        (mail("smtp.example", 0, "a@b.c", &["d@e.f"]), true, "means.port"),
        (mail("smtp.example", 70_000, "a@b.c", &["d@e.f"]), true, "means.port"),
        (mail("smtp.example", 25, "nobody", &["d@e.f"]), true, "means.from"),
        (mail("smtp.example", 25, "a@b.c", &["d@e.f\r\nBcc: x@y.z"]), true, "means.to"),
        (mail("smtp.example", 25, "a@b.c", &[]), true, "means.to"),
    ] {
        let input = AlertChannelInput { means: means.clone(), local, ..slack("x") };
        let refused = channels::add(&app, &admin(), input).await.unwrap_err();
        assert_eq!((refused.code, &*refused.details[0].field), (Code::Invalid, field), "{means:?}");
    }
    channels::add(&app, &admin(), slack("ops")).await.unwrap();
    assert_eq!(channels::add(&app, &admin(), slack(" ops ")).await.unwrap_err().code, Code::AlreadyExists);
    let desktop = channels::list(&app, &admin()).await.unwrap().remove(0);
    let refused = channels::remove(&app, &admin(), &desktop.id, desktop.version).await.unwrap_err();
    assert_eq!(refused.code, Code::Refused);
}

#[tokio::test]
async fn the_desktops_channel_is_changed_like_any_other_and_two_admins_do_not_overwrite_each_other() {
    let running = TestApp::start().await.unwrap();
    let app = over(&running);
    let desktop = channels::list(&app, &admin()).await.unwrap().remove(0);
    let channel = AlertChannelInput {
        name: desktop.name.clone(),
        enabled: false,
        least: AlertSeverity::Critical,
        local: true,
        means: ChannelMeans::Desktop { shows_text: true },
    };
    let patch = AlertChannelPatch { id: desktop.id.clone(), base_version: desktop.version, channel };
    let off = channels::update(&app, &admin(), patch.clone()).await.unwrap();
    assert!(!off.enabled && off.means == ChannelMeans::Desktop { shows_text: true });
    assert!(channels::update(&app, &admin(), patch.clone()).await.is_err());
    let mut again = AlertChannelPatch { base_version: off.version, ..patch };
    again.channel.enabled = true;
    assert!(channels::update(&app, &admin(), again).await.unwrap().enabled);
}

#[tokio::test]
async fn a_rule_says_who_is_told_and_a_removed_channel_leaves_it() {
    let running = TestApp::start().await.unwrap();
    let app = over(&running);
    let (one, two) = (
        channels::add(&app, &admin(), slack("one")).await.unwrap(),
        channels::add(&app, &admin(), slack("two")).await.unwrap(),
    );
    let quiet =
        QuietHours { from: "22:00".to_owned(), until: "07:00".to_owned(), zone: "Europe/Berlin".to_owned() };
    let input = AlertRuleInput {
        channels: Some(vec![one.id.clone(), two.id.clone()]),
        quiet: Some(quiet.clone()),
        escalation: Some(AlertEscalation { after_min: 15, channels: vec![two.id.clone()] }),
        reason: Some("nights".to_owned()),
        ..rule("circuit_opened")
    };
    let set = alert_rules::set(&app, &admin(), input).await.unwrap();
    assert_eq!((set.quiet, set.is_usual), (Some(quiet), false));
    channels::remove(&app, &admin(), &two.id, two.version).await.unwrap();
    let rules = alert_rules::list(&app, &admin()).await.unwrap();
    assert_eq!(rules.len(), AlertKind::ALL.len());
    let left = rules.iter().find(|rule| rule.kind == "circuit_opened").unwrap();
    assert_eq!((left.channels.as_deref(), left.escalation.is_none()), (Some(&[one.id][..]), true));
    let usual = AlertRuleInput { ..rule("circuit_opened") };
    assert!(alert_rules::set(&app, &admin(), usual).await.unwrap().is_usual);
}

#[tokio::test]
async fn a_rule_out_of_its_bounds_is_refused_with_its_field_and_what_warns_of_tampering_cannot_be_off() {
    let running = TestApp::start().await.unwrap();
    let app = over(&running);
    let hours = |from: &str, zone: &str| {
        Some(QuietHours { from: from.to_owned(), until: "07:00".to_owned(), zone: zone.to_owned() })
    };
    let escalation = |after_min, channels: &[&str]| {
        let channels = channels.iter().map(|id| (*id).to_owned()).collect();
        Some(AlertEscalation { after_min, channels })
    };
    for (input, field) in [
        (AlertRuleInput { window_s: 0, ..rule("anomaly") }, "window_s"),
        (AlertRuleInput { quiet: hours("25:00", "UTC"), ..rule("anomaly") }, "quiet.from"),
        (AlertRuleInput { quiet: hours("07:00", "UTC"), ..rule("anomaly") }, "quiet"),
        (AlertRuleInput { quiet: hours("22:00", "Mars/Dome"), ..rule("anomaly") }, "quiet"),
        (AlertRuleInput { channels: Some(vec!["chn_x".to_owned()]), ..rule("anomaly") }, "channels"),
        (AlertRuleInput { escalation: escalation(0, &[]), ..rule("anomaly") }, "escalation.after_min"),
        (AlertRuleInput { escalation: escalation(5, &[]), ..rule("anomaly") }, "escalation.channels"),
        (rule("weather"), "kind"),
    ] {
        let refused = alert_rules::set(&app, &admin(), input).await.unwrap_err();
        assert_eq!(refused.details[0].field, field);
    }
    let off = AlertRuleInput { enabled: false, ..rule("toggle_tampered") };
    assert_eq!(alert_rules::set(&app, &admin(), off).await.unwrap_err().code, Code::Refused);
}

#[tokio::test]
async fn the_inbox_is_paged_and_acknowledged_and_a_viewer_only_looks() {
    let running = TestApp::start().await.unwrap();
    let app = over(&running);
    for key in ["one", "two", "three"] {
        running.engine.alerts.raise(AlertKind::Anomaly, "crm", key, format!("{key} is unusual."));
    }
    let waiting = async {
        while alerts::open(&app, &admin()).await.unwrap().warning < 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting).await.unwrap();
    let first = alerts::page(&app, &admin(), AlertFilter::default(), None, 2).await.unwrap();
    let rest = alerts::page(&app, &admin(), AlertFilter::default(), first.next.clone(), 2).await.unwrap();
    assert_eq!((first.rows.len(), rest.rows.len(), rest.next), (2, 1, None));
    let viewer = Caller { role: Role::Viewer, ..admin() };
    let id = first.rows[0].id.clone();
    let refused = alerts::acknowledge(&app, &viewer, Some(vec![id.clone()])).await.unwrap_err();
    assert_eq!(refused.code, Code::Forbidden);
    assert!(channels::add(&app, &viewer, slack("x")).await.is_err());
    assert!(channels::test(&app, &viewer, &id).await.is_err());
    let open = alerts::acknowledge(&app, &admin(), Some(vec![id])).await.unwrap();
    assert_eq!(open.warning, 2);
    let filter = AlertFilter { open: true, ..AlertFilter::default() };
    assert_eq!(alerts::page(&app, &admin(), filter, None, 9).await.unwrap().rows.len(), 2);
    assert_eq!(alerts::acknowledge(&app, &admin(), None).await.unwrap().warning, 0);
    assert!(alerts::acknowledge(&app, &admin(), Some(vec!["nonsense".to_owned()])).await.is_err());
}

#[tokio::test]
async fn a_change_of_a_channel_or_a_rule_is_put_back_from_the_history_and_a_secret_is_not() {
    let running = TestApp::start().await.unwrap();
    let app = over(&running);
    let newest = async || {
        changes::page(&app, &admin(), ChangeFilter::default(), None, 1).await.unwrap().rows.remove(0)
    };
    let revert = async |seq| changes::revert(&app, &admin(), seq, None).await;

    alert_rules::set(&app, &admin(), AlertRuleInput { window_s: 7_200, ..rule("anomaly") }).await.unwrap();
    let change = newest().await;
    assert!(change.revertible, "{}", change.sentence);
    revert(change.seq).await.unwrap();
    let rules = alert_rules::list(&app, &admin()).await.unwrap();
    assert!(rules.iter().find(|rule| rule.kind == "anomaly").unwrap().is_usual);

    let added = channels::add(&app, &admin(), slack("ops")).await.unwrap();
    assert!(!newest().await.revertible);
    let url = secret("http://127.0.0.1:9/hook");
    let set = channels::set_secret(&app, &admin(), &added.id, url).await.unwrap();
    assert!(!newest().await.revertible);
    let channel = AlertChannelInput { enabled: false, ..slack("ops") };
    let patch = AlertChannelPatch { id: set.id.clone(), base_version: set.version, channel };
    channels::update(&app, &admin(), patch).await.unwrap();
    revert(newest().await.seq).await.unwrap();
    let back = channels::find(&app, &admin(), &set.id).await.unwrap();
    assert!(back.enabled && back.ready, "{:?}", back.problem);
    channels::remove(&app, &admin(), &back.id, back.version).await.unwrap();
    revert(newest().await.seq).await.unwrap();
    let back = channels::find(&app, &admin(), &set.id).await.unwrap();
    assert_eq!((back.name.as_str(), back.secret.is_none()), ("ops", true));
}
