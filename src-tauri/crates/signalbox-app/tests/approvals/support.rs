//! An installation whose requests need a person, and the person.

use std::time::Duration;

use serde_json::{Value, json};
use signalbox_app::{App, Caller, Source, approvals, dto};
use signalbox_core::approval::{Approval, ApprovalPolicy};
use signalbox_core::ids::{ApprovalId, OperationId};
use signalbox_core::snapshot::OperationEntry;
use signalbox_engine::control::{Control, Options};
use signalbox_engine::secrets::Keychain;
use signalbox_store::{ConfigWrite, Durability};
use signalbox_testkit::{FakeClock, Prices, Reply, TestApp, Vendor, chat_body};

pub const CHAT: &str = "op:chat_message";

/// Decides at once.
pub fn admin() -> Caller {
    Caller::local(Source::Cli)
}

pub fn always() -> ApprovalPolicy {
    ApprovalPolicy { always: true, ..ApprovalPolicy::default() }
}

pub async fn edit(app: &TestApp, operation: &str, edit: impl FnOnce(&mut OperationEntry)) {
    let id = OperationId::new(operation).unwrap();
    let mut entry = app.engine.live().snapshot.operations[&id].clone();
    let base_version = Some(entry.route.version);
    edit(&mut entry);
    entry.route.version += 1;
    let OperationEntry { operation, route } = entry;
    app.write(vec![ConfigWrite::PutOperation { operation, route, base_version }]).await.unwrap();
}

/// `chat_message` goes to one vendor, `only/m`, at $2 and $8 per million tokens, and needs a person as `policy` says.
pub async fn guarded(running: &TestApp, policy: ApprovalPolicy) -> Vendor {
    let vendor = running.add_openai("only").await.unwrap();
    running.add_model("only/m", Prices::per_mtok("2", "8")).await.unwrap();
    running.set_route("chat_message", &["only/m"]).await.unwrap();
    edit(running, "chat_message", |entry| entry.route.approval = Some(policy)).await;
    vendor
}

/// An installation with one guarded operation, its clock, and the person's side of it.
pub async fn installation(policy: ApprovalPolicy) -> (TestApp, FakeClock, App, Vendor) {
    let clock = FakeClock::at("2026-11-21T12:00:00Z").unwrap();
    let running = TestApp::builder().clock(clock.clone()).start().await.unwrap();
    let vendor = guarded(&running, policy).await;
    let app = over(&running);
    (running, clock, app, vendor)
}

pub fn over(running: &TestApp) -> App {
    App::with_engine(running.engine.clone()).unwrap()
}

/// The same installation, opened by another process as the command line does.
pub async fn beside(running: &TestApp, clock: FakeClock) -> App {
    let options = Options {
        data_dir: running.data_dir().to_owned(),
        database_url: None,
        durability: Durability::Process,
        keychain: Keychain::Unused,
    };
    App::open(Control::open(&options, std::sync::Arc::new(clock)).await.unwrap()).unwrap()
}

pub fn body() -> Value {
    let mut body = chat_body(CHAT, "hello");
    body["max_tokens"] = json!(100);
    body
}

pub async fn ask(running: &TestApp, body: &Value) -> Reply {
    running.send(running.post("/v1/chat/completions", body)).await.unwrap()
}

/// Sent again with its approval.
pub async fn ask_with(running: &TestApp, body: &Value, approval: &str) -> Reply {
    let request = running.post("/v1/chat/completions", body).header("x-signalbox-approval", approval);
    running.send(request).await.unwrap()
}

/// The approval a refusal names.
pub fn ticket(reply: &Reply) -> String {
    assert_eq!((reply.status, reply.code()), (403, "approval_required"), "{}", reply.body);
    let id = reply.body["error"]["approval"]["id"].as_str().unwrap().to_owned();
    assert_eq!(reply.header("x-signalbox-approval"), id);
    id
}

pub async fn stored(running: &TestApp, id: &str) -> Approval {
    let id: ApprovalId = id.parse().unwrap();
    running.engine.control.store.approval(id).await.unwrap().unwrap()
}

pub async fn approve(app: &App, id: &str) -> dto::ApprovalRow {
    approve_as(app, &admin(), id, None).await
}

pub async fn approve_as(app: &App, caller: &Caller, id: &str, target: Option<&str>) -> dto::ApprovalRow {
    let hash = approvals::show(app, caller, id).await.unwrap().row.hash;
    let input =
        dto::ApproveInput { id: id.to_owned(), hash, target: target.map(str::to_owned), reason: None };
    approvals::approve(app, caller, input).await.unwrap()
}

pub async fn reject(app: &App, id: &str, reason: &str) -> dto::ApprovalRow {
    let hash = approvals::show(app, &admin(), id).await.unwrap().row.hash;
    let input = dto::RejectInput { id: id.to_owned(), hash, reason: reason.to_owned() };
    approvals::reject(app, &admin(), input).await.unwrap()
}

/// What waits.
pub async fn queue(app: &App) -> dto::ApprovalPage {
    approvals::page(app, &admin(), dto::ApprovalList::Pending, None, 100).await.unwrap()
}

/// Waits until something waits in the queue; far longer than it takes.
pub async fn until_one_waits(app: &App) -> String {
    let waiting = async {
        loop {
            if let Some(row) = queue(app).await.rows.first() {
                return row.id.clone();
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting).await.unwrap()
}
