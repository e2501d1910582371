//! What was can be told for any instant and written out; a way back is shown before it is taken; a history that was changed
//! is said to be.

use serde_json::{Value, json};
use signalbox_app::{App, Code, changes, dto, keys, models, operations, providers, settings};
use signalbox_core::change::{Change, ChangeKind};
use signalbox_core::ids::ChangeId;
use signalbox_core::toggle::Toggle;
use signalbox_store::ConfigEdit;
use signalbox_testkit::TestApp;

use crate::desk::{Desk, anna, of};

#[tokio::test]
async fn the_configuration_is_told_as_it_was_at_any_instant() {
    let running = TestApp::start().await.unwrap();
    let desk = Desk::of(&running).await;
    let (app, me) = (&desk.app, &anna());
    let then = async || dto::Instant(running.engine.control.now().to_string());
    let state = async |at: dto::Instant| changes::state_at(app, me, at).await.unwrap().things;
    let find = |things: &[dto::ThingState], kind: &str, name: &str| {
        things.iter().find(|thing| thing.kind == kind && thing.name == name).cloned()
    };
    let fresh = then().await;
    let route = operations::find(app, me, "chat_message").await.unwrap();
    let off = dto::RouteDraft { enabled: false, ..route.draft() };
    operations::route_apply(app, me, off).await.unwrap();
    let input = of(json!({"name": "second", "kind": "openai", "base_url": "https://api.example.com/v1"}));
    providers::add(app, me, input).await.unwrap();
    let model = of(
        json!({"provider": "second", "model": "m", "input_usd_per_mtok": "1", "output_usd_per_mtok": "2"}),
    );
    models::add(app, me, model).await.unwrap();
    let grown = then().await;
    providers::remove(app, me, "second").await.unwrap();
    let gone = then().await;

    let (fresh, grown, gone) = (state(fresh).await, state(grown).await, state(gone).await);
    assert!(find(&fresh, "provider", "second").is_none() && find(&fresh, "model", "second/m").is_none());
    assert!(find(&grown, "provider", "second").is_some() && find(&grown, "model", "second/m").is_some());
    assert!(find(&gone, "provider", "second").is_none() && find(&gone, "model", "second/m").is_none());
    let enabled = |things: &[dto::ThingState]| {
        let route = find(things, "route", "chat_message").unwrap();
        let state: Value = serde_json::from_str(&route.state.0).unwrap();
        (state["operation"]["enabled"].as_bool().unwrap(), route.seq.is_some())
    };
    assert_eq!(enabled(&fresh), (true, false));
    assert_eq!(enabled(&grown), (false, true));
    // What nobody ever touched is told as well.
    let names =
        |things: &[dto::ThingState], kind: &str| things.iter().filter(|thing| thing.kind == kind).count();
    let operations = operations::list(app, me).await.unwrap().len();
    for things in [&fresh, &grown, &gone] {
        assert_eq!(names(things, "route"), operations);
        assert!(
            find(things, "setting", "max_requests").is_some() && find(things, "person", "local").is_some()
        );
    }
    let before = changes::state_at(app, me, dto::Instant("2001-01-01T00:00:00Z".to_owned())).await;
    assert_eq!(before.unwrap_err().code, Code::Refused);
}

#[tokio::test]
async fn an_export_has_every_entry_that_passes_and_no_cell_a_spreadsheet_would_run() {
    let running = TestApp::start().await.unwrap();
    let desk = Desk::of(&running).await;
    let (app, me) = (&desk.app, &anna());
    let setting =
        |value: &str, reason: &str| of(json!({"name": "max_requests", "value": value, "reason": reason}));
    settings::set(app, me, setting("7", "=HYPERLINK(\"http://evil\")")).await.unwrap();
    settings::set(app, me, setting("8", "@later")).await.unwrap();
    let filter = dto::ChangeFilter {
        kind: Some("setting".to_owned()),
        subject: Some("max_requests".to_owned()),
        ..dto::ChangeFilter::default()
    };
    assert_eq!(changes::count(app, me, filter.clone()).await.unwrap(), 2);

    let mut csv = Vec::new();
    let rows = changes::export(app, me, filter.clone(), dto::HistoryFormat::Csv, &mut csv).await.unwrap();
    let text = String::from_utf8(csv).unwrap();
    assert_eq!((rows, text.lines().count()), (2, 3));
    assert!(text.starts_with(
        "seq,at,actor,source,kind,subject,sentence,reason,approval,before,after,prev_hash,hash"
    ));
    assert!(text.contains("\"'=HYPERLINK(\"\"http://evil\"\")\"") && text.contains(",'@later,"), "{text}");

    let mut json = Vec::new();
    changes::export(app, me, filter, dto::HistoryFormat::Json, &mut json).await.unwrap();
    let entries: Vec<Value> = serde_json::from_slice(&json).unwrap();
    assert_eq!(entries[1]["reason"], "=HYPERLINK(\"http://evil\")", "JSON keeps what was said");
    assert_eq!(entries[0]["prev_hash"], entries[1]["hash"]);
    let mut nothing = Vec::new();
    let none = dto::ChangeFilter { text: Some("no such words".to_owned()), ..dto::ChangeFilter::default() };
    assert_eq!(changes::export(app, me, none, dto::HistoryFormat::Json, &mut nothing).await.unwrap(), 0);
    assert_eq!(serde_json::from_slice::<Vec<Value>>(&nothing).unwrap(), Vec::<Value>::new());
}

#[tokio::test]
async fn a_revert_is_shown_before_it_is_made_and_does_what_it_showed() {
    let running = TestApp::start().await.unwrap();
    let desk = Desk::of(&running).await;
    let (app, me) = (&desk.app, &anna());
    let key = keys::create(app, me, of(json!({"name": "crm"}))).await.unwrap().key;
    let limit = |most: u32| of(json!({"id": key.id, "limits": {"concurrent": most}}));
    keys::set_limits(app, me, limit(3)).await.unwrap();
    let first = desk.newest().await;
    keys::set_limits(app, me, limit(5)).await.unwrap();
    assert!(first.revertible);
    let shown = changes::revert_preview(app, me, first.seq).await.unwrap();
    assert_eq!(shown.later, 1);
    changes::revert(app, me, first.seq, None).await.unwrap();
    let made = desk.newest().await;
    assert_eq!((made.before, made.after), (shown.before, shown.after));
    let keys_now = keys::list(app, me).await.unwrap();
    assert_eq!(keys_now.iter().find(|known| known.id == key.id).unwrap().limits.concurrent, None);
    // The secrets stay what they are.
    let rotated = keys::rotate(app, me, of(json!({"id": key.id, "overlap_hours": 1}))).await.unwrap().key;
    keys::set_limits(app, me, limit(7)).await.unwrap();
    let newest = desk.newest().await.seq;
    changes::revert(app, me, newest, None).await.unwrap();
    let back = keys::find(app, me, &key.id).await.unwrap();
    assert_eq!((&back.last4, back.former.is_some()), (&rotated.last4, true));
    // A key that is revoked stays so.
    keys::revoke(app, me, &key.id).await.unwrap();
    assert!(!desk.newest().await.revertible);
    assert_eq!(changes::revert(app, me, first.seq, None).await.unwrap_err().code, Code::Refused);
}

#[tokio::test]
async fn a_history_changed_behind_our_back_is_said_at_the_next_start() {
    let running = TestApp::start().await.unwrap();
    let (app, me) = (App::with_engine(running.engine.clone()).unwrap(), anna());
    settings::set(&app, &me, of(json!({"name": "max_requests", "value": "7"}))).await.unwrap();
    drop(app);
    running.stop().await;
    let file = running.database_file();
    let sentence = b"max_requests is 7 instead of";
    let found = async {
        // The last connection brings it into the file as it closes, on a thread of its own.
        loop {
            let bytes = std::fs::read(&file).unwrap();
            let places: Vec<usize> =
                (0..bytes.len() - sentence.len()).filter(|at| bytes[*at..].starts_with(sentence)).collect();
            if !places.is_empty() {
                return (bytes, places);
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    let (mut bytes, places) = tokio::time::timeout(std::time::Duration::from_secs(20), found).await.unwrap();
    for at in places {
        bytes[at + 16] = b'9';
    }
    std::fs::write(&file, bytes).unwrap();
    let running = running.restart().await.unwrap();
    let app = App::with_engine(running.engine.clone()).unwrap();
    let mut changed = running.engine.events.subscribe();
    while signalbox_app::status::status(&app, &me).await.unwrap().history.is_none() {
        let _ = changed.recv().await;
    }
    let found = signalbox_app::status::status(&app, &me).await.unwrap().history.unwrap();
    assert_eq!(
        (found.intact, found.first_bad),
        (false, Some(3)),
        "the installation, a key, and then the setting"
    );
}

#[tokio::test]
async fn what_was_a_setting_and_is_a_toggle_now_goes_back_and_forth_as_a_toggle() {
    let running = TestApp::start().await.unwrap();
    let desk = Desk::of(&running).await;
    let (app, me) = (&desk.app, &anna());
    // As it was written before prompts were a toggle.
    let old = Change {
        id: ChangeId::generate(),
        at: running.engine.control.now(),
        actor: "anna".to_owned(),
        source: "cli".to_owned(),
        kind: ChangeKind::Setting,
        subject: "log_payloads".to_owned(),
        sentence: "log_payloads is false instead of true".to_owned(),
        before: Some("\"true\"".to_owned()),
        after: Some("\"false\"".to_owned()),
        reason: None,
        approval: None,
    };
    running.engine.control.write(vec![ConfigEdit { writes: Vec::new(), change: old }]).await.unwrap();
    let is_on = || running.engine.live().snapshot.toggles.is_on(Toggle::LogPayloads, None);
    let mut newest = desk.newest().await;
    assert!(newest.kind == "setting" && newest.revertible);
    for expected in [true, false, true] {
        changes::revert(app, me, newest.seq, None).await.unwrap();
        assert_eq!(is_on(), expected, "{}", newest.sentence);
        newest = desk.newest().await;
        assert_eq!((newest.kind.as_str(), newest.subject.as_str()), ("toggle", "log_payloads"));
    }
}
