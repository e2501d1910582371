//! Bills that cannot be right: charged in full, told, and the model left out until an admin has looked at its price.

#![expect(clippy::unwrap_used, reason = "tests stop at the first fault")]

use serde_json::{Value, json};
use signalbox_app::{App, Caller, Source, changes, dto, prices};
use signalbox_simulator::Dials;
use signalbox_testkit::{Prices, Reply, TestApp, Vendor, chat_body};

/// An installation whose `chat_message` goes to one vendor at $2 and $8 per million tokens.
async fn installation() -> (TestApp, App, Vendor) {
    let running = TestApp::start().await.unwrap();
    let vendor = running.add_openai("only").await.unwrap();
    running.add_model("only/m", Prices::per_mtok("2", "8")).await.unwrap();
    running.set_route("chat_message", &["only/m"]).await.unwrap();
    let app = over(&running);
    (running, app, vendor)
}

fn over(running: &TestApp) -> App {
    App::with_engine(running.engine.clone()).unwrap()
}

fn admin() -> Caller {
    Caller::local(Source::Cli)
}

/// A request whose answer has at most 100 tokens.
fn body() -> Value {
    let mut body = chat_body("op:chat_message", "hello");
    body["max_tokens"] = json!(100);
    body
}

async fn ask(running: &TestApp, body: &Value) -> Reply {
    running.send(running.post("/v1/chat/completions", body)).await.unwrap()
}

/// What the vendor says it read, whatever was sent.
fn bills(vendor: &Vendor, input_tokens: u64) {
    vendor.dials().set(Dials { input_tokens: Some(input_tokens), ..Dials::default() });
}

async fn row(app: &App) -> dto::PriceRow {
    prices::history(app, &admin(), "only/m").await.unwrap().row
}

async fn told(app: &App, kind: &str) -> Vec<dto::Change> {
    let filter = dto::ChangeFilter { kind: Some(kind.to_owned()), ..dto::ChangeFilter::default() };
    changes::page(app, &admin(), filter, None, 10).await.unwrap().rows
}

#[tokio::test]
async fn a_bill_above_its_bound_is_charged_in_full_and_blocks_the_model_until_an_admin_unblocks_it() {
    let (running, app, vendor) = installation().await;
    bills(&vendor, 1_000_000);
    let answer = ask(&running, &body()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let charged = running.settled(answer.request_id().unwrap()).await.unwrap();
    let charged = charged.settlement.unwrap().cost().1.unwrap();
    assert!(charged.as_nanos() >= 2_000_000_000, "the true amount is in the books: ${charged}");

    let refused = ask(&running, &body()).await;
    assert_eq!((refused.status, refused.code()), (503, "no_target_available"), "{}", refused.body);
    assert!(refused.body.to_string().contains("a bill was higher than its price allows"), "{}", refused.body);
    let block = row(&app).await.block.unwrap();
    assert_eq!(block.cost.0, charged.as_nanos().to_string());
    assert_eq!(block.request_id, answer.request_id().unwrap().to_string());
    let page = prices::page(&app, &admin(), dto::PriceFilter::default(), None, 10).await.unwrap();
    assert_eq!(page.blocked, ["only/m"]);
    assert_eq!(told(&app, "model_block").await[0].actor, "signalbox");

    drop(app);
    let running = running.restart().await.unwrap();
    let app = over(&running);
    assert_eq!(ask(&running, &body()).await.status, 503, "it survives a restart");

    bills(&vendor, 5);
    let input = dto::UnblockInput { target: "only/m".to_owned(), reason: Some("their mistake".to_owned()) };
    prices::block::unblock(&app, &admin(), input).await.unwrap();
    assert_eq!(ask(&running, &body()).await.status, 200);
    assert_eq!(row(&app).await.block, None);
    let history = told(&app, "model_block").await;
    assert_eq!((history.len(), history[0].reason.as_deref()), (2, Some("their mistake")));
    assert_eq!(vendor.observed().received, 2);
    running.verify().await.unwrap();
}

#[tokio::test]
async fn another_price_lets_a_blocked_model_be_used_again() {
    let (running, app, vendor) = installation().await;
    bills(&vendor, 1_000_000);
    ask(&running, &body()).await;
    assert_eq!(ask(&running, &body()).await.status, 503);
    bills(&vendor, 5);
    let rates = vec![dto::RateInput { unit: "input_tokens".to_owned(), usd: "3".to_owned() }];
    let input = dto::PriceInput { target: "only/m".to_owned(), rates, ..dto::PriceInput::default() };
    prices::set(&app, &admin(), input).await.unwrap();
    assert_eq!(ask(&running, &body()).await.status, 200);
    assert_eq!(row(&app).await.block, None);
}

#[tokio::test]
async fn a_bill_that_is_only_above_what_was_guessed_blocks_nobody() {
    let (running, app, vendor) = installation().await;
    bills(&vendor, 500);
    assert_eq!(ask(&running, &body()).await.status, 200, "another vocabulary, a prompt of the vendor's own");
    bills(&vendor, 1_000_000);
    let mut other = body();
    other["service_tier"] = json!("priority");
    assert_eq!(ask(&running, &other).await.status, 200);
    assert_eq!(row(&app).await.block, None, "nobody here knows what that does to the bill");
    assert!(told(&app, "model_block").await.is_empty());
}

#[tokio::test]
async fn an_answer_without_a_limit_gets_one_on_every_surface_so_that_its_bound_is_one() {
    let (running, _, vendor) = installation().await;
    let open = json!({"model": "op:chat_message", "input": "hello"});
    running.send(running.post("/v1/responses", &open)).await.unwrap();
    let sent = vendor.observed().requests.pop().unwrap();
    assert_eq!(sent.body["max_tokens"], 4_096, "{}", sent.body);
}
