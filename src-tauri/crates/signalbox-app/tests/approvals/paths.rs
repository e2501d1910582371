//! Every way on which a provider could be reached, driven on a real engine: nothing that needs a person goes out without.
//!
//! The ways are those of [`EntryPath`], matched without a catch-all: a new one does not compile until it has a row here.

use std::time::Duration;

use serde_json::{Value, json};
use signalbox_app::{App, Code, drills, dto, operations, providers, simulation, trial};
use signalbox_core::budget::{Action, Budget, Limits, Period, Scope};
use signalbox_core::entry::{EntryPath, Gate};
use signalbox_core::ids::OperationId;
use signalbox_core::ledger::{Surface, Work};
use signalbox_core::money::NanoUsd;
use signalbox_core::operation::Capability;
use signalbox_simulator::{Dials, ErrorKind};
use signalbox_store::ConfigWrite;
use signalbox_testkit::{Prices, Reply, TestApp, Vendor};

use crate::support::*;

/// Why requests need a person.
#[derive(Debug, Clone, Copy)]
enum Guard {
    /// Each route says so.
    Route,
    /// A budget of everything has nothing left, and says that a person may let requests pass.
    Budget,
}

/// Every operation of a new installation, guarded, in front of the built-in simulator; `chat_message` goes to a vendor of
/// its own, and to a second one after it.
struct Grounds {
    running: TestApp,
    app: App,
    vendors: [Vendor; 2],
}

impl Grounds {
    async fn new(guard: Guard) -> Self {
        let running = TestApp::start().await.unwrap();
        let operations: Vec<(String, Capability)> = running
            .engine
            .live()
            .snapshot
            .operations
            .values()
            .map(|entry| (entry.operation.id.to_string(), entry.operation.capability))
            .collect();
        for (operation, capability) in &operations {
            let model = match capability {
                Capability::Chat | Capability::Vision | Capability::AudioInput => "simulator/sim-chat",
                Capability::Embedding => "simulator/sim-embed",
                Capability::Transcription => "simulator/sim-transcribe",
                Capability::Speech => "simulator/sim-speech",
            };
            running.set_route(operation, &[model]).await.unwrap();
        }
        let vendors = [running.add_openai("one").await.unwrap(), running.add_openai("two").await.unwrap()];
        for target in ["one/m", "two/m"] {
            running.add_model(target, Prices::per_mtok("2", "8")).await.unwrap();
        }
        running.set_route("chat_message", &["one/m", "two/m"]).await.unwrap();
        for (operation, _) in &operations {
            edit(&running, operation, |entry| {
                entry.operation.enabled = true;
                entry.route.approval = matches!(guard, Guard::Route).then(always);
            })
            .await;
        }
        if matches!(guard, Guard::Budget) {
            let limits = Limits { requests: Some(0), ..Limits::default() };
            let usual = Budget::usual("Nothing left", Scope::Global, Period::Day, NanoUsd::ZERO);
            let budget = Budget { limits, action: Action::RequireApproval, ..usual };
            running.write(vec![ConfigWrite::PutBudget { budget, base_version: None }]).await.unwrap();
        }
        let app = over(&running);
        Self { running, app, vendors }
    }

    /// Calls of anybody that anybody could be charged for.
    fn calls(&self) -> u64 {
        let simulator = self.running.simulator().unwrap().observed().received;
        simulator + self.vendors.iter().map(|vendor| vendor.observed().received).sum::<u64>()
    }

    async fn approved(&self, body: &Value) -> String {
        let id = ticket(&ask(&self.running, body).await);
        approve(&self.app, &id).await;
        id
    }
}

const fn path_of(surface: Surface) -> &'static str {
    match surface {
        Surface::OpenaiChat => "/v1/chat/completions",
        Surface::OpenaiResponses => "/v1/responses",
        Surface::OpenaiEmbeddings => "/v1/embeddings",
        Surface::OpenaiTranscription => "/v1/audio/transcriptions",
        Surface::OpenaiSpeech => "/v1/audio/speech",
        Surface::AnthropicMessages => "/v1/messages",
    }
}

/// A request of a surface, whole and, where there is such a thing, streamed.
fn requests(running: &TestApp, surface: Surface, operation: &OperationId) -> Vec<reqwest::RequestBuilder> {
    let model = format!("op:{operation}");
    let body = match surface {
        Surface::OpenaiChat | Surface::AnthropicMessages => {
            json!({"model": model, "max_tokens": 5, "messages": [{"role": "user", "content": "hello"}]})
        }
        Surface::OpenaiResponses | Surface::OpenaiEmbeddings => json!({"model": model, "input": "hello"}),
        Surface::OpenaiSpeech => json!({"model": model, "input": "hello", "voice": "alloy"}),
        Surface::OpenaiTranscription => {
            let part = |name: &str, text: &str| {
                format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n")
            };
            let file = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\r\nRIFF\r\n--b--\r\n";
            let form = part("model", &model) + file;
            let request = running.http.post(running.url(path_of(surface))).bearer_auth(&running.key);
            return vec![request.header("content-type", "multipart/form-data; boundary=b").body(form)];
        }
    };
    let mut requests = vec![running.post(path_of(surface), &body)];
    if surface.work() == Work::Chat {
        let mut streamed = body;
        streamed["stream"] = json!(true);
        requests.push(running.post(path_of(surface), &streamed));
    }
    requests
}

/// Drives one way and says how many calls anybody got for it without a person's leave.
async fn calls_without_leave(path: EntryPath, guard: Guard) -> u64 {
    let grounds = Grounds::new(guard).await;
    let Grounds { running, app, vendors } = &grounds;
    match path {
        EntryPath::Gateway => {
            let operations: Vec<(OperationId, Work)> = running
                .engine
                .live()
                .snapshot
                .operations
                .values()
                .map(|entry| (entry.operation.id.clone(), entry.operation.capability.work()))
                .collect();
            for (operation, work) in &operations {
                let mut asked = 0;
                for surface in Surface::ALL.iter().filter(|surface| surface.work() == *work) {
                    // One submitter may not fill the queue, and this one asks much.
                    let key = running.create_key(&[]).await.unwrap();
                    for request in requests(running, *surface, operation) {
                        let mut request = request.build().unwrap();
                        let bearer = format!("Bearer {key}").parse().unwrap();
                        request.headers_mut().insert("authorization", bearer);
                        let response = running.http.execute(request).await.unwrap();
                        let (status, text) = (response.status(), response.text().await.unwrap());
                        assert_eq!(status, 403, "{operation} by {}: {text}", surface.as_str());
                        assert!(text.contains("approval_required"), "{text}");
                        asked += 1;
                    }
                }
                assert!(asked > 0, "{operation} has no way in");
            }
            grounds.calls()
        }
        EntryPath::TestRequest => {
            let input =
                dto::TestRequest { operation: "chat_message".to_owned(), message: "hello".to_owned() };
            let refused = trial::send_test_request(app, &admin(), input).await.unwrap_err();
            assert_eq!(refused.code, Code::Refused, "{}", refused.message);
            let row = queue(app).await.rows.remove(0);
            assert!(row.own && row.origin.starts_with("a test request of the window"), "{row:?}");
            grounds.calls()
        }
        EntryPath::Simulation => {
            let draft = operations::find(app, &admin(), "chat_message").await.unwrap().draft();
            let request = dto::SimulatedRequest::Described {
                message: Some("hello".to_owned()),
                input_tokens: None,
                max_output_tokens: None,
                has_images: false,
                has_tools: false,
                streamed: false,
                user: None,
                tags: Vec::new(),
            };
            operations::route_preview(app, &admin(), draft.clone()).await.unwrap();
            simulation::simulate(app, &admin(), dto::SimulationInput { draft, request }).await.unwrap();
            assert_eq!(queue(app).await.pending, 0);
            grounds.calls()
        }
        EntryPath::Replay => {
            let keyed = |id: Option<&str>| {
                let request = running.post("/v1/chat/completions", &body()).header("idempotency-key", "once");
                id.map_or(request.try_clone().unwrap(), |id| request.header("x-signalbox-approval", id))
            };
            let id = ticket(&running.send(keyed(None)).await.unwrap());
            assert_eq!(
                ticket(&running.send(keyed(None)).await.unwrap()),
                id,
                "a refusal is not an answer to keep"
            );
            let before = grounds.calls();
            approve(app, &id).await;
            let first = running.send(keyed(Some(&id))).await.unwrap();
            assert_eq!(first.status, 200, "{}", first.body);
            let replayed = running.send(keyed(None)).await.unwrap();
            assert_eq!((replayed.status, replayed.header("x-signalbox-replayed")), (200, "true"));
            before + (grounds.calls() - 1)
        }
        EntryPath::CachedAnswer => {
            edit(running, "chat_message", |entry| entry.operation.cache_ttl_s = Some(60)).await;
            let id = grounds.approved(&body()).await;
            let before = grounds.calls();
            assert_eq!(ask_with(running, &body(), &id).await.status, 200);
            let hit = ask(running, &body()).await;
            assert_eq!((hit.status, hit.header("x-signalbox-cache")), (200, "hit"));
            before + (grounds.calls() - 1)
        }
        EntryPath::Retry => {
            edit(running, "chat_message", |entry| entry.route.targets.truncate(1)).await;
            vendors[0].dials().set(Dials {
                error: ErrorKind::ServerError,
                error_rate: 1.0,
                ..Dials::default()
            });
            within_one_leave(&grounds).await
        }
        EntryPath::Failover => {
            vendors[0].dials().set(Dials {
                error: ErrorKind::ServerError,
                error_rate: 1.0,
                ..Dials::default()
            });
            within_one_leave(&grounds).await
        }
        EntryPath::Drill => {
            let input = dto::DrillInput {
                model: "sim-chat".to_owned(),
                fault: dto::DrillFault::Outage,
                percent: 100,
                seconds: 1,
                requests_per_second: 2,
                operation: "chat_message".to_owned(),
            };
            drills::start(app, &admin(), input).await.unwrap();
            tokio::time::timeout(Duration::from_secs(20), async {
                // A budget with nothing left asks about rehearsals too.
                while running.simulator().unwrap().observed().received == 0 && queue(app).await.pending == 0 {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            })
            .await
            .unwrap();
            drills::stop(app, &admin()).await.unwrap();
            // It rehearses on simulated models, which nobody pays; of the guarded route's own targets it calls none.
            vendors.iter().map(|vendor| vendor.observed().received).sum()
        }
        EntryPath::ProviderCheck => {
            providers::verify(app, &admin(), "one").await.unwrap();
            let generating = |vendor: &Vendor| {
                vendor.observed().requests.iter().filter(|request| request.method != "GET").count()
            };
            assert_eq!(running.rows().await.unwrap().len(), 0);
            vendors.iter().map(|vendor| generating(vendor) as u64).sum()
        }
    }
}

/// A request whose first call fails, with one leave: its further calls are a part of it, and one leave is all it gets.
async fn within_one_leave(grounds: &Grounds) -> u64 {
    let id = grounds.approved(&body()).await;
    let before = grounds.calls();
    let reply: Reply = ask_with(&grounds.running, &body(), &id).await;
    let attempts: u64 = reply.header("x-signalbox-attempts").parse().unwrap();
    assert!(attempts > 1, "{} after {attempts}", reply.status);
    assert_eq!(grounds.calls() - before, attempts);
    let again = ask_with(&grounds.running, &body(), &id).await;
    assert_eq!((again.status, again.code()), (403, "approval_not_usable"), "{}", again.body);
    before + (grounds.calls() - before - attempts)
}

#[tokio::test]
async fn nothing_that_needs_a_person_goes_out_without_one_on_any_way() {
    let mut rows = Vec::new();
    for guard in [Guard::Route, Guard::Budget] {
        for path in EntryPath::ALL {
            let calls = calls_without_leave(*path, guard).await;
            let gate = match path.gate() {
                Gate::Asks => "asks first",
                Gate::WithinTheFirst => "part of a request that was let through",
                Gate::AlreadyPaid => "was paid for already",
                Gate::CallsNobody => "calls nobody that is paid",
                Gate::Free => "costs nothing",
            };
            let way = path.in_words();
            rows.push(format!("{guard:<8?} {way:<40} {gate:<40} {calls} calls without leave"));
            assert_eq!(calls, 0, "{guard:?}: {way}");
        }
    }
    println!("{}", rows.join("\n"));
}
