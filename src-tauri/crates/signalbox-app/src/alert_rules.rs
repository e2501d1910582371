//! Which alerts are told, where and when.

use signalbox_core::alert::rule::{ESCALATION_MIN_MAX, WINDOW_S_MAX};
use signalbox_core::alert::{AlertKind, AlertRule, Alerting, Escalation, QuietHours};
use signalbox_core::change::{Change, ChangeKind};
use signalbox_core::ids::ChannelId;
use signalbox_store::ConfigWrite;

use crate::alerts::kind;
use crate::app::{App, Caller, Role, json, reason, sentence};
use crate::dto;
use crate::error::{AppError, Code};

/// Shortest window: within less, an alert would be told as often as it comes up. Units: seconds.
const WINDOW_S_MIN: u32 = 60;

/// The rule of every kind.
pub async fn list(app: &App, caller: &Caller) -> Result<Vec<dto::AlertRule>, AppError> {
    caller.must_be(Role::Viewer)?;
    let live = app.live().await?;
    Ok(AlertKind::ALL.iter().map(|kind| shown(*kind, &live.alerting)).collect())
}

/// Says what becomes of alerts of a kind from now on.
///
/// Errors: values out of their bounds, channels or time zones that do not exist, or a kind that cannot be off.
pub async fn set(app: &App, caller: &Caller, input: dto::AlertRuleInput) -> Result<dto::AlertRule, AppError> {
    caller.must_be(Role::Admin)?;
    let live = app.live().await?;
    let kind = kind("kind", &input.kind)?;
    if kind.is_always_on() && !input.enabled {
        let message =
            format!("`{}` cannot be off: it says that somebody worked past Signalbox.", kind.title());
        return Err(AppError::new(Code::Refused, message));
    }
    let why = reason(input.reason.clone());
    let after = parse(input, &live.alerting)?;
    let before = live.alerting.rule(kind);
    if after != before {
        let change = Change {
            before: Some(json(&before)?),
            after: Some(json(&after)?),
            reason: why,
            ..app.change(caller, ChangeKind::Alert, kind.as_str(), told(kind, &before, &after))
        };
        let rule = Some(after).filter(|rule| *rule != AlertRule::usual(kind));
        app.commit(vec![ConfigWrite::PutAlertRule { kind, rule }], change).await?;
    }
    Ok(shown(kind, &app.live().await?.alerting))
}

fn parse(input: dto::AlertRuleInput, alerting: &Alerting) -> Result<AlertRule, AppError> {
    if !(WINDOW_S_MIN..=WINDOW_S_MAX).contains(&input.window_s) {
        let message = format!("From {WINDOW_S_MIN} to {WINDOW_S_MAX} seconds.");
        return Err(AppError::invalid("window_s", message));
    }
    let channels = |field: &str, ids: Vec<String>| {
        let mut known = Vec::with_capacity(ids.len());
        for text in ids {
            let id = text.parse::<ChannelId>().ok().filter(|id| alerting.channel(*id).is_some());
            let id =
                id.ok_or_else(|| AppError::invalid(field, format!("There is no channel `{text:.60}`.")))?;
            if !known.contains(&id) {
                known.push(id);
            }
        }
        Ok::<_, AppError>(known)
    };
    let escalation = match input.escalation {
        None => None,
        Some(given) => {
            if !(1..=ESCALATION_MIN_MAX).contains(&given.after_min) {
                let message = format!("From 1 to {ESCALATION_MIN_MAX} minutes.");
                return Err(AppError::invalid("escalation.after_min", message));
            }
            let named = channels("escalation.channels", given.channels)?;
            if named.is_empty() {
                return Err(AppError::invalid("escalation.channels", "Name a channel that is told then."));
            }
            Some(Escalation { after_min: given.after_min, channels: named })
        }
    };
    Ok(AlertRule {
        enabled: input.enabled,
        severity: input.severity.into(),
        channels: input.channels.map(|ids| channels("channels", ids)).transpose()?,
        quiet: input.quiet.map(|given| quiet(&given)).transpose()?,
        window_s: input.window_s,
        escalation,
    })
}

fn quiet(given: &dto::QuietHours) -> Result<QuietHours, AppError> {
    let minute = |field: &str, text: &str| {
        let read = || {
            let (hour, minute) = text.trim().split_once(':')?;
            let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
            (hour < 24 && minute < 60).then_some(hour * 60 + minute)
        };
        read().ok_or_else(|| AppError::invalid(field, "A time of the day such as 22:00."))
    };
    let (from, until) = (minute("quiet.from", &given.from)?, minute("quiet.until", &given.until)?);
    QuietHours::new(from, until, given.zone.trim())
        .map_err(|error| AppError::invalid("quiet", sentence(&error.to_string())))
}

/// What changed, in a sentence.
fn told(kind: AlertKind, before: &AlertRule, after: &AlertRule) -> String {
    let what = match (before.enabled, after.enabled) {
        (true, false) => "are no longer told".to_owned(),
        (false, true) => "are told again".to_owned(),
        _ if before.severity != after.severity => format!("are {} from now on", after.severity.as_str()),
        _ => "are told by another rule".to_owned(),
    };
    format!("Alerts of the kind `{}` {what}", kind.title())
}

fn shown(kind: AlertKind, alerting: &Alerting) -> dto::AlertRule {
    let rule = alerting.rule(kind);
    let ids = |ids: &[ChannelId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
    let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
    dto::AlertRule {
        kind: kind.as_str().to_owned(),
        title: kind.title().to_owned(),
        enabled: rule.enabled,
        can_be_off: !kind.is_always_on(),
        severity: rule.severity.into(),
        usual_severity: kind.usual_severity().into(),
        channels: rule.channels.as_deref().map(ids),
        quiet: rule.quiet.as_ref().map(|quiet| dto::QuietHours {
            from: clock(quiet.from_min()),
            until: clock(quiet.until_min()),
            zone: quiet.zone().to_owned(),
        }),
        window_s: rule.window_s,
        usual_window_s: kind.usual_window_s(),
        escalation: rule.escalation.as_ref().map(|escalation| dto::AlertEscalation {
            after_min: escalation.after_min,
            channels: ids(&escalation.channels),
        }),
        is_usual: rule == AlertRule::usual(kind),
    }
}
