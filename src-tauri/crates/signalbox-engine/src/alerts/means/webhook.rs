//! Signed JSON for any program.

use serde_json::json;
use signalbox_core::alert::Cause;
use signalbox_core::time::{MICROS_PER_SECOND, Timestamp};
use zeroize::Zeroizing;

use crate::alerts::message::Message;
use crate::alerts::signature::sign;

/// The body of the request: what happened, when it was, and the alert.
pub(super) fn body(message: &Message) -> Vec<u8> {
    let event = match message.cause {
        Cause::Raised => "alert.raised",
        Cause::Escalated => "alert.escalated",
        Cause::Test => "alert.test",
    };
    json!({
        "type": event,
        "timestamp": message.at.to_string(),
        "data": {
            "id": message.alert,
            "kind": message.kind,
            "severity": message.severity.as_str(),
            "title": message.title,
            "subject": message.subject,
            "sentence": message.sentence,
            "times": message.times,
        },
    })
    .to_string()
    .into_bytes()
}

/// The headers of Standard Webhooks. The id is the delivery's, the time that of this try.
pub(super) fn headers(
    keys: &[Zeroizing<Vec<u8>>],
    message: &Message,
    now: Timestamp,
    body: &[u8],
) -> Vec<(&'static str, String)> {
    let (id, at_s) = (message.id.to_string(), now.as_micros() / MICROS_PER_SECOND);
    let signature = sign(keys.iter().map(|key| key.as_slice()), &id, at_s, body);
    vec![("webhook-id", id), ("webhook-timestamp", at_s.to_string()), ("webhook-signature", signature)]
}
