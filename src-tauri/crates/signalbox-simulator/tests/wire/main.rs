//! The simulator over real sockets: the wires it speaks, the faults it plays, the record it keeps.

#![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]

mod anthropic;
mod control;
mod faults;
mod gemini;
mod media;
mod openai;
mod openai_responses;

use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use signalbox_simulator::{Dials, RunningSimulator, Simulator};

/// A key long enough to show its end.
const KEY: &str = "sk-test-0123456789abcd";

/// A simulator on a free port and a client for it.
#[derive(Debug)]
struct Bench {
    simulator: RunningSimulator,
    http: reqwest::Client,
}

impl Bench {
    async fn new(dials: Dials) -> Self {
        let simulator = Simulator::bind_ephemeral(dials).await.unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { simulator, http }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.simulator.addr())
    }

    fn chat(&self, body: &Value) -> RequestBuilder {
        self.http.post(self.url("/v1/chat/completions")).bearer_auth(KEY).json(body)
    }

    fn messages(&self, body: &Value) -> RequestBuilder {
        self.http
            .post(self.url("/v1/messages"))
            .header("x-api-key", KEY)
            .header("anthropic-version", "2023-06-01")
            .json(body)
    }
}

/// An `OpenAI` request that says `text`.
fn say(text: &str) -> Value {
    json!({"model": "sim-small", "messages": [{"role": "user", "content": text}]})
}

/// The same, streamed with usage.
fn say_streaming(text: &str) -> Value {
    let mut body = say(text);
    body["stream"] = json!(true);
    body["stream_options"] = json!({"include_usage": true});
    body
}

/// An Anthropic request that says `text`.
fn ask(text: &str) -> Value {
    json!({"model": "sim-small", "max_tokens": 100, "messages": [{"role": "user", "content": text}]})
}

/// Every `data:` line of a whole event stream; `[DONE]` stays text.
async fn events(response: Response) -> Vec<Value> {
    let text = response.text().await.unwrap();
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    data.map(|json| serde_json::from_str(json).unwrap_or_else(|_| json!(json))).collect()
}
