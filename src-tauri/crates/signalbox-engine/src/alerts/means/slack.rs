//! Webhooks as Slack takes them, and Mattermost, Rocket.Chat and others: a text with one attachment.
//!
//! Sources: <https://api.slack.com/reference/messaging/attachments>, <https://api.slack.com/reference/surfaces/formatting#escaping>.

use serde_json::json;

use crate::alerts::message::Message;

/// Longest text of an attachment. Units: characters.
const TEXT_CHARS_MAX: usize = 2_000;
/// Longest value of a field. Units: characters.
const FIELD_CHARS_MAX: usize = 300;

/// The body of the request.
pub(super) fn body(message: &Message) -> Vec<u8> {
    let field = |title: &str, value: &str| json!({"title": title, "value": value, "short": true});
    let title = escaped(&message.title);
    let sentence = escaped(&Message::cut(&message.sentence, TEXT_CHARS_MAX));
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
        "text": format!("{title} ({})", message.severity_word()),
        "attachments": [{
            "fallback": format!("{title}: {sentence}"),
            "color": format!("#{:06x}", message.colour()),
            "text": sentence,
            "fields": fields,
            "ts": message.at.as_micros() / signalbox_core::time::MICROS_PER_SECOND,
            "mrkdwn_in": [],
        }],
    })
    .to_string()
    .into_bytes()
}

/// Text that links nowhere and mentions nobody: Slack mentions with `<!…>`, others with `@`.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('@', "@\u{200b}")
}

#[cfg(test)]
mod tests {
    use signalbox_core::ids::DeliveryId;
    use signalbox_core::time::Timestamp;

    use super::*;

    #[test]
    fn a_name_that_somebody_chose_mentions_nobody_and_links_nowhere() {
        let trial = Message::trial(DeliveryId::generate(), Timestamp::from_micros(1_795_219_200_000_000));
        let message =
            Message { sentence: "<!channel> @here <https://evil.example|ok> & so".to_owned(), ..trial };
        let sent: serde_json::Value = serde_json::from_slice(&body(&message)).unwrap();
        let attachment = &sent["attachments"][0];
        assert_eq!(
            attachment["text"],
            "&lt;!channel&gt; @\u{200b}here &lt;https://evil.example|ok&gt; &amp; so"
        );
        assert_eq!((&attachment["ts"], &attachment["color"]), (&json!(1_795_219_200), &json!("#3483eb")));
    }
}
