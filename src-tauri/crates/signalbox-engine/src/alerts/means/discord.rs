//! Discord's webhooks: one embed per alert, and nobody is mentioned.
//!
//! Source: <https://discord.com/developers/docs/resources/webhook#execute-webhook> and its limits of embeds.

use serde_json::json;

use crate::alerts::message::Message;

/// Longest title of an embed, less room for escapes. Units: characters.
const TITLE_CHARS_MAX: usize = 120;
/// Longest description, less room for escapes. Units: characters.
const DESCRIPTION_CHARS_MAX: usize = 1_900;
/// Longest value of a field, less room for escapes. Units: characters.
const FIELD_CHARS_MAX: usize = 500;

/// The body of the request.
pub(super) fn body(message: &Message) -> Vec<u8> {
    let field = |name: &str, value: &str| json!({"name": name, "value": value, "inline": true});
    let mut fields = vec![field("Severity", message.severity_word())];
    let subject = escaped(&Message::cut(&message.subject, FIELD_CHARS_MAX));
    if !subject.is_empty() {
        fields.push(field("About", &subject));
    }
    if message.times > 1 {
        fields.push(field("Times", &message.times.to_string()));
    }
    json!({
        "username": "Signalbox",
        "allowed_mentions": {"parse": []},
        "embeds": [{
            "title": escaped(&Message::cut(&message.title, TITLE_CHARS_MAX)),
            "description": escaped(&Message::cut(&message.sentence, DESCRIPTION_CHARS_MAX)),
            "color": message.colour(),
            "timestamp": message.at.to_string(),
            "fields": fields,
        }],
    })
    .to_string()
    .into_bytes()
}

/// Text that Markdown leaves as it is: names of things may have been chosen by anybody.
fn escaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        if "\\*_~`|>[]()#<@:".contains(character) {
            plain.push('\\');
        }
        plain.push(character);
    }
    plain
}

#[cfg(test)]
mod tests {
    use signalbox_core::ids::DeliveryId;
    use signalbox_core::time::Timestamp;

    use super::*;

    #[test]
    fn a_name_that_somebody_chose_mentions_nobody_and_links_nowhere() {
        let trial = Message::trial(DeliveryId::generate(), Timestamp::from_micros(0));
        let hostile = "@everyone [click](https://evil.example) **loud**";
        let message = Message { subject: hostile.to_owned(), sentence: "x".repeat(9_999), ..trial };
        let sent: serde_json::Value = serde_json::from_slice(&body(&message)).unwrap();
        assert_eq!(sent["allowed_mentions"]["parse"], json!([]));
        let embed = &sent["embeds"][0];
        assert!(embed["fields"][1]["value"].as_str().unwrap().starts_with(r"\@everyone \[click\]\(https\:"));
        assert!(embed["description"].as_str().unwrap().chars().count() <= 4_096);
    }
}
