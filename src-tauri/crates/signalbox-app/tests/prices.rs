//! Prices over a real store, engine and simulator: set, planned, imported, reverted.

#![expect(clippy::unwrap_used, reason = "tests stop at the first fault")]

use std::time::Duration;

use signalbox_app::{App, AppError, Caller, Code, Role, Source, changes, dto, prices, providers};
use signalbox_testkit::{FakeClock, Prices, TestApp, Vendor};

const LIST: &str = r#"{
    "vendor/m": {"litellm_provider": "vendor", "mode": "chat", "input_cost_per_token": 3e-06, "output_cost_per_token": 8e-06,
        "cache_read_input_token_cost": 3e-07, "source": "https://vendor.example/prices"},
    "vendor/same": {"litellm_provider": "vendor", "mode": "chat", "input_cost_per_token": 1e-06, "output_cost_per_token": 2e-06},
    "vendor/new": {"litellm_provider": "vendor", "mode": "chat", "supports_vision": true, "max_input_tokens": 64000,
        "input_cost_per_token": 5e-07, "output_cost_per_token": 1.5e-06},
    "vendor/bare": {"litellm_provider": "vendor", "mode": "embedding", "input_cost_per_token": 2e-08},
    "vendor/free": {"litellm_provider": "vendor", "mode": "chat", "input_cost_per_token": 0, "output_cost_per_token": 0},
    "else/m": {"litellm_provider": "else", "mode": "chat", "input_cost_per_token": 1e-06, "output_cost_per_token": 1e-06}
}"#;

/// With one admin a change is in force at once.
fn now<T>(proposed: dto::Proposed<T>) -> T {
    proposed.applied().unwrap()
}

fn admin() -> Caller {
    Caller::local(Source::Cli)
}

struct Desk {
    running: TestApp,
    app: App,
    clock: FakeClock,
    _vendor: Vendor,
}

/// An installation with a vendor that has a priced, an equally priced and an unpriced model.
async fn desk() -> Desk {
    let clock = FakeClock::at("2026-11-21T12:00:00Z").unwrap();
    let running = TestApp::builder().clock(clock.clone()).start().await.unwrap();
    let vendor = running.add_openai("vendor").await.unwrap();
    running.add_model("vendor/m", Prices::per_mtok("2", "8")).await.unwrap();
    running.add_model("vendor/same", Prices::per_mtok("1", "2")).await.unwrap();
    running.add_model("vendor/bare", Prices::unknown()).await.unwrap();
    let app = App::with_engine(running.engine.clone()).unwrap();
    Desk { running, app, clock, _vendor: vendor }
}

impl Desk {
    async fn history(&self, target: &str) -> dto::PriceHistory {
        prices::history(&self.app, &admin(), target).await.unwrap()
    }

    /// Dollars per lot of each unit in force.
    async fn rates(&self, target: &str) -> Vec<(String, String)> {
        let card = self.history(target).await.row.card;
        card.map(|card| card.rates.into_iter().map(|rate| (rate.unit, rate.usd)).collect())
            .unwrap_or_default()
    }

    async fn set(&self, rates: &[(&str, &str)]) -> Result<dto::PriceRow, AppError> {
        prices::set(&self.app, &admin(), input(rates)).await.map(now)
    }

    async fn import(&self) -> dto::PriceImportPreview {
        let list = dto::PriceListInput { text: Some(LIST.to_owned()), path: None };
        prices::import::preview(&self.app, &admin(), list).await.unwrap()
    }

    async fn apply(&self, token: &str, targets: &[&str]) -> Result<dto::PriceImportResult, AppError> {
        let targets = targets.iter().map(|target| (*target).to_owned()).collect();
        let choice = dto::PriceImportChoice { token: token.to_owned(), targets, ..Default::default() };
        prices::import::apply(&self.app, &admin(), choice).await.map(now)
    }

    async fn last_change(&self) -> dto::Change {
        let page = changes::page(&self.app, &admin(), dto::ChangeFilter::default(), None, 1).await.unwrap();
        page.rows.into_iter().next().unwrap()
    }

    async fn revert_last(&self) -> Result<dto::Change, AppError> {
        let last = self.last_change().await;
        assert!(last.revertible, "{}", last.sentence);
        changes::revert(&self.app, &admin(), last.seq, None).await.map(now)
    }
}

fn input(rates: &[(&str, &str)]) -> dto::PriceInput {
    let rate =
        |(unit, usd): &(&str, &str)| dto::RateInput { unit: (*unit).to_owned(), usd: (*usd).to_owned() };
    dto::PriceInput {
        target: "vendor/m".to_owned(),
        rates: rates.iter().map(rate).collect(),
        ..dto::PriceInput::default()
    }
}

fn pairs(rates: &[(&str, &str)]) -> Vec<(String, String)> {
    rates.iter().map(|(unit, usd)| ((*unit).to_owned(), (*usd).to_owned())).collect()
}

#[tokio::test]
async fn an_own_price_holds_from_now_on_and_what_was_charged_stays() {
    let desk = desk().await;
    desk.running.set_route("chat_message", &["vendor/m"]).await.unwrap();
    let before = desk.running.chat("op:chat_message", "one two").await.unwrap();
    desk.clock.advance(Duration::from_mins(1));
    desk.set(&[("input_tokens", "20"), ("cached_input_tokens", "0.5")]).await.unwrap();
    let after = desk.running.chat("op:chat_message", "one two").await.unwrap();
    let cost = async |reply: &signalbox_testkit::Reply| {
        assert_eq!(reply.status, 200, "{}", reply.body);
        let id = reply.request_id().unwrap();
        desk.running.settled(id).await.unwrap();
        let id = id.to_string();
        signalbox_app::requests::detail(&desk.app, &admin(), &id).await.unwrap().row.cost.unwrap().0
    };
    // 2 words in, "You said: one two" out: 4 words at $8.
    assert_eq!((cost(&before).await, cost(&after).await), ("36000".to_owned(), "72000".to_owned()));
    let history = desk.history("vendor/m").await;
    let states: Vec<_> = history.cards.iter().map(|card| (card.state, card.origin.as_str())).collect();
    assert_eq!(states, [(dto::CardState::InForce, "own"), (dto::CardState::Past, "shipped")]);
    let rates = pairs(&[("input_tokens", "20"), ("cached_input_tokens", "0.5"), ("output_tokens", "8")]);
    assert_eq!(desk.rates("vendor/m").await, rates, "output keeps its price");
    let change = desk.last_change().await;
    assert_eq!((change.kind.as_str(), change.subject.as_str()), ("price", "vendor/m"));
    assert!(change.sentence.contains("input_tokens $2 → $20 per 1M tokens"), "{}", change.sentence);
}

#[tokio::test]
async fn a_price_nobody_can_mean_and_one_in_the_past_are_refused_by_field() {
    let desk = desk().await;
    let refused = async |input: dto::PriceInput, field: &str, words: &str| {
        for error in [
            prices::set(&desk.app, &admin(), input.clone()).await.unwrap_err(),
            prices::preview(&desk.app, &admin(), input.clone()).await.unwrap_err(),
        ] {
            assert_eq!(error.details.first().map(|problem| problem.field.as_str()), Some(field), "{error}");
            assert!(error.message.contains(words), "{error}");
        }
    };
    let per_token = "looks like a price per token typed as per million";
    refused(input(&[("input_tokens", "0.000002")]), "rates[0].usd", per_token).await;
    refused(input(&[("output_tokens", "8000000")]), "rates[0].usd", "typed as per token").await;
    refused(input(&[("output_tokens", "1,5")]), "rates[0].usd", "is not an amount").await;
    refused(input(&[("output_tokens", "-1")]), "rates[0].usd", "negative").await;
    refused(input(&[("beans", "1")]), "rates[0].unit", "no unit").await;
    refused(input(&[("input_tokens", "1"), ("input_tokens", "2")]), "rates[1].unit", "twice").await;
    refused(input(&[("output_tokens", "")]), "rates", "without a price of output").await;
    let early = Some(dto::Instant("2026-11-21T11:59:59Z".to_owned()));
    refused(dto::PriceInput { effective_from: early, ..input(&[]) }, "effective_from", "in the past").await;
    refused(dto::PriceInput { batch_percent: Some(0), ..input(&[]) }, "batch_percent", "1 to 100").await;
    let page = Some("http://vendor.example".to_owned());
    refused(dto::PriceInput { source_url: page, ..input(&[]) }, "source_url", "https://").await;
    let unknown = dto::PriceInput { target: "vendor/nothing".to_owned(), ..input(&[]) };
    assert_eq!(prices::set(&desk.app, &admin(), unknown).await.unwrap_err().code, Code::NotFound);
    assert_eq!(desk.history("vendor/m").await.cards.len(), 1, "nothing was written");
}

#[tokio::test]
async fn a_preview_shows_each_rate_the_cost_of_a_call_and_what_to_look_at_twice() {
    let desk = desk().await;
    let mut draft = input(&[("input_tokens", "1"), ("cached_input_tokens", "1.5")]);
    draft.tiers = Some(vec![dto::TierInput {
        above_input_tokens: dto::Counter("200000".to_owned()),
        rates: vec![dto::RateInput { unit: "output_tokens".to_owned(), usd: "16".to_owned() }],
    }]);
    let preview = prices::preview(&desk.app, &admin(), draft).await.unwrap();
    let changed: Vec<_> = preview
        .changes
        .iter()
        .map(|change| {
            let above = change.above_input_tokens.as_ref().map(|bound| bound.0.as_str());
            (
                above,
                change.unit.as_str(),
                change.before.as_deref(),
                change.after.as_deref(),
                change.percent.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        changed,
        [
            (None, "input_tokens", Some("2"), Some("1"), Some("-50")),
            (None, "cached_input_tokens", Some("2"), Some("1.5"), Some("-25")),
            (Some("200000"), "input_tokens", Some("2"), Some("1"), Some("-50")),
            (Some("200000"), "cached_input_tokens", Some("2"), Some("1.5"), Some("-25")),
            (Some("200000"), "output_tokens", Some("8"), Some("16"), Some("100")),
        ]
    );
    // 1,000 in and 500 out: $2 and $8, then $1 and $8.
    assert_eq!(preview.sample.call, "1,000 tokens in, 500 out");
    assert_eq!(preview.sample.before.unwrap().0, "6000000");
    assert_eq!(preview.sample.after.unwrap().0, "5000000");
    assert!(
        preview.warnings.iter().any(|text| text.contains("above that of input_tokens")),
        "{:?}",
        preview.warnings
    );
    assert!(preview.warnings.iter().any(|text| text.contains("rises by 100 %")), "{:?}", preview.warnings);
    assert_eq!(desk.history("vendor/m").await.cards.len(), 1, "nothing was written");
}

#[tokio::test]
async fn a_planned_price_waits_for_its_day_and_goes_when_it_is_reverted_before() {
    let desk = desk().await;
    let later = Some(dto::Instant("2026-11-22T00:00:00Z".to_owned()));
    let planned = dto::PriceInput { effective_from: later, ..input(&[("input_tokens", "3")]) };
    let row = now(prices::set(&desk.app, &admin(), planned).await.unwrap());
    assert_eq!(row.card.unwrap().rates[0].usd, "2");
    assert_eq!(row.planned.unwrap().rates[0].usd, "3");
    desk.revert_last().await.unwrap();
    desk.clock.advance(Duration::from_hours(24));
    assert_eq!(desk.rates("vendor/m").await[0].1, "2", "the planned price never came");
}

#[tokio::test]
async fn a_price_that_was_in_force_is_reverted_by_a_new_card_and_that_can_be_reverted_too() {
    let desk = desk().await;
    desk.set(&[("input_tokens", "3")]).await.unwrap();
    desk.clock.advance(Duration::from_mins(1));
    desk.revert_last().await.unwrap();
    assert_eq!(desk.rates("vendor/m").await[0].1, "2");
    let history = desk.history("vendor/m").await;
    assert_eq!(history.cards.len(), 3, "no card is taken back");
    assert_eq!(history.cards[1].rates[0].usd, "3");
    desk.clock.advance(Duration::from_mins(1));
    desk.revert_last().await.unwrap();
    assert_eq!(desk.rates("vendor/m").await[0].1, "3");
    let set = desk.set(&[("input_tokens", "3")]).await.unwrap();
    assert_eq!(set.card.unwrap().origin, "own");
    assert_eq!(desk.history("vendor/m").await.cards.len(), 4, "what changes nothing writes nothing");
}

#[tokio::test]
async fn a_first_price_that_is_reverted_leaves_the_model_unpriced_and_not_free() {
    let desk = desk().await;
    let first = dto::PriceInput {
        target: "vendor/bare".to_owned(),
        ..input(&[("input_tokens", "1"), ("output_tokens", "2")])
    };
    prices::set(&desk.app, &admin(), first).await.unwrap();
    desk.clock.advance(Duration::from_mins(1));
    desk.revert_last().await.unwrap();
    let history = desk.history("vendor/bare").await;
    assert!(history.row.card.is_none());
    assert!(history.cards[0].rates.is_empty() && history.cards.len() == 2);
    let only =
        dto::PriceFilter { unpriced_only: true, provider: Some("vendor".to_owned()), ..Default::default() };
    let page = prices::page(&desk.app, &admin(), only, None, 10).await.unwrap();
    assert_eq!(page.rows.iter().map(|row| row.target.as_str()).collect::<Vec<_>>(), ["vendor/bare"]);
    desk.running.set_route("chat_message", &["vendor/bare"]).await.unwrap();
    desk.running.chat("op:chat_message", "one").await.unwrap();
    desk.running.settled_rows(1).await.unwrap();
    let unpriced = prices::unpriced(&desk.app, &admin()).await.unwrap();
    assert_eq!(unpriced.len(), 1);
    assert_eq!(
        (unpriced[0].target.as_str(), unpriced[0].requests, unpriced[0].priced_now),
        ("vendor/bare", 1, false)
    );
}

#[tokio::test]
async fn the_list_is_paged_by_name_and_filtered() {
    let desk = desk().await;
    let all = prices::page(&desk.app, &admin(), dto::PriceFilter::default(), None, 500).await.unwrap();
    assert!(all.next.is_none() && u32::try_from(all.rows.len()).unwrap() == all.total);
    let mut cursor = None;
    let mut paged = Vec::new();
    loop {
        let page = prices::page(&desk.app, &admin(), dto::PriceFilter::default(), cursor, 7).await.unwrap();
        paged.extend(page.rows.into_iter().map(|row| row.target));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(paged, all.rows.iter().map(|row| row.target.clone()).collect::<Vec<_>>());
    assert!(paged.is_sorted());
    let found = async |filter: dto::PriceFilter| {
        prices::page(&desk.app, &admin(), filter, None, 500).await.map(|page| page.total)
    };
    let search = dto::PriceFilter { search: Some("VENDOR/".to_owned()), ..Default::default() };
    assert_eq!(found(search).await.unwrap(), 3);
    let origin = dto::PriceFilter { origin: Some("own".to_owned()), ..Default::default() };
    assert_eq!(found(origin).await.unwrap(), 0);
    let capability =
        |word: &str| dto::PriceFilter { capability: Some(word.to_owned()), ..Default::default() };
    assert!(found(capability("embedding")).await.unwrap() < all.total);
    assert_eq!(found(capability("beans")).await.unwrap_err().code, Code::Invalid);
}

#[tokio::test]
async fn a_list_is_compared_first_and_only_what_is_chosen_is_taken_over() {
    let desk = desk().await;
    let preview = desk.import().await;
    assert_eq!(preview.format, "LiteLLM model map");
    let names = |targets: Vec<&String>| targets.into_iter().cloned().collect::<Vec<_>>();
    assert_eq!(names(preview.new.iter().map(|one| &one.target).collect()), ["vendor/bare", "vendor/new"]);
    assert!(preview.new[0].known && !preview.new[1].known);
    assert_eq!(preview.unchanged, ["vendor/same"]);
    assert_eq!(preview.changed.len(), 1);
    let changed = &preview.changed[0];
    assert_eq!(changed.target, "vendor/m");
    let rates: Vec<_> =
        changed.changes.iter().map(|change| (change.unit.as_str(), change.percent.as_deref())).collect();
    assert_eq!(rates, [("input_tokens", Some("50")), ("cached_input_tokens", Some("-85"))]);
    assert_eq!(changed.suspicious, ["The price of cached_input_tokens falls by 85 %."]);
    assert_eq!(preview.skipped[0].name, "vendor/free");
    assert!(preview.skipped[0].reason.contains("free, inherited or unknown"));
    assert_eq!((preview.other_providers[0].name.as_str(), preview.other_providers[0].entries), ("else", 1));
    assert_eq!(desk.rates("vendor/m").await[0].1, "2", "nothing is in force before it is chosen");

    desk.clock.advance(Duration::from_mins(1));
    let nothing = desk.apply(&preview.token, &[]).await.unwrap_err();
    assert_eq!(nothing.code, Code::Invalid);
    let absent = desk.apply(&preview.token, &["vendor/same"]).await.unwrap_err();
    assert!(absent.message.contains("not among the new and changed"), "{absent}");
    let applied = desk.apply(&preview.token, &["vendor/m", "vendor/new"]).await.unwrap();
    assert_eq!((applied.new, applied.changed), (1, 1));
    assert_eq!(applied.sentence, "Prices are imported from LiteLLM model map: 1 new, 1 changed (vendor)");
    let card = desk.history("vendor/m").await.row.card.unwrap();
    assert_eq!((card.origin.as_str(), card.as_of.as_deref()), ("imported", Some("2026-11-21")));
    assert_eq!(card.source_url.as_deref(), Some("https://vendor.example/prices"));
    assert_eq!(card.effective_from.0, "2026-11-21T12:01:00.000000Z");
    assert_eq!(desk.rates("vendor/new").await, pairs(&[("input_tokens", "0.5"), ("output_tokens", "1.5")]));
    assert!(desk.history("vendor/bare").await.row.card.is_none(), "it was not chosen");
    let again = desk.apply(&preview.token, &["vendor/bare"]).await.unwrap_err();
    assert_eq!(again.code, Code::NotFound, "a preview is applied once: {again}");
}

#[tokio::test]
async fn an_import_is_one_change_and_is_reverted_as_one() {
    let desk = desk().await;
    let preview = desk.import().await;
    desk.clock.advance(Duration::from_mins(1));
    desk.apply(&preview.token, &["vendor/m", "vendor/new", "vendor/bare"]).await.unwrap();
    let change = desk.last_change().await;
    assert_eq!((change.kind.as_str(), change.subject.as_str()), ("price", "litellm"));
    desk.clock.advance(Duration::from_mins(1));
    desk.revert_last().await.unwrap();
    assert_eq!(desk.rates("vendor/m").await, pairs(&[("input_tokens", "2"), ("output_tokens", "8")]));
    assert!(desk.history("vendor/bare").await.row.card.is_none());
    let gone = prices::history(&desk.app, &admin(), "vendor/new").await.unwrap_err();
    assert_eq!(gone.code, Code::NotFound);
    let chain = changes::verify(&desk.app, &admin()).await.unwrap();
    assert!(chain.intact);
}

#[tokio::test]
async fn an_import_whose_model_is_in_a_route_by_now_is_not_reverted() {
    let desk = desk().await;
    let preview = desk.import().await;
    desk.apply(&preview.token, &["vendor/new"]).await.unwrap();
    let imported = desk.last_change().await;
    desk.running.set_route("chat_message", &["vendor/new"]).await.unwrap();
    let refused = changes::revert(&desk.app, &admin(), imported.seq, None).await.unwrap_err();
    assert_eq!(refused.code, Code::Refused);
    assert!(refused.message.contains("chat_message"), "{refused}");
}

#[tokio::test]
async fn what_changed_since_the_preview_is_not_overwritten_and_an_old_preview_is_gone() {
    let desk = desk().await;
    let preview = desk.import().await;
    desk.set(&[("input_tokens", "2.5")]).await.unwrap();
    let conflict = desk.apply(&preview.token, &["vendor/m"]).await.unwrap_err();
    assert_eq!(conflict.code, Code::Conflict, "{conflict}");
    desk.apply(&preview.token, &["vendor/new"]).await.unwrap();
    let preview = desk.import().await;
    desk.clock.advance(Duration::from_secs(3_601));
    assert_eq!(desk.apply(&preview.token, &["vendor/m"]).await.unwrap_err().code, Code::NotFound);
}

#[tokio::test]
async fn a_file_that_is_no_price_list_is_refused_by_field() {
    let desk = desk().await;
    let refused = async |path: &str, words: &str| {
        let list = dto::PriceListInput { path: Some(path.to_owned()), text: None };
        let error = prices::import::preview(&desk.app, &admin(), list).await.unwrap_err();
        assert_eq!(error.details[0].field, "path", "{error}");
        assert!(error.message.contains(words), "{error}");
    };
    let directory = desk.running.data_dir().to_str().unwrap().to_owned();
    let file = |name: &str| format!("{directory}/{name}");
    refused(&directory, "is no file").await;
    refused(&file("nothing"), "cannot be read").await;
    std::fs::write(file("html"), "<html>").unwrap();
    refused(&file("html"), "not well-formed JSON").await;
    std::fs::write(file("bytes"), [0xff, 0xfe, 0x00]).unwrap();
    refused(&file("bytes"), "is no text").await;
    std::fs::write(file("list"), LIST).unwrap();
    let list = dto::PriceListInput { path: Some(file("list")), text: None };
    assert_eq!(prices::import::preview(&desk.app, &admin(), list).await.unwrap().changed.len(), 1);
    let neither = prices::import::preview(&desk.app, &admin(), dto::PriceListInput::default()).await;
    assert_eq!(neither.unwrap_err().code, Code::Invalid);
}

#[tokio::test]
async fn who_may_only_look_sees_prices_and_changes_none() {
    let desk = desk().await;
    let viewer = Caller { role: Role::Viewer, ..admin() };
    assert!(prices::page(&desk.app, &viewer, dto::PriceFilter::default(), None, 5).await.is_ok());
    assert!(prices::history(&desk.app, &viewer, "vendor/m").await.is_ok());
    assert!(prices::unpriced(&desk.app, &viewer).await.is_ok());
    let operator = Caller { role: Role::Operator, ..admin() };
    let set = prices::set(&desk.app, &operator, input(&[("input_tokens", "1")])).await;
    assert_eq!(set.unwrap_err().code, Code::Forbidden);
    let list = dto::PriceListInput { text: Some(LIST.to_owned()), path: None };
    assert_eq!(prices::import::preview(&desk.app, &operator, list).await.unwrap_err().code, Code::Forbidden);
    let choice = dto::PriceImportChoice::default();
    assert_eq!(prices::import::apply(&desk.app, &operator, choice).await.unwrap_err().code, Code::Forbidden);
}

#[tokio::test]
async fn a_provider_at_a_known_place_gets_its_models_and_what_the_catalogue_knows_of_them() {
    let desk = desk().await;
    let azure = dto::ProviderInput {
        name: "work".to_owned(),
        kind: "openai".to_owned(),
        base_url: "https://contoso.openai.azure.com/openai/v1".to_owned(),
        auth: None,
    };
    let added = providers::add(&desk.app, &admin(), azure).await.unwrap();
    assert!(added.models.iter().any(|model| model.name == "gpt-5.4"));
    let history = desk.history("work/gpt-5.4").await;
    assert!(history.note.unwrap().contains("deployment"));
    assert_eq!(history.cards[0].batch_percent, Some(50));
    assert_eq!(history.cards[0].tiers[0].above_input_tokens.0, "272000");
}
