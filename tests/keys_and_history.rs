//! What keys and the history promise: a key exists only as a hash and stops when it is revoked, and nothing that was
//! changed is ever unsaid.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;
use signalbox_app::{App, Caller, Source, changes, dto, keys, providers};
use signalbox_testkit::{TestApp, chat_body};
use tokio::time::timeout;

/// Everything in the table of keys. What is not here cannot be stored: SQLite and PostgreSQL refuse other columns.
const KEY_COLUMNS: [&str; 15] = [
    "id",
    "hash",
    "name",
    "last4",
    "operations",
    "created_at",
    "revoked_at",
    "limits",
    "owner",
    "targets",
    "expires_at",
    "former_hash",
    "former_last4",
    "former_until",
    "own_credentials",
];
/// Other processes' changes are in force by then.
const IN_FORCE_MAX: Duration = Duration::from_secs(5);

async fn start() -> (TestApp, App, Caller) {
    let app = TestApp::start().await.unwrap();
    let admin = App::with_engine(Arc::clone(&app.engine)).unwrap();
    (app, admin, Caller::local(Source::Window))
}

async fn status_with(app: &TestApp, key: &str) -> u16 {
    let body = chat_body("op:chat_message", "hello");
    let asking = app.http.post(app.url("/v1/chat/completions")).bearer_auth(key).json(&body);
    app.send(asking).await.unwrap().status
}

async fn make_key(admin: &App, me: &Caller, name: &str) -> keys::KeyMade {
    let input = dto::KeyInput { name: name.to_owned(), ..dto::KeyInput::default() };
    keys::create(admin, me, input).await.unwrap()
}

#[test]
fn the_table_of_keys_has_a_place_for_the_hash_and_none_for_the_key() {
    let mut migrations: Vec<_> =
        fs::read_dir("migrations").unwrap().map(|entry| entry.unwrap().path()).collect();
    migrations.sort();
    let mut columns: Vec<String> = Vec::new();
    let first_word = |line: &str| line.split_whitespace().next().unwrap().to_owned();
    for path in migrations {
        let schema = fs::read_to_string(path).unwrap();
        if let Some((_, table)) = schema.split_once("CREATE TABLE api_keys (\n") {
            let (table, _) = table.split_once("\n)").unwrap();
            columns.extend(table.lines().map(first_word));
        }
        let added = schema.lines().filter_map(|line| line.strip_prefix("ALTER TABLE api_keys ADD COLUMN "));
        columns.extend(added.map(first_word));
    }
    assert_eq!(columns, KEY_COLUMNS);
}

#[tokio::test]
async fn an_api_key_is_in_the_database_only_as_its_keyed_hash() {
    let (app, admin, me) = start().await;
    let made = make_key(&admin, &me, "hashed").await;
    let key = made.secret.expose_secret();
    assert_eq!(status_with(&app, key).await, 200);
    let hash = app.engine.control.key_hasher().await.unwrap().hash(key);
    app.stop().await;
    app.engine.control.store.close().await;
    let mut database = fs::read(app.database_file()).unwrap();
    database.extend(fs::read(app.database_file().with_extension("sqlite-wal")).unwrap_or_default());
    let has = |bytes: &[u8]| database.windows(bytes.len()).any(|window| window == bytes);
    assert!(has(&hash.0), "the hash is what keys are looked up by");
    let (_, random) = key.split_at(signalbox_core::key::KEY_PREFIX.len());
    assert!(!has(key.as_bytes()) && !has(random.as_bytes()));
}

#[tokio::test]
async fn a_revoked_key_stops_at_once_and_no_other_key_does() {
    let (app, admin, me) = start().await;
    let made = make_key(&admin, &me, "leaked").await;
    assert_eq!(status_with(&app, made.secret.expose_secret()).await, 200);
    keys::revoke(&admin, &me, &made.key.id).await.unwrap();
    assert_eq!(status_with(&app, made.secret.expose_secret()).await, 401);
    assert_eq!(status_with(&app, &app.key).await, 200);
}

#[tokio::test]
async fn a_key_revoked_by_another_process_stops_within_the_running_instance() {
    let (app, admin, me) = start().await;
    let made = make_key(&admin, &me, "leaked").await;
    let mut events = app.engine.events.subscribe();
    let options = signalbox_engine::control::Options {
        data_dir: app.data_dir().to_owned(),
        database_url: None,
        durability: signalbox_engine::control::Durability::Process,
        keychain: signalbox_engine::secrets::Keychain::Unused,
    };
    let clock = Arc::clone(&app.engine.control.clock);
    let beside = App::open(signalbox_engine::control::Control::open(&options, clock).await.unwrap()).unwrap();
    let me = Caller::local(Source::Cli);
    keys::revoke(&beside, &me, &made.key.id).await.unwrap();
    let stops = async {
        while status_with(&app, made.secret.expose_secret()).await != 401 {
            // Lagging behind only means that much happened; the next request tells.
            let _ = events.recv().await;
        }
    };
    timeout(IN_FORCE_MAX, stops).await.unwrap();
}

#[tokio::test]
async fn a_revert_is_itself_an_entry_and_takes_nothing_from_the_history() {
    let (_app, admin, me) = start().await;
    let provider = providers::find(&admin, &me, "deepseek").await.unwrap();
    let patch = |version, enabled| dto::ProviderPatch {
        name: "deepseek".to_owned(),
        base_version: version,
        base_url: None,
        enabled: Some(enabled),
        auth: None,
        max_concurrent: None,
    };
    providers::update(&admin, &me, patch(provider.version, !provider.enabled)).await.unwrap();
    let page = |limit| changes::page(&admin, &me, dto::ChangeFilter::default(), None, limit);
    let before = page(500).await.unwrap();
    let changed = &before.rows[0];

    let why = Some("  It was a mistake. ".to_owned());
    let reverted = changes::revert(&admin, &me, changed.seq, why).await.unwrap().applied().unwrap();
    let after = page(500).await.unwrap();
    assert_eq!(after.rows.len(), before.rows.len() + 1);
    let newest = &after.rows[0];
    assert_eq!((newest.seq, &newest.hash), (changed.seq + 1, &reverted.hash));
    assert_eq!((newest.actor.as_str(), newest.source.as_str()), ("local", "window"));
    assert_eq!((newest.kind.as_str(), newest.subject.as_str()), ("provider", "deepseek"));
    assert_eq!(newest.reason.as_deref(), Some("It was a mistake."));
    assert!(newest.sentence.contains(&format!("Change {}", changed.seq)), "{}", newest.sentence);
    assert!(newest.before.is_some() && newest.after.is_some());
    let kept = |rows: &[dto::Change]| rows.iter().map(|row| row.hash.clone()).collect::<Vec<_>>();
    assert_eq!(kept(&after.rows[1..]), kept(&before.rows));
    assert!(after.chain.intact && after.chain.entries == before.chain.entries + 1);
    let now = providers::find(&admin, &me, "deepseek").await.unwrap();
    assert_eq!(now.enabled, provider.enabled);

    // It can be reverted in turn.
    changes::revert(&admin, &me, newest.seq, None).await.unwrap();
    let now = providers::find(&admin, &me, "deepseek").await.unwrap();
    assert_eq!((now.enabled, now.version), (!provider.enabled, provider.version + 3));
    assert!(changes::verify(&admin, &me).await.unwrap().intact);
}
