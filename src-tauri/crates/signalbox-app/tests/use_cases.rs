//! Use cases over a real store, engine and simulator.

#![expect(clippy::unwrap_used, reason = "tests stop at the first fault")]

use signalbox_app::{App, Caller, Code, Role, Source, changes, dto, models, operations, overview, providers};
use signalbox_core::time::MICROS_PER_SECOND;
use signalbox_testkit::{Prices, TestApp};

fn admin() -> Caller {
    Caller::local(Source::Cli)
}

fn over(app: &TestApp) -> App {
    App::with_engine(app.engine.clone()).unwrap()
}

fn new_provider(name: &str) -> dto::ProviderInput {
    dto::ProviderInput {
        name: name.to_owned(),
        kind: "openai".to_owned(),
        base_url: "https://api.example.com/v1".to_owned(),
        auth: None,
    }
}

#[tokio::test]
async fn a_removed_provider_comes_back_with_its_prices_and_without_its_credential() {
    let running = TestApp::start().await.unwrap();
    let app = over(&running);
    providers::add(&app, &admin(), new_provider("second")).await.unwrap();
    let model = dto::ModelInput {
        provider: "second".to_owned(),
        model: "m".to_owned(),
        input_usd_per_mtok: Some("1.5".to_owned()),
        cached_input_usd_per_mtok: None,
        output_usd_per_mtok: Some("2".to_owned()),
        context_window: Some(8_000),
    };
    models::add(&app, &admin(), model).await.unwrap();
    let secret = dto::SecretInput::new("sk-0123456789abcdef".to_owned());
    providers::set_credential(&app, &admin(), "second", secret).await.unwrap();
    providers::remove(&app, &admin(), "second").await.unwrap();

    let page = changes::page(&app, &admin(), dto::ChangeFilter::default(), None, 1).await.unwrap();
    assert!(page.rows[0].revertible, "{}", page.rows[0].sentence);
    changes::revert(&app, &admin(), page.rows[0].seq, None).await.unwrap();
    let back = providers::find(&app, &admin(), "second").await.unwrap();
    assert_eq!(back.credential.state, dto::CredentialState::Missing);
    assert_eq!(back.models.len(), 1);
    assert_eq!(back.models[0].input_per_mtok, Some(dto::Money("1500000000".to_owned())));
}

#[tokio::test]
async fn a_draft_made_from_an_older_version_is_a_conflict_and_changes_nothing() {
    let running = TestApp::start().await.unwrap();
    let app = over(&running);
    let before = operations::find(&app, &admin(), "chat_message").await.unwrap();
    let draft = |enabled| dto::RouteDraft {
        enabled,
        targets: before
            .targets
            .iter()
            .rev()
            .map(|card| dto::DraftTarget::of(card.provider.clone(), card.model.clone()))
            .collect(),
        ..before.draft()
    };
    let applied = operations::route_apply(&app, &admin(), draft(true)).await.unwrap().applied().unwrap();
    assert_eq!(applied.version, before.version + 1);
    let conflict = operations::route_apply(&app, &admin(), draft(false)).await.unwrap_err();
    assert_eq!(conflict.code, Code::Conflict, "{conflict}");
    let now = operations::find(&app, &admin(), "chat_message").await.unwrap();
    assert!(now.enabled && now.version == applied.version);
}

#[tokio::test]
async fn a_provider_that_moves_to_another_origin_loses_its_credential() {
    let running = TestApp::start().await.unwrap();
    let app = over(&running);
    let added = providers::add(&app, &admin(), new_provider("second")).await.unwrap();
    let secret = dto::SecretInput::new("sk-0123456789abcdef".to_owned());
    let keyed = providers::set_credential(&app, &admin(), "second", secret).await.unwrap();
    assert_eq!(keyed.credential.hint.as_deref(), Some("…cdef"));
    let patch = |base_version, url: &str| dto::ProviderPatch {
        name: added.name.clone(),
        base_version,
        base_url: Some(url.to_owned()),
        enabled: None,
        auth: None,
        max_concurrent: None,
    };
    let same = patch(keyed.version, "https://api.example.com/v2");
    let same = providers::update(&app, &admin(), same).await.unwrap();
    assert_eq!(
        same.credential.state,
        dto::CredentialState::Set,
        "a key is bound to its origin, not to a path"
    );
    let moved = patch(same.version, "https://evil.example.com/v1");
    let moved = providers::update(&app, &admin(), moved).await.unwrap();
    assert_eq!(moved.credential.state, dto::CredentialState::Missing);
    assert!(!moved.ready.ready);
}

#[tokio::test]
async fn the_figures_of_the_overview_are_those_of_the_requests_and_of_the_sum_of_its_groups() {
    let running = TestApp::start().await.unwrap();
    let _vendor = running.add_openai("vendor").await.unwrap();
    running.add_model("vendor/m", Prices::per_mtok("2", "8")).await.unwrap();
    running.set_route("chat_message", &["vendor/m"]).await.unwrap();
    for _ in 0..3 {
        assert_eq!(running.chat("op:chat_message", "hello there").await.unwrap().status, 200);
    }
    running.settled_rows(3).await.unwrap();
    let app = over(&running);
    let now = running.engine.control.now();
    for group_by in [dto::GroupBy::Operation, dto::GroupBy::Provider, dto::GroupBy::Model] {
        for days in [1, 30] {
            let query = dto::OverviewQuery {
                from: now.plus_micros(-days * 86_400 * MICROS_PER_SECOND).into(),
                to: now.plus_micros(MICROS_PER_SECOND).into(),
                group_by,
                bucket: None,
            };
            let seen = overview::overview(&app, &admin(), query).await.unwrap();
            let by_hand = 3 * (2 * 2_000 + 4 * 8_000);
            assert_eq!((seen.figures.requests, seen.figures.spend.0.clone()), (3, by_hand.to_string()));
            assert_eq!(seen.previous.requests, 0);
            let series: i64 = seen
                .groups
                .iter()
                .flat_map(|group| &group.spend)
                .map(|cell| cell.0.parse::<i64>().unwrap())
                .sum();
            assert_eq!(series, by_hand, "{group_by:?} over {days} days");
            assert_eq!(seen.groups[0].spend.len(), seen.buckets.len());
        }
    }
}

#[tokio::test]
async fn a_viewer_may_look_and_change_nothing() {
    let running = TestApp::start().await.unwrap();
    let app = over(&running);
    let viewer = Caller { role: Role::Viewer, ..admin() };
    assert!(operations::list(&app, &viewer).await.is_ok());
    let refused = providers::add(&app, &viewer, new_provider("second")).await.unwrap_err();
    assert_eq!(refused.code, Code::Forbidden);
    assert!(providers::find(&app, &viewer, "second").await.is_err());
}
