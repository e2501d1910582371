//! The means of telling: each takes a message into its own form and sends it.

mod discord;
mod email;
mod slack;
mod webhook;

pub use email::is_mail_address;

use secrecy::ExposeSecret;
use signalbox_core::address::check_destination;
use signalbox_core::alert::{Channel, Means};
use signalbox_core::redact::without_secret;

use super::Notifier;
use super::message::Message;
use super::secret::{ChannelSecrets, signing_key};
use crate::control::Control;
use crate::outbound::{self, Answer, Post};
use crate::secrets::SecretsError;

/// Characters of a failure that are kept.
const FAULT_CHARS_MAX: usize = 300;
/// Characters of a failure that are looked at: a receiver may repeat a long address twice before it comes to the point.
const WITH_SECRETS_CHARS_MAX: usize = 2_000;
/// What stands where a secret was.
const HIDDEN: &str = "[secret]";

/// Why a message did not arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undelivered {
    /// For a person; without secrets.
    pub why: String,
    /// Whether another try may do better.
    pub again: Again,
}

/// Whether another try may do better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// It may; the receiver may have asked for a pause. Units: seconds.
    Perhaps {
        /// The pause it asked for.
        asked_s: Option<u32>,
    },
    /// It cannot, until somebody changes something.
    No,
}

impl Undelivered {
    fn for_now(why: impl Into<String>) -> Self {
        Self { why: why.into(), again: Again::Perhaps { asked_s: None } }
    }

    fn for_good(why: impl Into<String>) -> Self {
        Self { why: why.into(), again: Again::No }
    }

    /// Without the secrets, which a receiver may have repeated, and not endless.
    fn tidy(self, secrets: &ChannelSecrets) -> Self {
        let one_line = self.why.replace(char::is_control, " ");
        let beginning: String = one_line.chars().take(WITH_SECRETS_CHARS_MAX).collect();
        let secrets = [&secrets.current, &secrets.previous].into_iter().flatten();
        let why = secrets.fold(beginning, |why, secret| without_secret(&why, secret.expose_secret(), HIDDEN));
        Self { why: Message::cut(&why, FAULT_CHARS_MAX), ..self }
    }
}

/// Sends a message on a channel, once.
pub(super) async fn send(
    control: &Control,
    desktop: Option<&dyn Notifier>,
    channel: &Channel,
    message: &Message,
) -> Result<(), Undelivered> {
    let secrets = control.channel_secrets(channel).await.map_err(|error| sealed(&error))?;
    let sent = match &channel.means {
        Means::Desktop { shows_text } => show(desktop, *shows_text, message),
        Means::Discord => {
            let url = url_of(&secrets)?;
            post(channel, url, Vec::new(), discord::body(message)).await
        }
        Means::Slack => {
            let url = url_of(&secrets)?;
            post(channel, url, Vec::new(), slack::body(message)).await
        }
        Means::Webhook { url } => {
            let body = webhook::body(message);
            let keys: Vec<_> = [&secrets.current, &secrets.previous]
                .into_iter()
                .flatten()
                .filter_map(|secret| signing_key(secret.expose_secret()))
                .collect();
            if keys.is_empty() {
                return Err(no_secret());
            }
            let headers = webhook::headers(&keys, message, control.now(), &body);
            post(channel, url.as_str(), headers, body).await
        }
        Means::Email { .. } => email::send(channel, secrets.current.as_ref(), message).await,
    };
    sent.map_err(|undelivered| undelivered.tidy(&secrets))
}

fn show(desktop: Option<&dyn Notifier>, shows_text: bool, message: &Message) -> Result<(), Undelivered> {
    let desktop = desktop.ok_or_else(|| Undelivered::for_good("there is no desktop here"))?;
    let title = format!("Signalbox: {}", message.title);
    let body = if shows_text { &*message.sentence } else { "Open Signalbox to see it." };
    desktop.notify(&title, body).map_err(Undelivered::for_good)
}

async fn post(
    channel: &Channel,
    url: &str,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
) -> Result<(), Undelivered> {
    let is_local = channel.is_local;
    let url = check_destination(url, is_local).map_err(|error| Undelivered::for_good(error.to_string()))?;
    match outbound::post(Post { url, is_local, headers, body }).await {
        Ok(answer) => judged(&answer),
        Err(error) if error.is_for_good() => Err(Undelivered::for_good(error.to_string())),
        Err(error) => Err(Undelivered::for_now(error.to_string())),
    }
}

/// What the receiver's answer means. A client error is ours and stays, but for time and rate.
fn judged(answer: &Answer) -> Result<(), Undelivered> {
    let said =
        if answer.text.trim().is_empty() { String::new() } else { format!(": {}", answer.text.trim()) };
    let why = format!("the receiver answered {}{said}", answer.status);
    match answer.status {
        200..=299 => Ok(()),
        300..=399 => Err(Undelivered::for_good(format!(
            "the receiver answered {}; redirects are never followed",
            answer.status
        ))),
        408 | 425 | 429 | 500.. => {
            Err(Undelivered { why, again: Again::Perhaps { asked_s: answer.retry_after_s } })
        }
        _ => Err(Undelivered::for_good(why)),
    }
}

fn url_of(secrets: &ChannelSecrets) -> Result<&str, Undelivered> {
    secrets.current.as_ref().map(ExposeSecret::expose_secret).ok_or_else(no_secret)
}

fn no_secret() -> Undelivered {
    Undelivered::for_good("the channel's secret is not set")
}

/// A vault that is locked now may be open later.
fn sealed(error: &SecretsError) -> Undelivered {
    Undelivered::for_now(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waiting_may_cure_is_tried_again_and_what_it_cannot_is_not() {
        let answer = |status, retry_after_s| Answer { status, retry_after_s, text: "said".to_owned() };
        assert_eq!(judged(&answer(204, None)), Ok(()));
        for status in [408, 429, 500, 503] {
            let again = judged(&answer(status, Some(7))).unwrap_err().again;
            assert_eq!(again, Again::Perhaps { asked_s: Some(7) }, "{status}");
        }
        for status in [301, 400, 401, 404, 410] {
            assert_eq!(judged(&answer(status, Some(7))).unwrap_err().again, Again::No, "{status}");
        }
    }

    #[test]
    fn what_a_receiver_says_shows_no_secret_and_is_one_short_line() {
        let [now, before] = ["https://hooks.example/secret-of-now", "https://other.example/one-of-before"];
        let secrets = ChannelSecrets { current: Some(now.into()), previous: Some(before.into()) };
        let said = format!("the receiver answered 500: POST {now}\nnot {before}, {}", "x".repeat(999));
        let why = Undelivered::for_now(said).tidy(&secrets).why;
        assert!(why.starts_with("the receiver answered 500: POST [secret] not [secret], xx"), "{why}");
        assert_eq!(why.chars().count(), FAULT_CHARS_MAX);
        // An answer is cut once before its secrets are known.
        let cut = format!("the receiver answered 500: {}", &now[..now.len() - 3]);
        assert_eq!(Undelivered::for_now(cut).tidy(&secrets).why, "the receiver answered 500: [secret]");
    }
}
