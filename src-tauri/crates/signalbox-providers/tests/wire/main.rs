//! The adapters over real sockets: against the rehearsal provider, and against servers no vendor would run.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot be set up has failed")]

mod auth;
mod gemini;
mod hostile;
mod media;
mod rehearsed;
mod responses;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use signalbox_core::ids::{ModelName, ProviderName};
use signalbox_core::ledger::Surface;
use signalbox_core::provider::ProviderKind;
use signalbox_providers::{
    Account, Call, CallError, ChatStream, Metering, Payload, Providers, StreamItem, Timeouts,
};

/// What no message and no log may show.
const SECRET: &str = "sk-test-0123456789abcdef";

fn account(kind: ProviderKind, base_url: &str) -> Account {
    Account {
        auth: signalbox_core::provider::Auth::default(),
        name: ProviderName::new("vendor").unwrap(),
        kind,
        base_url: base_url.parse().unwrap(),
        credential: Some(SECRET.into()),
    }
}

fn call(surface: Surface, body: Value) -> Call {
    let Value::Object(body) = body else { panic!("a body is an object") };
    let timeouts = Timeouts { first_byte: Duration::from_secs(10), idle: Duration::from_secs(10) };
    Call {
        surface,
        payload: Payload::Json(Arc::new(body)),
        model: ModelName::new("sim-small").unwrap(),
        timeouts,
    }
}

fn hello() -> Value {
    json!({"model": "op:chat_message", "max_tokens": 100, "messages": [{"role": "user", "content": "one two three"}]})
}

fn providers() -> Providers {
    Providers::new().unwrap()
}

/// Plays a stream to its end: the bytes, then the metering or the failure.
async fn play_out(stream: &mut ChatStream) -> (String, Result<Metering, CallError>) {
    let mut text = String::new();
    loop {
        match stream.next().await {
            StreamItem::Frame { bytes, .. } => text.push_str(std::str::from_utf8(&bytes).unwrap()),
            StreamItem::End { bytes, metering } => {
                text.push_str(std::str::from_utf8(&bytes).unwrap());
                return (text, Ok(metering));
            }
            StreamItem::Failed(error) => return (text, Err(error)),
        }
    }
}
