//! Channels: where alerts are told, and their secrets.

use secrecy::{ExposeSecret, SecretString};
use signalbox_core::address::check_destination;
use signalbox_core::alert::channel::{SecretNeed, SecretNote};
use signalbox_core::alert::{AlertRule, Alerting, Channel, Means, Security};
use signalbox_core::change::{Change, ChangeKind};
use signalbox_core::ids::ChannelId;
use signalbox_core::time::MICROS_PER_SECOND;
use signalbox_engine::alerts::courier::try_channel;
use signalbox_engine::alerts::{check_secret, is_mail_address, new_signing_key};
use signalbox_engine::events::Topic;
use signalbox_store::{ConfigWrite, DeliveryFilter};

use crate::alerts::delivery;
use crate::app::{App, Caller, Role, json, sentence};
use crate::dto;
use crate::error::{AppError, Code};

/// Most channels; each alert may go to all of them.
const CHANNELS_MAX: usize = 50;
/// Longest name of a channel. Units: characters.
const NAME_CHARS_MAX: usize = 80;
/// Longest name of a server or an account. Units: characters.
const TEXT_CHARS_MAX: usize = 253;
/// Most receivers of a mail.
const RECEIVERS_MAX: usize = 20;
/// How long a replaced signing key still signs beside the new one. Units: microseconds.
const ROTATION_US: i64 = 24 * 3_600 * MICROS_PER_SECOND;

/// Every channel, the desktop's first, with its newest delivery.
pub async fn list(app: &App, caller: &Caller) -> Result<Vec<dto::AlertChannel>, AppError> {
    caller.must_be(Role::Viewer)?;
    let live = app.live().await?;
    let mut channels = Vec::with_capacity(live.alerting.channels.len());
    for channel in &live.alerting.channels {
        channels.push(shown(app, channel).await?);
    }
    Ok(channels)
}

/// One channel.
pub async fn find(app: &App, caller: &Caller, id: &str) -> Result<dto::AlertChannel, AppError> {
    caller.must_be(Role::Viewer)?;
    let live = app.live().await?;
    shown(app, known(&live.alerting, id)?).await
}

/// Adds a channel. What it needs to be secret is set afterwards; until then it tells nothing.
///
/// Errors: a name that is taken, a place that must not be called, addresses that are none.
pub async fn add(
    app: &App,
    caller: &Caller,
    input: dto::AlertChannelInput,
) -> Result<dto::AlertChannel, AppError> {
    caller.must_be(Role::Admin)?;
    let live = app.live().await?;
    if live.alerting.channels.len() >= CHANNELS_MAX {
        return Err(AppError::new(Code::Refused, format!("There are {CHANNELS_MAX} channels already.")));
    }
    let channel = parse(input, ChannelId::generate(), &live.alerting)?;
    if matches!(channel.means, Means::Desktop { .. }) {
        return Err(AppError::new(Code::AlreadyExists, "The desktop's channel is there already."));
    }
    let (id, what) = (channel.id.to_string(), channel.means.as_str());
    let change = Change {
        after: Some(json(&channel)?),
        ..app.change(caller, ChangeKind::Alert, &id, format!("Channel {} ({what}) is added", channel.name))
    };
    app.commit(vec![ConfigWrite::PutChannel { channel, base_version: None }], change).await?;
    find(app, caller, &id).await
}

/// Changes a channel. A new place forgets the secret: it is bound to its place.
///
/// Errors: as for [`add`]; another kind of means; somebody else's newer version.
pub async fn update(
    app: &App,
    caller: &Caller,
    patch: dto::AlertChannelPatch,
) -> Result<dto::AlertChannel, AppError> {
    caller.must_be(Role::Admin)?;
    let live = app.live().await?;
    let before = known(&live.alerting, &patch.id)?;
    let given = parse(patch.channel, before.id, &live.alerting)?;
    if given.means.as_str() != before.means.as_str() {
        return Err(AppError::invalid("means", "A channel keeps its kind; add another one instead."));
    }
    let moves = given.means.place() != before.means.place();
    let secret = before.secret.clone().filter(|_| !moves);
    let after = Channel { secret, version: patch.base_version.saturating_add(1), ..given };
    let forgets = moves && before.secret.is_some();
    if (Channel { version: before.version, ..after.clone() }) != *before
        || patch.base_version != before.version
    {
        let mut sentence = format!("Channel {} is changed", after.name);
        if after.enabled != before.enabled {
            sentence =
                format!("Channel {} is switched {}", after.name, if after.enabled { "on" } else { "off" });
        }
        if forgets {
            sentence.push_str("; its secret is removed");
        }
        put(app, caller, before, after, sentence).await?;
        if forgets {
            app.control().forget_channel_secret(before.id).await?;
        }
    }
    find(app, caller, &patch.id).await
}

/// Removes a channel, its secret, and its place in the rules.
///
/// Errors: [`Code::Refused`] for the desktop's; somebody else's newer version.
pub async fn remove(app: &App, caller: &Caller, id: &str, base_version: u32) -> Result<(), AppError> {
    caller.must_be(Role::Admin)?;
    let live = app.live().await?;
    let before = known(&live.alerting, id)?;
    if before.id == ChannelId::DESKTOP {
        return Err(AppError::new(Code::Refused, "The desktop's channel can be switched off, not removed."));
    }
    let mut writes = vec![ConfigWrite::RemoveChannel { id: before.id, base_version }];
    for (kind, rule) in &live.alerting.rules {
        let without = without(rule, before.id);
        if without != *rule {
            writes.push(ConfigWrite::PutAlertRule { kind: *kind, rule: Some(without) });
        }
    }
    let change = Change {
        before: Some(json(before)?),
        ..app.change(caller, ChangeKind::Alert, id, format!("Channel {} is removed", before.name))
    };
    app.commit(writes, change).await?;
    app.control().forget_channel_secret(before.id).await?;
    Ok(())
}

/// Seals a channel's secret. It is never shown again.
///
/// Errors: a text that is no such secret; the vault is sealed.
pub async fn set_secret(
    app: &App,
    caller: &Caller,
    id: &str,
    secret: dto::SecretInput,
) -> Result<dto::AlertChannel, AppError> {
    caller.must_be(Role::Admin)?;
    let live = app.live().await?;
    let before = known(&live.alerting, id)?;
    let text = zeroize::Zeroizing::new(secret.0);
    let text = match before.means.secret_need() {
        SecretNeed::Password => text.trim_end_matches(['\r', '\n']),
        SecretNeed::None | SecretNeed::Url | SecretNeed::SigningKey => text.trim(),
    };
    let hint = check_secret(before, text)
        .map_err(|error| AppError::invalid("secret", sentence(&error.to_string())))?;
    let replaces = before.secret.is_some() && before.means.secret_need() == SecretNeed::SigningKey;
    let now = app.now();
    let previous_until = replaces.then(|| now.plus_micros(ROTATION_US));
    let old = app.control().channel_secret(before).await.ok().flatten();
    app.control().store_channel_secret(before, SecretString::from(text), replaces).await?;
    let note = SecretNote { hint, set_at: now, previous_until };
    let version = before.version.saturating_add(1);
    let after = Channel { secret: Some(note), version, ..before.clone() };
    let told = format!("Channel {} has a new secret", before.name);
    if let Err(refused) = put(app, caller, before, after, told).await {
        // The vault is no part of the transaction: what it held before goes back.
        match old {
            Some(old) => app.control().store_channel_secret(before, old, false).await?,
            None => app.control().forget_channel_secret(before.id).await?,
        }
        return Err(refused);
    }
    find(app, caller, id).await
}

/// Makes a new signing key for a webhook and seals it; the caller hands it over. The old one signs beside it for a day.
///
/// Errors: [`Code::Refused`] when the channel signs nothing.
pub async fn renew_signing_key(
    app: &App,
    caller: &Caller,
    id: &str,
) -> Result<(dto::AlertChannel, SecretString), AppError> {
    caller.must_be(Role::Admin)?;
    let live = app.live().await?;
    if known(&live.alerting, id)?.means.secret_need() != SecretNeed::SigningKey {
        return Err(AppError::new(Code::Refused, "Only webhooks of programs have a signing key."));
    }
    let key = new_signing_key()?;
    let secret = dto::SecretInput::new(key.expose_secret().to_owned());
    Ok((set_secret(app, caller, id, secret).await?, key))
}

/// Sends a trial on a channel now, and says what came of it.
pub async fn test(app: &App, caller: &Caller, id: &str) -> Result<dto::ChannelTrial, AppError> {
    caller.must_be(Role::Operator)?;
    let live = app.live().await?;
    let channel = known(&live.alerting, id)?;
    let desktop = app.engine().and_then(|engine| engine.alerts.desktop());
    let sent = try_channel(app.control(), desktop.as_deref(), channel).await?;
    if let Some(engine) = app.engine() {
        engine.events.publish(Topic::Alerts);
    }
    let problem = sent.err().map(|undelivered| sentence(&undelivered.why));
    Ok(dto::ChannelTrial { sent: problem.is_none(), problem })
}

/// A channel by its id.
fn known<'a>(alerting: &'a Alerting, id: &str) -> Result<&'a Channel, AppError> {
    let channel = id.parse().ok().and_then(|id| alerting.channel(id));
    channel.ok_or_else(|| AppError::not_found("channel", id))
}

async fn put(
    app: &App,
    caller: &Caller,
    before: &Channel,
    after: Channel,
    sentence: String,
) -> Result<(), AppError> {
    let change = Change {
        before: Some(json(before)?),
        after: Some(json(&after)?),
        ..app.change(caller, ChangeKind::Alert, &before.id.to_string(), sentence)
    };
    // The desktop's channel is stored when it is changed for the first time.
    let base_version = Some(after.version.saturating_sub(1)).filter(|base| *base > 0);
    app.commit(vec![ConfigWrite::PutChannel { channel: after, base_version }], change).await?;
    Ok(())
}

/// The rule without a channel; whoever was told by name alone is told by the inbox.
fn without(rule: &AlertRule, id: ChannelId) -> AlertRule {
    let mut rule = rule.clone();
    if let Some(channels) = &mut rule.channels {
        channels.retain(|channel| *channel != id);
    }
    if let Some(escalation) = &mut rule.escalation {
        escalation.channels.retain(|channel| *channel != id);
    }
    rule.escalation = rule.escalation.filter(|escalation| !escalation.channels.is_empty());
    rule
}

fn parse(input: dto::AlertChannelInput, id: ChannelId, alerting: &Alerting) -> Result<Channel, AppError> {
    let name = line("name", &input.name, NAME_CHARS_MAX)?;
    if alerting.channels.iter().any(|channel| channel.name == name && channel.id != id) {
        return Err(AppError::new(
            Code::AlreadyExists,
            format!("There is a channel named `{name}` already."),
        ));
    }
    Ok(Channel {
        id,
        name,
        enabled: input.enabled,
        least: input.least.into(),
        is_local: input.local,
        means: means(input.means, input.local)?,
        secret: None,
        version: 1,
    })
}

fn means(given: dto::ChannelMeans, is_local: bool) -> Result<Means, AppError> {
    Ok(match given {
        dto::ChannelMeans::Desktop { shows_text } => Means::Desktop { shows_text },
        dto::ChannelMeans::Discord => Means::Discord,
        dto::ChannelMeans::Slack => Means::Slack,
        dto::ChannelMeans::Webhook { url } => {
            let url = check_destination(&url, is_local)
                .map_err(|error| AppError::invalid("means.url", sentence(&error.to_string())))?;
            Means::Webhook { url }
        }
        dto::ChannelMeans::Email { host, port, security, username, from, to } => {
            let host = line("means.host", &host, TEXT_CHARS_MAX)?.to_ascii_lowercase();
            let is_host = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:".contains(&byte));
            if !is_host {
                return Err(AppError::invalid(
                    "means.host",
                    "The name of a mail server, e.g. smtp.example.com.",
                ));
            }
            let port = u16::try_from(port).ok().filter(|port| *port > 0);
            let port = port.ok_or_else(|| AppError::invalid("means.port", "A port from 1 to 65535."))?;
            let security = match security {
                dto::MailSecurity::Tls => Security::Tls,
                dto::MailSecurity::StartTls => Security::StartTls,
                dto::MailSecurity::None if is_local => Security::None,
                dto::MailSecurity::None => {
                    let message = "Mail is sent without encryption to local servers only.";
                    return Err(AppError::invalid("means.security", message));
                }
            };
            let username = username.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
            let username = username.map(|name| line("means.username", &name, TEXT_CHARS_MAX)).transpose()?;
            let address = |field: &str, text: &str| {
                let text = text.trim();
                let is_line = text.chars().count() <= TEXT_CHARS_MAX && !text.contains(char::is_control);
                let is_one = is_line && is_mail_address(text);
                is_one
                    .then(|| text.to_owned())
                    .ok_or_else(|| AppError::invalid(field, format!("`{text:.80}` is no mail address.")))
            };
            if to.is_empty() || to.len() > RECEIVERS_MAX {
                return Err(AppError::invalid("means.to", format!("From 1 to {RECEIVERS_MAX} receivers.")));
            }
            let from = address("means.from", &from)?;
            let to = to.iter().map(|to| address("means.to", to)).collect::<Result<_, _>>()?;
            Means::Email { host, port, security, username, from, to }
        }
    })
}

/// One line of text that is not empty.
fn line(field: &str, text: &str, chars_max: usize) -> Result<String, AppError> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > chars_max || text.chars().any(char::is_control) {
        return Err(AppError::invalid(field, format!("One line of 1 to {chars_max} characters.")));
    }
    Ok(text.to_owned())
}

async fn shown(app: &App, channel: &Channel) -> Result<dto::AlertChannel, AppError> {
    let of_channel = DeliveryFilter { channel: Some(channel.id), ..DeliveryFilter::default() };
    let last = app.control().store.deliveries(&of_channel, 1).await?.pop();
    let is_desktop = matches!(channel.means, Means::Desktop { .. });
    let has_desktop = app.engine().is_some_and(|engine| engine.alerts.desktop().is_some());
    let problem = if !channel.enabled {
        Some("Switched off.")
    } else if is_desktop && !has_desktop {
        Some("There is no desktop here that shows notifications.")
    } else if !channel.is_ready() {
        Some("Its secret is not set yet.")
    } else {
        None
    };
    Ok(dto::AlertChannel {
        id: channel.id.to_string(),
        name: channel.name.clone(),
        enabled: channel.enabled,
        least: channel.least.into(),
        local: channel.is_local,
        means: shown_means(&channel.means),
        secret_need: match channel.means.secret_need() {
            SecretNeed::None => dto::ChannelSecretNeed::None,
            SecretNeed::Url => dto::ChannelSecretNeed::Url,
            SecretNeed::SigningKey => dto::ChannelSecretNeed::SigningKey,
            SecretNeed::Password => dto::ChannelSecretNeed::Password,
        },
        secret: channel.secret.as_ref().map(|note| dto::ChannelSecret {
            hint: note.hint.clone(),
            set_at: note.set_at.into(),
            previous_until: note.previous_until.filter(|until| *until > app.now()).map(Into::into),
        }),
        ready: problem.is_none(),
        problem: problem.map(str::to_owned),
        version: channel.version,
        last: last.map(delivery),
    })
}

fn shown_means(means: &Means) -> dto::ChannelMeans {
    match means {
        Means::Desktop { shows_text } => dto::ChannelMeans::Desktop { shows_text: *shows_text },
        Means::Discord => dto::ChannelMeans::Discord,
        Means::Slack => dto::ChannelMeans::Slack,
        Means::Webhook { url } => dto::ChannelMeans::Webhook { url: url.to_string() },
        Means::Email { host, port, security, username, from, to } => dto::ChannelMeans::Email {
            host: host.clone(),
            port: u32::from(*port),
            security: match security {
                Security::Tls => dto::MailSecurity::Tls,
                Security::StartTls => dto::MailSecurity::StartTls,
                Security::None => dto::MailSecurity::None,
            },
            username: username.clone(),
            from: from.clone(),
            to: to.clone(),
        },
    }
}
