//! Clients whose requests need a person, and the person.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use signalbox_app::{App, Caller, Source, approvals, dto};
use signalbox_core::approval::ApprovalState;
use signalbox_core::ids::{ApprovalId, RequestId};
use signalbox_engine::clock::SystemClock;
use signalbox_engine::control::{Control, Options};
use signalbox_engine::secrets::Keychain;
use signalbox_store::Durability;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::support::{Installation, http};
use crate::{Answered, GUARDED, store_of};

/// How long a client or the person waits before they look again.
const LOOK_AGAIN: Duration = Duration::from_millis(15);
/// Most rows the person reads at once: each client has one question.
const QUEUE_ROWS: u32 = 100;

/// A client that asks, and what it knows; it outlives the program, as a client does.
pub struct Asking {
    client: usize,
    knows: Mutex<Knows>,
}

#[derive(Debug, Default)]
struct Knows {
    /// Which call it is at.
    call: usize,
    /// The approval that was named to it for this call.
    approval: Option<String>,
    /// What was answered, each with its approval: (request, approval).
    answered: Vec<(String, String)>,
    /// Approvals that were used up by a call whose answer died with the program.
    unanswered: Vec<String>,
}

impl Knows {
    fn next_call(&mut self) {
        self.call += 1;
        self.approval = None;
    }
}

impl Asking {
    pub fn of(client: usize) -> Self {
        Self { client, knows: Mutex::default() }
    }

    /// Asks, comes back with the approval until it is used, and asks for the next, until the program is gone.
    pub async fn drive(&self, root: &str, key: &str, answered: &Answered) {
        let http = http();
        loop {
            let (call, approval) = {
                let knows = self.knows.lock().unwrap();
                (knows.call, knows.approval.clone())
            };
            let body = json!({
                "model": format!("op:{GUARDED}"),
                "messages": [{"role": "user", "content": format!("client {} plans job {call}", self.client)}],
                "max_tokens": 64,
            });
            let mut request = http.post(format!("{root}/v1/chat/completions")).bearer_auth(key).json(&body);
            if let Some(approval) = &approval {
                request = request.header("x-signalbox-approval", approval);
            }
            let Ok(response) = request.send().await else { return };
            let status = response.status().as_u16();
            let id = response.headers().get("x-signalbox-request-id").cloned();
            let Ok(body) = response.json::<Value>().await else { return };
            if self.takes(status, id.and_then(|id| id.to_str().ok().map(str::to_owned)), &body, answered) {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        }
    }

    /// Notes an answer; true when there is something to wait for.
    fn takes(&self, status: u16, request: Option<String>, body: &Value, answered: &Answered) -> bool {
        let mut knows = self.knows.lock().unwrap();
        match (status, body["error"]["code"].as_str()) {
            (200, _) => {
                let request = request.expect("an answer without an id");
                let approval = knows.approval.clone().expect("an answer without an approval");
                answered.lock().unwrap().push((request.clone(), status));
                knows.answered.push((request, approval));
                knows.next_call();
                false
            }
            (403, Some("approval_required")) => {
                knows.approval = body["error"]["approval"]["id"].as_str().map(str::to_owned);
                true
            }
            // It was used up by the call that was under way when the program was killed.
            (403, Some("approval_not_usable")) => {
                let used = knows.approval.take().expect("an approval was sent");
                knows.unanswered.push(used);
                knows.next_call();
                false
            }
            other => panic!("nothing but the kill and the queue may stop it: {other:?} {body}"),
        }
    }
}

/// The admin, beside the program as the command line is: says yes to whatever is asked, also while the program is down.
pub struct Person {
    stop: CancellationToken,
    working: JoinHandle<()>,
}

impl Person {
    pub async fn at(installation: &Installation) -> Self {
        let options = Options {
            data_dir: installation.path().to_owned(),
            database_url: None,
            durability: Durability::Process,
            keychain: Keychain::Unused,
        };
        let control = Control::open(&options, Arc::new(SystemClock)).await.unwrap();
        let app = App::open(control).unwrap();
        let stop = CancellationToken::new();
        let working = TaskTracker::new().spawn(says_yes(app, stop.clone()));
        Self { stop, working }
    }

    pub async fn leaves(self) {
        self.stop.cancel();
        self.working.await.unwrap();
    }
}

async fn says_yes(app: App, stop: CancellationToken) {
    let caller = Caller::local(Source::Cli);
    while !stop.is_cancelled() {
        let page = approvals::page(&app, &caller, dto::ApprovalList::Pending, None, QUEUE_ROWS).await;
        for row in page.unwrap().rows {
            let input = dto::ApproveInput { id: row.id, hash: row.hash, target: None, reason: None };
            approvals::approve(&app, &caller, input).await.unwrap();
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    app.control().store.close().await;
}

/// Whatever ran of the guarded operation has an approval that was used up, and none was used by two. Says how many were, and
/// for how many of them the answer died with the program.
pub async fn assert_each_used_once(
    installation: &Installation,
    rows: &[Value],
    asking: Vec<Asking>,
) -> (usize, usize) {
    let store = store_of(installation).await;
    let state = async |approval: ApprovalId| store.approval(approval).await.unwrap().unwrap().state;
    let mut used = HashSet::new();
    for row in rows.iter().filter(|row| row["operation"] == GUARDED) {
        let request: RequestId = row["id"].as_str().unwrap().parse().unwrap();
        let approval = store.approval_of_request(request).await.unwrap();
        let approval = approval.unwrap_or_else(|| panic!("it ran without an approval: {row}"));
        assert_eq!(state(approval).await, ApprovalState::Consumed, "{row}");
        assert!(used.insert(approval.to_string()), "{approval} was used twice");
    }
    let mut unanswered = 0;
    for Asking { knows, .. } in asking {
        let knows = knows.into_inner().unwrap();
        for (request, approval) in &knows.answered {
            let stored = store.approval_of_request(request.parse().unwrap()).await.unwrap();
            assert_eq!(stored.map(|stored| stored.to_string()).as_ref(), Some(approval), "{request}");
        }
        for approval in &knows.unanswered {
            assert_eq!(state(approval.parse().unwrap()).await, ApprovalState::Consumed, "{approval}");
        }
        unanswered += knows.unanswered.len();
    }
    store.close().await;
    (used.len(), unanswered)
}
