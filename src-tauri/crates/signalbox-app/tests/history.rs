//! What the history promises: each change of the configuration is one entry that says who, what, why and what it was
//! before; what was can be told for any instant; a way back is a change too.

#![expect(clippy::unwrap_used, reason = "tests stop at the first fault")]

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use signalbox_app::{
    App, AppError, Caller, Code, Role, Source, changes, drills, dto, health, keys, models, operations,
    people, prices, providers, secrets, settings,
};
use signalbox_testkit::TestApp;

fn of<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn anna() -> Caller {
    Caller { id: "anna".to_owned(), role: Role::Admin, source: Source::Cli }
}

/// A desk, and how many entries its history had when it was last looked at.
struct Desk {
    app: App,
    entries: u32,
}

impl Desk {
    async fn of(running: &TestApp) -> Self {
        let app = App::with_engine(running.engine.clone()).unwrap();
        let entries = changes::verify(&app, &anna()).await.unwrap().entries;
        Self { app, entries }
    }

    async fn newest(&self) -> dto::Change {
        let page = changes::page(&self.app, &anna(), dto::ChangeFilter::default(), None, 1).await.unwrap();
        page.rows.into_iter().next().unwrap()
    }

    /// What was done is one entry of this kind, with all it should say.
    async fn wrote<T>(&mut self, what: &str, kind: &str, done: Result<T, AppError>) -> T {
        let done = done.map_err(|error| format!("{what}: {error}")).unwrap();
        let chain = changes::verify(&self.app, &anna()).await.unwrap();
        assert!(chain.intact, "{what}");
        assert_eq!(chain.entries, self.entries + 1, "{what} is one entry");
        self.entries = chain.entries;
        let entry = self.newest().await;
        assert_eq!((entry.kind.as_str(), entry.seq), (kind, chain.entries), "{what}");
        assert_eq!((entry.actor.as_str(), entry.source.as_str()), ("anna", "cli"), "{what}");
        assert!(!entry.sentence.is_empty() && !entry.subject.is_empty(), "{what}");
        assert!(entry.before.is_some() || entry.after.is_some(), "{what} says what it was or is");
        done
    }

    async fn wrote_why<T>(&mut self, what: &str, kind: &str, done: Result<T, AppError>) -> T {
        let done = self.wrote(what, kind, done).await;
        assert_eq!(self.newest().await.reason.as_deref(), Some("because"), "{what}");
        done
    }
}

#[tokio::test]
async fn every_command_that_changes_something_is_one_entry_with_who_what_and_why() {
    let running = TestApp::start().await.unwrap();
    let mut desk = Desk::of(&running).await;
    let (app, me) = (desk.app.clone(), anna());
    let (app, me) = (&app, &me);

    let input = of(json!({"name": "second", "kind": "openai", "base_url": "https://api.example.com/v1"}));
    desk.wrote("a new provider", "provider", providers::add(app, me, input).await).await;
    let patch = of(json!({"name": "second", "base_version": 1, "enabled": false}));
    desk.wrote("a provider off", "provider", providers::update(app, me, patch).await).await;
    let secret = dto::SecretInput::new("sk-0123456789abcdef".to_owned());
    let set = providers::set_credential(app, me, "second", secret).await;
    desk.wrote("a credential", "credential", set).await;
    let cleared = providers::clear_credential(app, me, "second").await;
    desk.wrote("no credential", "credential", cleared).await;
    let model = of(
        json!({"provider": "second", "model": "m", "input_usd_per_mtok": "1", "output_usd_per_mtok": "2"}),
    );
    desk.wrote("a model", "model", models::add(app, me, model).await).await;
    let price = of(
        json!({"target": "second/m", "rates": [{"unit": "input_tokens", "usd": "3"}], "reason": "because"}),
    );
    desk.wrote_why("a price", "price", prices::set(app, me, price).await).await;
    let list = json!({"second/m": {"litellm_provider": "second", "mode": "chat",
        "input_cost_per_token": 0.000_007, "output_cost_per_token": 0.000_008}});
    let list = dto::PriceListInput { path: None, text: Some(list.to_string()) };
    let seen = prices::import::preview(app, me, list).await.unwrap();
    let choice = of(json!({"token": seen.token, "targets": ["second/m"], "reason": "because"}));
    desk.wrote_why("a price list", "price", prices::import::apply(app, me, choice).await).await;

    let before = operations::find(app, me, "chat_message").await.unwrap();
    let draft = dto::RouteDraft { enabled: false, reason: Some("because".to_owned()), ..before.draft() };
    desk.wrote_why("a route", "route", operations::route_apply(app, me, draft).await).await;
    let setting = of(json!({"name": "max_requests", "value": "7", "reason": "because"}));
    desk.wrote_why("a setting", "setting", settings::set(app, me, setting).await).await;
    let hold = of(json!({"provider": "simulator", "action": "hold", "reason": "because"}));
    desk.wrote_why("a circuit", "health", health::circuit(app, me, hold).await).await;

    let made = keys::create(app, me, of(json!({"name": "crm"}))).await;
    let key = desk.wrote("a key", "key", made).await.key;
    let limits = of(json!({"id": key.id, "limits": {"concurrent": 3}}));
    desk.wrote("a key's limits", "key", keys::set_limits(app, me, limits).await).await;
    let scope = of(json!({"id": key.id, "scope": {"owner": "grace"}}));
    desk.wrote("a key's scope", "key", keys::set_scope(app, me, scope).await).await;
    let rotation = of(json!({"id": key.id, "overlap_hours": 1}));
    desk.wrote("a key's new secret", "key", keys::rotate(app, me, rotation).await).await;
    assert!(!desk.newest().await.revertible, "which secret opens a key is no state to go back to");
    desk.wrote("the end of an overlap", "key", keys::end_overlap(app, me, &key.id).await).await;
    let secret = dto::SecretInput::new("sk-0123456789abcdef".to_owned());
    let own = keys::set_own_credential(app, me, &key.id, "second", secret).await;
    desk.wrote("an own credential", "credential", own).await;
    let own = keys::clear_own_credential(app, me, &key.id, "second").await;
    desk.wrote("no own credential", "credential", own).await;
    desk.wrote("a key revoked", "key", keys::revoke(app, me, &key.id).await).await;
    let passphrase = dto::SecretInput::new("correct horse battery".to_owned());
    desk.wrote("a passphrase", "credential", secrets::protect(app, me, passphrase).await).await;
    let bert = of(json!({"name": "bert", "role": "viewer", "reason": "because"}));
    desk.wrote_why("a person", "person", people::add(app, me, bert).await).await;
    let promoted = of(json!({"name": "bert", "role": "operator", "reason": "because"}));
    desk.wrote_why("a role", "person", people::update(app, me, promoted).await).await;
    let newest = desk.newest().await.seq;
    let reverted = changes::revert(app, me, newest, Some("because".to_owned())).await;
    desk.wrote_why("a revert", "person", reverted).await;

    let drill = of(json!({"model": "sim-chat", "fault": "outage", "percent": 100, "seconds": 60,
        "requests_per_second": 0, "operation": "chat_message"}));
    let on =
        dto::RouteDraft { enabled: true, ..operations::find(app, me, "chat_message").await.unwrap().draft() };
    desk.wrote("a route again", "route", operations::route_apply(app, me, on).await).await;
    desk.wrote("a drill", "drill", drills::start(app, me, drill).await).await;
    desk.wrote("its end", "drill", drills::stop(app, me).await).await;
    desk.wrote("a provider gone", "provider", providers::remove(app, me, "second").await).await;

    // What changes nothing is no entry.
    let same = operations::find(app, me, "chat_message").await.unwrap();
    operations::route_apply(app, me, same.draft()).await.unwrap();
    drills::stop(app, me).await.unwrap();
    settings::set(app, me, of(json!({"name": "max_requests", "value": "7"}))).await.unwrap();
    assert_eq!(changes::verify(app, me).await.unwrap().entries, desk.entries);
}

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
