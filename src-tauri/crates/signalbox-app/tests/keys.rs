//! API keys over a real store, engine, gateway and vendors: scopes, ends, rotation, owners' own credentials.

#![expect(clippy::unwrap_used, reason = "tests stop at the first fault")]

use std::time::Duration;

use secrecy::ExposeSecret;
use signalbox_app::keys::{self, KeyMade};
use signalbox_app::{App, Caller, Code, Role, Source, budgets, changes, dto, providers};
use signalbox_engine::key_expiry::expiring;
use signalbox_engine::spend::Told;
use signalbox_simulator::Dials;
use signalbox_testkit::{CREDENTIAL, FakeClock, Prices, Reply, TestApp, Vendor, chat_body};

/// The owner's own; the vendor of these tests takes nothing else, or nothing but [`CREDENTIAL`].
const OWN: &str = "sk-own-credential-of-grace-0001";
const HOUR: Duration = Duration::from_hours(1);

fn admin() -> Caller {
    Caller::local(Source::Cli)
}

/// `vendor/m` behind `chat_message`, `other/m` beside it.
struct Desk {
    running: TestApp,
    app: App,
    clock: FakeClock,
    vendor: Vendor,
    other: Vendor,
}

impl Desk {
    async fn new() -> Self {
        let clock = FakeClock::at("2026-11-21T12:00:00Z").unwrap();
        let running = TestApp::builder().clock(clock.clone()).start().await.unwrap();
        let vendor = running.add_openai("vendor").await.unwrap();
        let other = running.add_openai("other").await.unwrap();
        for target in ["vendor/m", "vendor/n", "other/m"] {
            running.add_model(target, Prices::per_mtok("2", "8")).await.unwrap();
        }
        running.set_route("chat_message", &["vendor/m", "other/m"]).await.unwrap();
        let app = App::with_engine(running.engine.clone()).unwrap();
        Self { running, app, clock, vendor, other }
    }

    async fn key(&self, name: &str, scope: dto::KeyScope) -> KeyMade {
        let input = dto::KeyInput { name: name.to_owned(), scope, ..dto::KeyInput::default() };
        keys::create(&self.app, &admin(), input).await.unwrap()
    }

    async fn plain_key(&self, name: &str) -> KeyMade {
        self.key(name, dto::KeyScope::default()).await
    }

    async fn chat(&self, key: &KeyMade) -> Reply {
        let body = chat_body("op:chat_message", "hello");
        let request = self.running.http.post(self.running.url("/v1/chat/completions"));
        self.running.send(request.bearer_auth(key.secret.expose_secret()).json(&body)).await.unwrap()
    }

    async fn pin(&self, key: &KeyMade, target: &str) -> Reply {
        let request = self.running.http.post(self.running.url("/v1/chat/completions"));
        let request =
            request.header("x-signalbox-operation", "chat_message").json(&chat_body(target, "hello"));
        self.running.send(request.bearer_auth(key.secret.expose_secret())).await.unwrap()
    }

    async fn rotate(&self, key: &KeyMade, overlap_hours: u32) -> KeyMade {
        let input = dto::KeyRotation { id: key.key.id.clone(), overlap_hours };
        keys::rotate(&self.app, &admin(), input).await.unwrap()
    }

    async fn give_own(&self, key: &KeyMade, secret: &str) -> dto::ApiKey {
        let secret = dto::SecretInput::new(secret.to_owned());
        keys::set_own_credential(&self.app, &admin(), &key.key.id, "vendor", secret).await.unwrap()
    }

    async fn find(&self, key: &KeyMade) -> dto::ApiKey {
        keys::find(&self.app, &admin(), &key.key.id).await.unwrap()
    }
}

/// The credential the vendor saw last, by its end.
fn seen(vendor: &Vendor) -> String {
    vendor.observed().requests.last().and_then(|request| request.credential.clone()).unwrap().last4
}

/// What an error says to a person.
fn words(reply: &Reply) -> &str {
    reply.body["error"]["message"].as_str().unwrap()
}

fn to(targets: &[&str]) -> dto::KeyScope {
    let targets = targets.iter().map(|text| (*text).to_owned()).collect();
    dto::KeyScope { targets, ..dto::KeyScope::default() }
}

fn until(time: &str) -> dto::KeyScope {
    dto::KeyScope { expires_at: Some(dto::Instant(time.to_owned())), ..dto::KeyScope::default() }
}

fn end_of(secret: &str) -> &str {
    &secret[secret.len() - 4..]
}

#[tokio::test]
async fn a_key_goes_where_its_scope_allows_and_the_receipt_says_why_not_elsewhere() {
    let desk = Desk::new().await;
    let key = desk.key("crm", to(&["other", "vendor/n"])).await;
    let reply = desk.chat(&key).await;
    assert_eq!((reply.status, reply.header("x-signalbox-provider")), (200, "other"));
    let row = desk.running.settled(reply.request_id().unwrap()).await.unwrap();
    assert!(row.start.decision.rejections_in_words().contains("vendor/m: the API key may not use it"));
    assert_eq!(desk.pin(&key, "vendor/n").await.status, 200);
    let refused = desk.pin(&key, "vendor/m").await;
    assert_eq!((refused.status, refused.code()), (403, "target_not_allowed"));

    let nowhere = desk.key("nowhere", to(&["simulator"])).await;
    let refused = desk.chat(&nowhere).await;
    assert_eq!((refused.status, refused.code()), (403, "target_not_allowed"));
    assert_eq!((desk.vendor.observed().received, desk.other.observed().received), (1, 1));
}

#[tokio::test]
async fn a_scope_that_names_what_does_not_exist_is_refused_at_its_field() {
    let desk = Desk::new().await;
    for (scope, field, words) in [
        (to(&["nobody"]), "targets", "no provider `nobody`"),
        (to(&["vendor/nothing"]), "targets", "no model `vendor/nothing`"),
        (until("2026-11-21T11:59:59Z"), "expires_at", "in the future"),
        (until("tomorrow"), "expires_at", "is not a time"),
    ] {
        let input = dto::KeyInput { name: "crm".to_owned(), scope, ..dto::KeyInput::default() };
        let error = keys::create(&desk.app, &admin(), input).await.unwrap_err();
        assert_eq!((error.code, error.details[0].field.as_str()), (Code::Invalid, field));
        assert!(error.message.contains(words), "{}", error.message);
    }
}

#[tokio::test]
async fn a_key_opens_until_it_expires_and_again_when_it_is_given_more_time() {
    let desk = Desk::new().await;
    let key = desk.key("contractor", until("2026-11-21T13:00:00Z")).await;
    assert!(key.key.expires_soon);
    assert_eq!(desk.chat(&key).await.status, 200);
    desk.clock.advance(HOUR);
    let refused = desk.chat(&key).await;
    assert_eq!((refused.status, refused.code()), (401, "invalid_key"));
    assert!(words(&refused).contains("`contractor` expired at 2026-11-21 13:00 UTC"), "{}", words(&refused));
    assert_eq!(desk.find(&key).await.state, dto::KeyState::Expired);

    let input = dto::KeyScopeInput { id: key.key.id.clone(), scope: dto::KeyScope::default() };
    let again = keys::set_scope(&desk.app, &admin(), input).await.unwrap();
    assert_eq!((again.state, again.expires_at), (dto::KeyState::Active, None));
    assert_eq!(desk.chat(&key).await.status, 200);
}

#[tokio::test]
async fn after_a_rotation_both_secrets_open_as_the_same_key_until_the_overlap_is_over() {
    let desk = Desk::new().await;
    let old = desk.key("crm", to(&["vendor"])).await;
    let new = desk.rotate(&old, 24).await;
    assert_eq!((&new.key.id, &new.key.targets), (&old.key.id, &old.key.targets));
    let former = new.key.former.clone().unwrap();
    assert_eq!(
        (former.last4, former.until.0.as_str()),
        (old.key.last4.clone(), "2026-11-22T12:00:00.000000Z")
    );
    for key in [&old, &new] {
        let reply = desk.chat(key).await;
        let row = desk.running.settled(reply.request_id().unwrap()).await.unwrap();
        assert_eq!(row.start.key.unwrap().to_string(), old.key.id);
    }
    desk.clock.advance(24 * HOUR);
    assert_eq!(desk.chat(&new).await.status, 200);
    let refused = desk.chat(&old).await;
    assert_eq!((refused.status, refused.code()), (401, "invalid_key"));
    assert!(words(&refused).contains("was given a new secret"), "{}", words(&refused));
    assert!(desk.find(&old).await.former.is_none());

    let page = changes::page(&desk.app, &admin(), dto::ChangeFilter::default(), None, 1).await.unwrap();
    assert_eq!(page.rows[0].sentence, "Key crm has a new secret; the one before opens for 24 hours more");
}

#[tokio::test]
async fn a_leaked_secret_stops_at_once_by_a_rotation_without_overlap_or_its_end() {
    let desk = Desk::new().await;
    let first = desk.plain_key("crm").await;
    let second = desk.rotate(&first, 0).await;
    assert_eq!((desk.chat(&first).await.status, desk.chat(&second).await.status), (401, 200));

    let third = desk.rotate(&second, 24).await;
    assert_eq!(desk.chat(&second).await.status, 200);
    keys::end_overlap(&desk.app, &admin(), &third.key.id).await.unwrap();
    assert_eq!((desk.chat(&second).await.status, desk.chat(&third).await.status), (401, 200));

    // A second rotation within an overlap leaves two secrets, not three.
    let fourth = desk.rotate(&third, 24).await;
    let fifth = desk.rotate(&fourth, 24).await;
    let statuses = [desk.chat(&third).await, desk.chat(&fourth).await, desk.chat(&fifth).await];
    assert_eq!(statuses.map(|reply| reply.status), [401, 200, 200]);

    keys::revoke(&desk.app, &admin(), &fifth.key.id).await.unwrap();
    assert_eq!((desk.chat(&fourth).await.status, desk.chat(&fifth).await.status), (401, 401));
    let dead = dto::KeyRotation { id: fifth.key.id.clone(), overlap_hours: 24 };
    assert_eq!(keys::rotate(&desk.app, &admin(), dead).await.unwrap_err().code, Code::Refused);
}

#[tokio::test]
async fn a_key_is_last_used_when_and_for_what_its_newest_request_was() {
    let desk = Desk::new().await;
    let key = desk.plain_key("crm").await;
    assert_eq!(desk.find(&key).await.last_used_at, None);
    desk.chat(&key).await;
    desk.running.engine.caught_up().await;
    let used = desk.find(&key).await;
    assert_eq!(used.last_used_for.as_deref(), Some("chat_message"));
    assert!(used.last_used_at.is_some() && !used.idle);
    desk.clock.advance(90 * 24 * HOUR);
    assert!(desk.find(&key).await.idle);
}

#[tokio::test]
async fn a_key_with_its_owners_credential_is_served_with_it_and_nobody_else_is() {
    let desk = Desk::new().await;
    let (own, shared) = (desk.plain_key("grace").await, desk.plain_key("crm").await);
    let given = desk.give_own(&own, OWN).await;
    assert_eq!(given.own_credentials[0].hint, format!("…{}", end_of(OWN)));
    assert!(given.own_credentials[0].ready);

    let reply = desk.chat(&own).await;
    assert_eq!((reply.status, seen(&desk.vendor).as_str()), (200, end_of(OWN)));
    let row = desk.running.settled(reply.request_id().unwrap()).await.unwrap();
    let first = row.start.decision.chain().next().unwrap();
    assert!(first.own_credential && !row.start.decision.is_at_own_cost());
    let pinned = desk.pin(&own, "vendor/n").await;
    assert_eq!(pinned.status, 200, "its owner may leave the route");
    let row = desk.running.settled(pinned.request_id().unwrap()).await.unwrap();
    assert!(row.start.decision.is_at_own_cost());

    desk.chat(&shared).await;
    assert_eq!(seen(&desk.vendor), end_of(CREDENTIAL));
    let cleared = keys::clear_own_credential(&desk.app, &admin(), &own.key.id, "vendor").await.unwrap();
    assert!(cleared.own_credentials.is_empty());
    desk.chat(&own).await;
    assert_eq!(seen(&desk.vendor), end_of(CREDENTIAL));
}

#[tokio::test]
async fn a_refused_credential_says_nothing_of_anybody_elses_at_the_same_provider() {
    let desk = Desk::new().await;
    let (own, shared) = (desk.plain_key("grace").await, desk.plain_key("crm").await);
    desk.give_own(&own, OWN).await;
    let only = |credential: &str| Dials { api_key: Some(credential.to_owned()), ..Dials::default() };

    desk.vendor.dials().set(only(CREDENTIAL));
    let moved = desk.chat(&own).await;
    assert_eq!((moved.status, moved.header("x-signalbox-provider")), (200, "other"));
    assert_eq!(desk.pin(&own, "vendor/m").await.status, 502);
    let reply = desk.chat(&shared).await;
    assert_eq!((reply.status, reply.header("x-signalbox-provider")), (200, "vendor"));

    // And the other way round: the shared one is refused and left alone, the owner's own is served.
    desk.vendor.dials().set(only(OWN));
    assert_eq!(desk.chat(&shared).await.header("x-signalbox-provider"), "other");
    assert_eq!(desk.pin(&shared, "vendor/m").await.status, 503);
    let reply = desk.chat(&own).await;
    assert_eq!((reply.status, reply.header("x-signalbox-provider")), (200, "vendor"));
    assert_eq!(seen(&desk.vendor), end_of(OWN));
}

#[tokio::test]
async fn an_own_credential_goes_to_the_address_it_was_given_for_and_dies_with_its_key() {
    let desk = Desk::new().await;
    let own = desk.plain_key("grace").await;
    desk.give_own(&own, OWN).await;
    let provider = providers::find(&desk.app, &admin(), "vendor").await.unwrap();
    let moved = dto::ProviderPatch {
        name: "vendor".to_owned(),
        base_version: provider.version,
        base_url: Some(desk.other.simulator().base_url_openai()),
        enabled: None,
        auth: None,
        max_concurrent: None,
    };
    providers::update(&desk.app, &admin(), moved).await.unwrap();
    assert!(!desk.find(&own).await.own_credentials[0].ready);
    let before = desk.other.observed().received;
    assert_eq!(desk.pin(&own, "vendor/m").await.status, 503);
    assert_eq!(desk.other.observed().received, before);

    let file = desk.running.data_dir().join("secrets.json");
    let name = format!("{}:provider:vendor", own.key.id);
    assert!(std::fs::read_to_string(&file).unwrap().contains(&name));
    let revoked = keys::revoke(&desk.app, &admin(), &own.key.id).await.unwrap();
    assert!(revoked.own_credentials.is_empty());
    assert!(!std::fs::read_to_string(&file).unwrap().contains(&name));
}

#[tokio::test]
async fn an_own_credential_goes_with_the_provider_it_is_for_and_does_not_come_back_with_it() {
    let desk = Desk::new().await;
    let own = desk.plain_key("grace").await;
    desk.give_own(&own, OWN).await;
    let file = desk.running.data_dir().join("secrets.json");
    let name = format!("{}:provider:vendor", own.key.id);
    assert!(std::fs::read_to_string(&file).unwrap().contains(&name));
    desk.running.set_route("chat_message", &["other/m"]).await.unwrap();
    providers::remove(&desk.app, &admin(), "vendor").await.unwrap();
    assert!(desk.find(&own).await.own_credentials.is_empty());
    assert!(!std::fs::read_to_string(&file).unwrap().contains(&name));
    let page = changes::page(&desk.app, &admin(), dto::ChangeFilter::default(), None, 1).await.unwrap();
    let entry = &page.rows[0];
    assert!(
        entry.kind == "provider" && entry.sentence.ends_with("of their own for it: grace"),
        "{}",
        entry.sentence
    );
    changes::revert(&desk.app, &admin(), entry.seq, None).await.unwrap();
    assert!(desk.find(&own).await.own_credentials.is_empty());
    assert_eq!(desk.chat(&own).await.header("x-signalbox-provider"), "other");
}

#[tokio::test]
async fn only_an_admin_makes_rotates_scopes_or_revokes_a_key() {
    let desk = Desk::new().await;
    let key = desk.plain_key("crm").await;
    let id = || key.key.id.clone();
    let operator = Caller { id: "ann".to_owned(), role: Role::Operator, source: Source::Window };
    let app = &desk.app;
    let secret = dto::SecretInput::new(OWN.to_owned());
    let refused = [
        keys::create(app, &operator, dto::KeyInput::default()).await.err(),
        keys::rotate(app, &operator, dto::KeyRotation { id: id(), overlap_hours: 0 }).await.err(),
        keys::end_overlap(app, &operator, &id()).await.err(),
        keys::set_scope(app, &operator, dto::KeyScopeInput { id: id(), scope: dto::KeyScope::default() })
            .await
            .err(),
        keys::set_own_credential(app, &operator, &id(), "vendor", secret).await.err(),
        keys::clear_own_credential(app, &operator, &id(), "vendor").await.err(),
        keys::revoke(app, &operator, &id()).await.err(),
    ];
    for error in refused {
        assert_eq!(error.unwrap().code, Code::Forbidden);
    }
    assert_eq!(desk.chat(&key).await.status, 200);
}

#[tokio::test]
async fn a_key_and_its_budget_per_day_are_made_together_or_not_at_all() {
    let desk = Desk::new().await;
    let entries = async || changes::verify(&desk.app, &admin()).await.unwrap().entries;
    let input = |name: &str, nanos: &str| dto::KeyInput {
        name: name.to_owned(),
        budget_per_day: Some(dto::Money(nanos.to_owned())),
        ..dto::KeyInput::default()
    };
    let before = entries().await;
    for nothing in ["five", "-1", ""] {
        let refused = keys::create(&desk.app, &admin(), input("crm", nothing)).await.unwrap_err();
        assert_eq!((refused.code, refused.details[0].field.as_str()), (Code::Invalid, "budget_per_day"));
    }
    assert_eq!(entries().await, before, "no key without its budget");

    let made = keys::create(&desk.app, &admin(), input("crm", "5000000000")).await.unwrap();
    assert_eq!(entries().await, before + 2, "one entry of the key, one of its budget");
    let all = budgets::list(&desk.app, &admin()).await.unwrap().budgets;
    let own = all.iter().find(|budget| budget.scope.value.as_ref() == Some(&made.key.id)).unwrap();
    assert_eq!((own.name.as_str(), own.scope_words.as_str()), ("crm", "key crm"));
    assert_eq!(
        (own.period, &own.limits.cost),
        (dto::BudgetPeriod::Day, &Some(dto::Money("5000000000".into())))
    );
    assert!(own.promise.starts_with("Hard stop: requests that could exceed $5.00 are refused."));

    // A key of the same name after it: its budget has a name of its own.
    keys::revoke(&desk.app, &admin(), &made.key.id).await.unwrap();
    let next = keys::create(&desk.app, &admin(), input("crm", "0")).await.unwrap();
    let all = budgets::list(&desk.app, &admin()).await.unwrap().budgets;
    let own = all.iter().find(|budget| budget.scope.value.as_ref() == Some(&next.key.id)).unwrap();
    assert_eq!(own.name, format!("crm …{}", next.key.last4));
    let refused = desk.chat(&next).await;
    assert_eq!((refused.status, refused.code()), (402, "budget_exceeded"), "it holds from the first request");
}

#[tokio::test]
async fn the_end_of_a_key_is_told_once_a_week_and_once_a_day_before() {
    let desk = Desk::new().await;
    desk.key("crm", until("2026-12-31T12:00:00Z")).await;
    desk.plain_key("endless").await;
    let mut told = Told::default();
    let mut news = || {
        let live = desk.running.engine.live();
        let found = expiring(live.snapshot.keys.values(), desk.running.engine.control.now());
        told.news(found).into_iter().map(|finding| finding.sentence).collect::<Vec<_>>()
    };
    assert!(news().is_empty());
    for (days, within) in [(33, "within a week"), (6, "within a day")] {
        desk.clock.advance(24 * days * HOUR);
        let [sentence] = news().try_into().unwrap();
        let end = format!("expires {within}, at 2026-12-31 12:00 UTC. Then its programs are refused.");
        assert!(sentence.starts_with("The key crm (…") && sentence.ends_with(&end), "{sentence}");
        assert!(news().is_empty(), "once");
    }
    desk.clock.advance(24 * HOUR);
    assert!(news().is_empty(), "it is over");
}
