//! E-mail by SMTP: one plain text to all receivers.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use lettre::message::{Mailbox, header::ContentType};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use secrecy::{ExposeSecret, SecretString};
use signalbox_core::alert::{Channel, Means, Security};

use super::Undelivered;
use crate::alerts::message::Message;
use crate::outbound;

/// How long the server may take for one answer.
const ANSWER_WAIT: Duration = Duration::from_secs(5);
/// How long all of it may take.
const SEND_WAIT: Duration = Duration::from_secs(20);
/// Longest subject. Units: characters.
const SUBJECT_CHARS_MAX: usize = 120;

/// Whether a text is one mail address, perhaps with a name before it.
pub fn is_mail_address(text: &str) -> bool {
    text.parse::<Mailbox>().is_ok()
}

/// Sends a message to the channel's receivers.
pub(super) async fn send(
    channel: &Channel,
    password: Option<&SecretString>,
    message: &Message,
) -> Result<(), Undelivered> {
    let Means::Email { host, port, security, username, from, to } = &channel.means else {
        return Err(Undelivered::for_good("this is no mail channel"));
    };
    let mail = mail(from, to, message)?;
    let addresses = outbound::addresses(host, *port, channel.is_local).await;
    let addresses = addresses.map_err(|error| {
        if error.is_for_good() {
            Undelivered::for_good(error.to_string())
        } else {
            Undelivered::for_now(error.to_string())
        }
    })?;
    let address = addresses.first().copied();
    let address = address.ok_or_else(|| Undelivered::for_now("the mail server has no address"))?;
    let credentials = match (username, password) {
        (None, _) => None,
        (Some(user), Some(password)) => {
            Some(Credentials::new(user.clone(), password.expose_secret().to_owned()))
        }
        (Some(_), None) => return Err(super::no_secret()),
    };
    if *security == Security::None && !channel.is_local {
        return Err(Undelivered::for_good("mail is sent without encryption to local servers only"));
    }
    let transport = transport(address, host, *security, credentials)?;
    match tokio::time::timeout(SEND_WAIT, transport.send(mail)).await {
        Err(_) => Err(Undelivered::for_now("the mail server took too long")),
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(refused(&error)),
    }
}

/// Connects to the address that was checked, and has the certificate show the server's name.
fn transport(
    address: SocketAddr,
    host: &str,
    security: Security,
    credentials: Option<Credentials>,
) -> Result<AsyncSmtpTransport<Tokio1Executor>, Undelivered> {
    let parameters =
        || TlsParameters::new(host.to_owned()).map_err(|error| Undelivered::for_good(error.to_string()));
    let tls = match security {
        Security::Tls => Tls::Wrapper(parameters()?),
        Security::StartTls => Tls::Required(parameters()?),
        Security::None => Tls::None,
    };
    let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(address.ip().to_string())
        .port(address.port())
        .timeout(Some(ANSWER_WAIT))
        .tls(tls);
    Ok(match credentials {
        Some(credentials) => builder.credentials(credentials).build(),
        None => builder.build(),
    })
}

fn mail(from: &str, to: &[String], message: &Message) -> Result<lettre::Message, Undelivered> {
    let mailbox = |text: &str| -> Result<Mailbox, Undelivered> {
        text.parse().map_err(|_| Undelivered::for_good(format!("`{text:.80}` is no mail address")))
    };
    let subject = format!("[Signalbox] {}: {}", message.severity_word(), message.title);
    let sent_at =
        SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(message.at.as_micros()).unwrap_or(0));
    let mut builder = lettre::Message::builder()
        .from(mailbox(from)?)
        .subject(Message::cut(&subject, SUBJECT_CHARS_MAX))
        .message_id(Some(format!("<{}@signalbox.invalid>", message.id)))
        .date(sent_at)
        .header(ContentType::TEXT_PLAIN);
    for receiver in to {
        builder = builder.to(mailbox(receiver)?);
    }
    builder.body(text(message)).map_err(|error| Undelivered::for_good(error.to_string()))
}

fn text(message: &Message) -> String {
    let times = if message.times > 1 { format!("Times: {}\r\n", message.times) } else { String::new() };
    format!(
        "{}\r\n\r\nSeverity: {}\r\nAbout: {}\r\nSince: {}\r\n{times}",
        message.sentence,
        message.severity_word(),
        message.subject,
        message.at,
    )
}

/// What the server's refusal means. It may say more than one line; the first cause says why.
fn refused(error: &lettre::transport::smtp::Error) -> Undelivered {
    let why = match std::error::Error::source(error) {
        Some(cause) => format!("the mail server: {error}: {cause}"),
        None => format!("the mail server: {error}"),
    };
    // A client that cannot speak as it must (no encryption, no way to sign in) will not learn to by waiting.
    if error.is_permanent() || error.is_client() || error.is_tls() {
        Undelivered::for_good(why)
    } else {
        Undelivered::for_now(why)
    }
}
