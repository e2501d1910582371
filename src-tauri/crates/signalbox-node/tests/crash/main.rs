//! `kill -9` at random moments under load loses no answered request and counts none twice.
//!
//! Fifty clients stream without pause from the real program, which is killed and started again, also in the middle of
//! its recovery. Each client keeps its own list of what it saw answered to the end. Budgets are on: the one every
//! installation begins with, and a tight one that a tenth of the clients soon use up. So are approvals: what another tenth
//! asks for needs a person, who says yes meanwhile. `SIGNALBOX_CRASH_KILLS` sets how often it is killed,
//! `SIGNALBOX_CRASH_SEED` when.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at the first fault"
)]

mod asking;
#[expect(dead_code, reason = "shared with the tests of the command line")]
#[path = "../support/mod.rs"]
mod support;

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use asking::{Asking, Person};
use futures::StreamExt;
use futures::future::join_all;
use serde_json::{Value, json};
use signalbox_core::budget::{Budget, Member, Period, Scope};
use signalbox_core::change::{Change, ChangeKind};
use signalbox_core::ids::ChangeId;
use signalbox_core::money::NanoUsd;
use signalbox_core::time::Timestamp;
use signalbox_simulator::{Dials, Simulator};
use signalbox_store::{ConfigEdit, ConfigWrite, Durability, Store};
use support::{Installation, Serving, http, ready};

const CLIENTS: usize = 50;
const KILLS_DEFAULT: u32 = 50;
const KILLS_NIGHTLY: u32 = 500;
/// Every tenth client is this user, whose budget is tight.
const TIGHT_USER: &str = "tight";
/// Every tenth client asks for an operation of which each request needs a person.
const GUARDED: &str = "job_planning";
/// Units: nano-dollars.
const TIGHT_LIMIT: i64 = 50_000_000;
const SEED_DEFAULT: u64 = 20_261_121;
/// What the simulator's key must be; it is not one that opens anything else.
const CREDENTIAL: &str = "sk-crash-test-0123456789";

/// Numbers from a seed, so that a failure can be repeated. Source: splitmix64.
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}

/// What the clients saw answered to the last byte, with the HTTP status.
type Answered = Mutex<Vec<(String, u16)>>;

fn from_env<T: std::str::FromStr>(name: &str, default: T) -> T {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_answered_request_is_lost_or_counted_twice_however_often_the_program_is_killed() {
    let usual = if std::env::var_os("SIGNALBOX_NIGHTLY").is_some() { KILLS_NIGHTLY } else { KILLS_DEFAULT };
    let kills: u32 = from_env("SIGNALBOX_CRASH_KILLS", usual);
    let seed: u64 = from_env("SIGNALBOX_CRASH_SEED", SEED_DEFAULT);
    println!("{kills} kills with seed {seed}");
    let mut seeded = Seeded(seed);
    let dials = Dials {
        chunk_interval_ms: 8,
        jitter_ms: 8,
        seed,
        api_key: Some(CREDENTIAL.to_owned()),
        observe: 0,
        ..Dials::default()
    };
    let simulator = Simulator::bind_ephemeral(dials).await.unwrap();
    let (installation, key) = installed(&simulator.base_url_openai()).await;
    let tight = with_a_tight_budget(&installation).await;
    let answered = Answered::default();
    let asking: Vec<Asking> = (0..CLIENTS).filter(|client| is_guarded(*client)).map(Asking::of).collect();
    let person = Person::at(&installation).await;
    let mut recovery_max = Duration::ZERO;
    for kill in 0..kills {
        let mut child = installation.spawn(&["--simulator", "off"]);
        if kill % 7 == 3 {
            // In the middle of the start, where what the last kill left open is being settled.
            tokio::time::sleep(Duration::from_millis(seeded.below(120))).await;
            child.kill().await.unwrap();
            continue;
        }
        let began = Instant::now();
        let mut serving = ready(child).await;
        recovery_max = recovery_max.max(began.elapsed());
        let lifetime = Duration::from_millis(40 + seeded.below(400));
        let free = (0..CLIENTS).filter(|client| !is_guarded(*client));
        let clients = join_all(free.map(|client| drive(&serving.root, &key, client, &answered)));
        let asking = join_all(asking.iter().map(|asking| asking.drive(&serving.root, &key, &answered)));
        let killing = async {
            tokio::time::sleep(lifetime).await;
            serving.child.kill().await.unwrap();
        };
        tokio::join!(clients, asking, killing);
    }
    // The last start settles what the last kill left open.
    let Serving { mut child, .. } = installation.serve(&["--simulator", "off"]).await;
    child.kill().await.unwrap();

    person.leaves().await;
    let answered = answered.into_inner().unwrap();
    let rows = assert_in_order(&installation, &answered).await;
    assert_within_the_tight_budget(&installation, &tight).await;
    let (used, unanswered) = asking::assert_each_used_once(&installation, &rows, asking).await;
    println!(
        "{kills} kills, {} answered requests, 0 lost, 0 doubled, {used} approvals used once each \
         ({unanswered} by a call whose answer died with the program), slowest start {} ms",
        answered.len(),
        recovery_max.as_millis()
    );
    assert!(used >= usize::try_from(kills / 5).unwrap(), "too few were approved to prove anything");
    assert!(answered.len() > usize::try_from(kills).unwrap(), "too little was answered to prove anything");
}

/// Every tenth client.
const fn is_guarded(client: usize) -> bool {
    client % 10 == 3
}

/// An installation whose requests go to a priced model of the simulator, and a key for it.
async fn installed(base_url: &str) -> (Installation, String) {
    let installation = Installation::new().with_variable("CRASH_TEST_CREDENTIAL", CREDENTIAL);
    let add = ["providers", "add", "--kind", "openai", "--name", "sim", "--base-url", base_url];
    installation.ok(&[&add[..], &["--credential-env", "CRASH_TEST_CREDENTIAL"]].concat()).await;
    let prices = ["--input-usd-per-mtok", "2", "--output-usd-per-mtok", "8"];
    installation.ok(&[&["models", "add", "sim/crash"][..], &prices].concat()).await;
    for operation in ["chat_message", GUARDED] {
        installation.ok(&["routes", "set", operation, "sim/crash"]).await;
        installation.ok(&["operations", "enable", operation]).await;
    }
    // Each kill charges what was under way at the most it could cost: hundreds of them are more than a day's usual budget.
    installation.ok(&["budgets", "set", "Everything, per day", "--usd", "5000"]).await;
    installation.ok(&["approvals", "policy", GUARDED, "--always"]).await;
    let key = installation.ok(&["keys", "create", "--name", "clients"]).await;
    (installation, key)
}

async fn store_of(installation: &Installation) -> Store {
    let file = std::fs::read_dir(installation.path()).unwrap().map(|entry| entry.unwrap().path());
    let is_database =
        |path: &std::path::PathBuf| path.extension().is_some_and(|extension| extension == "sqlite");
    let file = file.into_iter().find(is_database).expect("a database");
    Store::open_sqlite(&file, Durability::Process).await.unwrap()
}

/// A budget of a few cents for one user, of which every request holds the most it could cost.
async fn with_a_tight_budget(installation: &Installation) -> Budget {
    let scope = Scope::User(Member::named(TIGHT_USER));
    let limit = NanoUsd::from_nanos(TIGHT_LIMIT);
    let budget = Budget { overrun_percent: 0, ..Budget::usual("Tight", scope, Period::Total, limit) };
    let change = Change {
        id: ChangeId::generate(),
        at: Timestamp::from_micros(0),
        actor: "local".to_owned(),
        source: "cli".to_owned(),
        kind: ChangeKind::Budget,
        subject: budget.id.to_string(),
        sentence: "A tight budget".to_owned(),
        before: None,
        after: None,
        reason: None,
        approval: None,
    };
    let writes = vec![ConfigWrite::PutBudget { budget: budget.clone(), base_version: None }];
    let store = store_of(installation).await;
    store.write_config(vec![ConfigEdit { writes, change }]).await.unwrap();
    store.close().await;
    budget
}

/// What was interrupted is charged at the most it could cost, and even so nothing passed the limit.
async fn assert_within_the_tight_budget(installation: &Installation, budget: &Budget) {
    let store = store_of(installation).await;
    let start = Timestamp::from_micros(0);
    let purses = store.purses(budget.id, start, start.plus_micros(1)).await.unwrap();
    let used = purses.first().map(|(_, amount)| amount.cost.as_nanos()).unwrap_or_default();
    assert!(used > 0 && used <= TIGHT_LIMIT, "{purses:?}");
    store.close().await;
}

/// One client: calls without pause until the program is gone. Three of four speak `OpenAI`'s API, one Anthropic's; one call of
/// five is not streamed.
async fn drive(root: &str, key: &str, client: usize, answered: &Answered) {
    let http = http();
    for call in 0_usize.. {
        let (anthropic, streamed) = (client % 4 == 3, (client + call) % 5 != 4);
        let mut body = json!({
            "model": "op:chat_message",
            "messages": [{"role": "user", "content": format!("client {client} makes call {call} now")}],
            "stream": streamed,
        });
        let path = if anthropic { "/v1/messages" } else { "/v1/chat/completions" };
        if anthropic {
            body["max_tokens"] = json!(64);
        }
        let is_tight = client % 10 == 7;
        let user = if is_tight { TIGHT_USER } else { "free" };
        let request =
            http.post(format!("{root}{path}")).bearer_auth(key).header("x-signalbox-user", user).json(&body);
        match whole_answer(request).await {
            // The budget is used up; whoever is refused comes back a little later.
            Some((_, 402)) if is_tight => tokio::time::sleep(Duration::from_millis(20)).await,
            Some((id, status)) => {
                assert_eq!(status, 200, "nothing but the kill may fail");
                answered.lock().unwrap().push((id, status));
            }
            None => return,
        }
    }
}

/// The id of the answer, if it came to its last byte: the terminal event of a stream, or the whole body.
async fn whole_answer(request: reqwest::RequestBuilder) -> Option<(String, u16)> {
    let response = request.send().await.ok()?;
    let status = response.status().as_u16();
    let is_stream =
        response.headers()["content-type"].to_str().is_ok_and(|kind| kind.starts_with("text/event-stream"));
    let id = response.headers().get("x-signalbox-request-id").map(|id| id.to_str().unwrap().to_owned());
    let mut text = Vec::new();
    let mut chunks = response.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        text.extend_from_slice(&chunk.ok()?);
        if is_stream && (ends_with_event(&text, b"data: [DONE]") || contains(&text, b"event: message_stop")) {
            // What the client was promised is there, whatever happens to the connection now.
            return Some((id.expect("an answer without an id"), status));
        }
    }
    let whole = !is_stream && serde_json::from_slice::<Value>(&text).is_ok();
    whole.then(|| (id.unwrap_or_else(|| panic!("no id: {}", String::from_utf8_lossy(&text))), status))
}

fn ends_with_event(text: &[u8], event: &[u8]) -> bool {
    text.trim_ascii_end().ends_with(event)
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// Every answered request is there once, nothing is open, and all sums agree. Gives every row.
async fn assert_in_order(installation: &Installation, answered: &[(String, u16)]) -> Vec<Value> {
    let rows = installation.json(&["requests", "list", "--limit", "1000000"]).await;
    let rows = rows.as_array().unwrap().clone();
    let mut by_id: HashMap<&str, Vec<&Value>> = HashMap::new();
    for row in &rows {
        by_id.entry(row["id"].as_str().unwrap()).or_default().push(row);
    }
    for (id, _) in answered {
        let rows = by_id.get(id.as_str()).map_or(&[][..], Vec::as_slice);
        assert_eq!(rows.len(), 1, "{id} was answered and has {} rows", rows.len());
        assert_eq!(rows[0]["status"], "succeeded", "{id}: {}", rows[0]);
        let cost: i64 = rows[0]["cost"].as_str().unwrap().parse().unwrap();
        assert!(cost > 0 && rows[0]["cost_status"] == "exact", "{id}: {}", rows[0]);
    }
    let mut ids: Vec<_> = answered.iter().map(|(id, _)| id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), answered.len(), "two answers with one id");
    let open: Vec<_> = rows.iter().filter(|row| row["status"] == "in_flight").collect();
    assert!(open.is_empty(), "rows that are still open: {open:?}");
    let report = installation.json(&["ledger", "verify"]).await;
    assert_eq!((&report["in_order"], &report["open"]), (&json!(true), &json!(0)), "{report}");
    assert_eq!(report["settled"], json!(rows.len()), "{report}");
    installation.ok(&["history", "verify"]).await;
    rows
}
