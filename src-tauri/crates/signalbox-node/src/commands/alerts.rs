//! `alerts`: what a person should know of, and where it is told.

use secrecy::ExposeSecret;
use signalbox_app::dto::{
    AlertChannel, AlertChannelInput, AlertFilter, AlertSeverity, ChannelMeans, DeliveryFilter, MailSecurity,
};
use signalbox_app::{AppError, alerts, channels};

use super::Desk;
use crate::cli::{Alerts, Channels, Means, NewChannel, Security, Severity};
use crate::failure::{Exit, Failure};
use crate::input::read_secret;
use crate::output::{Table, or_dash, print, print_json, remark, word, yes_no};

pub async fn run(desk: Desk, command: Alerts) -> Result<Exit, Failure> {
    match command {
        Alerts::List { open, kind, severity, limit, json } => {
            let filter = AlertFilter { kind, severity: severity.map(Into::into), open };
            list(&desk, filter, limit, json).await
        }
        Alerts::Ack { ids, all } => {
            let ids = (!all).then_some(ids);
            let open = alerts::acknowledge(&desk.app, &desk.caller, ids).await?;
            let left = open.info + open.warning + open.critical;
            print(&format!("Acknowledged; {left} alerts are open."))?;
            Ok(Exit::Ok)
        }
        Alerts::Channels(Channels::List(form)) => list_channels(&desk, form.json).await,
        Alerts::Channels(Channels::Add(new)) => add(&desk, new).await,
        Alerts::Channels(Channels::Remove { channel }) => {
            let channel = find(&desk, &channel).await?;
            channels::remove(&desk.app, &desk.caller, &channel.id, channel.version).await?;
            print(&format!("{} is removed.", channel.name))?;
            Ok(Exit::Ok)
        }
        Alerts::Test { channel } => {
            let channel = find(&desk, &channel).await?;
            let trial = channels::test(&desk.app, &desk.caller, &channel.id).await?;
            match trial.problem {
                None => {
                    print(&format!("The trial was delivered on {}.", channel.name))?;
                    Ok(Exit::Ok)
                }
                Some(problem) => Err(Failure::new(Exit::Failed, problem)),
            }
        }
        Alerts::Deliveries { limit, json } => deliveries(&desk, limit, json).await,
    }
}

async fn list(desk: &Desk, filter: AlertFilter, limit: u32, json: bool) -> Result<Exit, Failure> {
    let page = alerts::page(&desk.app, &desk.caller, filter, None, limit).await?;
    if json {
        print_json(&page.rows)?;
        return Ok(Exit::Ok);
    }
    let mut table = Table::new(&["SINCE", "SEVERITY", "WHAT", "ABOUT", ">TIMES", "STATE", "SENTENCE", "ID"]);
    for alert in page.rows {
        let state = match (&alert.acknowledged_by, &alert.resolved_at) {
            (Some(by), _) => format!("seen by {by}"),
            (None, Some(_)) => "over".to_owned(),
            (None, None) => "open".to_owned(),
        };
        table.row([
            alert.first_at.0,
            word(&alert.severity),
            alert.title,
            alert.subject,
            alert.times.to_string(),
            state,
            alert.sentence,
            alert.id,
        ]);
    }
    print(&table.text())?;
    Ok(Exit::Ok)
}

async fn list_channels(desk: &Desk, json: bool) -> Result<Exit, Failure> {
    let channels = channels::list(&desk.app, &desk.caller).await?;
    if json {
        print_json(&channels)?;
        return Ok(Exit::Ok);
    }
    let mut table = Table::new(&["NAME", "KIND", "FROM", "READY", "SECRET", "LAST", "ID"]);
    for channel in channels {
        table.row([
            channel.name.clone(),
            kind(&channel.means).to_owned(),
            word(&channel.least),
            channel.problem.unwrap_or_else(|| yes_no(channel.ready)),
            or_dash(channel.secret.map(|secret| secret.hint)),
            or_dash(channel.last.map(|last| format!("{} {}", word(&last.state), last.created_at.0))),
            channel.id,
        ]);
    }
    print(&table.text())?;
    Ok(Exit::Ok)
}

/// The secret is read first: a channel without it is not what was asked for. One that is refused leaves no channel.
async fn add(desk: &Desk, new: NewChannel) -> Result<Exit, Failure> {
    let secret = new.secret_stdin.then(read_secret).transpose()?;
    let makes_key = new.new_key;
    let channel = channels::add(&desk.app, &desk.caller, input(new)?).await?;
    let sealed: Result<_, AppError> = async {
        if makes_key {
            let (_, key) = channels::renew_signing_key(&desk.app, &desk.caller, &channel.id).await?;
            return Ok(Some(key));
        }
        if let Some(secret) = secret {
            channels::set_secret(&desk.app, &desk.caller, &channel.id, secret).await?;
        }
        Ok(None)
    }
    .await;
    let key = match sealed {
        Ok(key) => key,
        Err(refused) => {
            channels::remove(&desk.app, &desk.caller, &channel.id, channel.version).await?;
            return Err(refused.into());
        }
    };
    let channel = channels::find(&desk.app, &desk.caller, &channel.id).await?;
    remark(&format!("{} is added. {}", channel.name, channel.problem.unwrap_or_default()));
    match key {
        // The key alone goes to standard output, so that it can be handed on.
        Some(key) => print(key.expose_secret())?,
        None => print(&channel.id)?,
    }
    Ok(Exit::Ok)
}

async fn deliveries(desk: &Desk, limit: u32, json: bool) -> Result<Exit, Failure> {
    let page = alerts::deliveries(&desk.app, &desk.caller, DeliveryFilter::default(), None, limit).await?;
    if json {
        print_json(&page.rows)?;
        return Ok(Exit::Ok);
    }
    let mut table = Table::new(&["AT", "CHANNEL", "KIND", "WHY", "STATE", ">TRIES", "NEXT", "FAULT"]);
    for delivery in page.rows {
        let state = word(&delivery.state);
        let next = (state == "waiting").then_some(delivery.due_at.0);
        table.row([
            delivery.created_at.0,
            delivery.channel,
            delivery.means,
            delivery.cause,
            state,
            delivery.tries.to_string(),
            or_dash(next),
            or_dash(delivery.error),
        ]);
    }
    print(&table.text())?;
    Ok(Exit::Ok)
}

/// A channel by its id or its name.
async fn find(desk: &Desk, wanted: &str) -> Result<AlertChannel, Failure> {
    let channels = channels::list(&desk.app, &desk.caller).await?;
    let found = channels.into_iter().find(|channel| channel.id == wanted || channel.name == wanted);
    found.ok_or_else(|| AppError::not_found("channel", wanted).into())
}

fn input(new: NewChannel) -> Result<AlertChannelInput, Failure> {
    let missing = |what: &str| Failure::new(Exit::Usage, format!("Give --{what}."));
    let means = match new.means {
        Means::Discord => ChannelMeans::Discord,
        Means::Slack => ChannelMeans::Slack,
        Means::Webhook => ChannelMeans::Webhook { url: new.url.ok_or_else(|| missing("url"))? },
        Means::Email => ChannelMeans::Email {
            host: new.host.ok_or_else(|| missing("host"))?,
            port: u32::from(new.port),
            security: match new.security {
                Security::Tls => MailSecurity::Tls,
                Security::StartTls => MailSecurity::StartTls,
                Security::None => MailSecurity::None,
            },
            username: new.user,
            from: new.from.ok_or_else(|| missing("from"))?,
            to: new.to,
        },
    };
    Ok(AlertChannelInput { name: new.name, enabled: true, least: new.least.into(), local: new.local, means })
}

fn kind(means: &ChannelMeans) -> &'static str {
    match means {
        ChannelMeans::Desktop { .. } => "desktop",
        ChannelMeans::Discord => "discord",
        ChannelMeans::Slack => "slack",
        ChannelMeans::Webhook { .. } => "webhook",
        ChannelMeans::Email { .. } => "email",
    }
}

impl From<Severity> for AlertSeverity {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Info => Self::Info,
            Severity::Warning => Self::Warning,
            Severity::Critical => Self::Critical,
        }
    }
}
