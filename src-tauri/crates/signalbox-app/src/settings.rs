//! Settings: bounds and defaults of the installation, each with its bounds and its own entry in the change history.

use std::ops::RangeInclusive;

use signalbox_core::breaker::BreakerSettings;
use signalbox_core::change::ChangeKind;
use signalbox_core::person::FourEyes;
use signalbox_core::snapshot::{Settings, UnpricedPolicy};
use signalbox_core::toggle::Toggle;
use signalbox_engine::live::{
    Patience, SETTING_BREAKER_FAILURES, SETTING_BREAKER_OPEN_S, SETTING_BREAKER_WINDOW_S,
    SETTING_COMPLETE_ANSWER_MS, SETTING_FOUR_EYES, SETTING_MAX_REQUESTS, SETTING_STREAM_FIRST_BYTE_MS,
    SETTING_STREAM_IDLE_MS, SETTING_UNPRICED_POLICY,
};
use signalbox_store::ConfigWrite;

use crate::app::{App, Caller, Role, json};
use crate::dto;
use crate::error::{AppError, Code};
use crate::propose::{Plan, ProposedChange};

/// What a setting can be.
enum Form {
    /// A number within bounds, in a unit.
    Number { bounds: RangeInclusive<u32>, unit: &'static str, usual: u32 },
    /// One of some words.
    Choice { words: &'static [&'static str], usual: &'static str },
}

struct Definition {
    name: &'static str,
    text: &'static str,
    form: Form,
}

const FOUR_EYES: &[&str] = &[FourEyes::Off.as_str(), FourEyes::MoneyChanges.as_str()];
const UNPRICED: &[&str] =
    &[UnpricedPolicy::Allow.as_str(), UnpricedPolicy::FamilyMaximum.as_str(), UnpricedPolicy::Block.as_str()];

fn definitions() -> Vec<Definition> {
    let (settings, breaker, patience) =
        (Settings::default(), BreakerSettings::default(), Patience::default());
    let number = |name, text, bounds, unit, usual| Definition {
        name,
        text,
        form: Form::Number { bounds, unit, usual },
    };
    let millis = |wait: std::time::Duration| u32::try_from(wait.as_millis()).unwrap_or(u32::MAX);
    vec![
        number(
            SETTING_BREAKER_FAILURES,
            "Failures within the window that open a target's circuit.",
            1..=100,
            "failures",
            breaker.failures,
        ),
        number(
            SETTING_BREAKER_WINDOW_S,
            "Length of the window in which failures are counted.",
            10..=3_600,
            "seconds",
            breaker.window_s,
        ),
        number(
            SETTING_BREAKER_OPEN_S,
            "How long a circuit stays open before one call probes whether the target is back.",
            5..=3_600,
            "seconds",
            breaker.open_s,
        ),
        Definition {
            name: SETTING_UNPRICED_POLICY,
            text: "What becomes of a request whose target has no price: served and reported, reserved at its provider's \
                   dearest price, or not sent there.",
            form: Form::Choice { words: UNPRICED, usual: settings.unpriced.as_str() },
        },
        number(
            SETTING_MAX_REQUESTS,
            "Requests that may run at once; more are asked to come back.",
            1..=100_000,
            "requests",
            settings.max_requests,
        ),
        number(
            SETTING_STREAM_FIRST_BYTE_MS,
            "How long a stream may take to begin before the next target is tried.",
            100..=600_000,
            "ms",
            millis(patience.stream_first_byte),
        ),
        number(
            SETTING_STREAM_IDLE_MS,
            "How long a stream may be silent between two pieces before it counts as broken.",
            100..=600_000,
            "ms",
            millis(patience.stream_idle),
        ),
        number(
            SETTING_COMPLETE_ANSWER_MS,
            "How long a complete answer may take before the next target is tried.",
            100..=3_600_000,
            "ms",
            millis(patience.complete_answer),
        ),
        Definition {
            name: SETTING_FOUR_EYES,
            text: "Whether somebody else than the author approves changes that move money or unlock a safety toggle, as \
                   soon as there is more than one admin.",
            form: Form::Choice { words: FOUR_EYES, usual: FourEyes::MoneyChanges.as_str() },
        },
    ]
}

/// Every setting with its value. All take effect at once.
pub async fn list(app: &App, caller: &Caller) -> Result<Vec<dto::Setting>, AppError> {
    caller.must_be(Role::Viewer)?;
    let stored = app.control().store.load_config().await?.settings;
    Ok(definitions().iter().map(|definition| shown(definition, &stored)).collect())
}

/// Gives a setting a value.
///
/// Errors: no such setting, or a value that is not of its form or out of its bounds.
pub async fn set(
    app: &App,
    caller: &Caller,
    input: dto::SettingInput,
) -> Result<dto::Proposed<dto::Setting>, AppError> {
    let name = input.name.clone();
    let outcome = app.propose(caller, &ProposedChange::Setting(input)).await?;
    outcome.shown(async || find(app, caller, &name).await).await
}

pub(crate) async fn plan(app: &App, input: &dto::SettingInput) -> Result<Option<Plan>, AppError> {
    let definitions = definitions();
    let definition = definitions.iter().find(|known| known.name == input.name);
    let definition = definition.ok_or_else(|| unknown(&input.name))?;
    let value = input.value.trim().to_owned();
    check(definition, &value)?;
    let stored = app.control().store.load_config().await?.settings;
    let before = shown(definition, &stored).value;
    if before == value {
        return Ok(None);
    }
    let name = definition.name.to_owned();
    Ok(Some(Plan {
        kind: ChangeKind::Setting,
        subject: name.clone(),
        sentence: format!("{name} is {value} instead of {before}"),
        before: Some(json(&before)?),
        after: Some(json(&value)?),
        writes: vec![ConfigWrite::PutSetting { key: name, value }],
    }))
}

/// Every setting's name and value.
pub(crate) async fn values(app: &App) -> Result<Vec<(String, String)>, AppError> {
    let stored = app.control().store.load_config().await?.settings;
    let value = |definition: &Definition| (definition.name.to_owned(), shown(definition, &stored).value);
    Ok(definitions().iter().map(value).collect())
}

async fn find(app: &App, caller: &Caller, name: &str) -> Result<dto::Setting, AppError> {
    let settings = list(app, caller).await?;
    settings.into_iter().find(|known| known.name == name).ok_or_else(|| AppError::not_found("setting", name))
}

/// Whoever looks for a toggle here is told where it is.
fn unknown(name: &str) -> AppError {
    match Toggle::from_name(name).filter(|toggle| toggle.definition().is_built) {
        Some(toggle) => {
            AppError::new(Code::NotFound, format!("{} is a toggle, not a setting.", toggle.name()))
        }
        None => AppError::not_found("setting", name),
    }
}

fn check(definition: &Definition, value: &str) -> Result<(), AppError> {
    match &definition.form {
        Form::Number { bounds, unit, .. } => {
            let fits = value.parse().is_ok_and(|number: u32| bounds.contains(&number));
            let (least, most) = (bounds.start(), bounds.end());
            let wrong =
                || AppError::invalid("value", format!("A whole number from {least} to {most} ({unit})."));
            fits.then_some(()).ok_or_else(wrong)
        }
        Form::Choice { words, .. } => {
            let wrong = || AppError::invalid("value", format!("One of {}.", words.join(", ")));
            words.contains(&value).then_some(()).ok_or_else(wrong)
        }
    }
}

fn shown(definition: &Definition, stored: &[(String, String)]) -> dto::Setting {
    let own = stored.iter().find(|(name, _)| name == definition.name).map(|(_, value)| value.as_str());
    // What is stored and not of the setting's form counts as not set.
    let own = own.filter(|value| check(definition, value).is_ok());
    let (usual, unit, least, most, choices) = match &definition.form {
        Form::Number { bounds, unit, usual } => (
            usual.to_string(),
            Some((*unit).to_owned()),
            Some(*bounds.start()),
            Some(*bounds.end()),
            Vec::new(),
        ),
        Form::Choice { words, usual } => {
            ((*usual).to_owned(), None, None, None, words.iter().map(|word| (*word).to_owned()).collect())
        }
    };
    dto::Setting {
        name: definition.name.to_owned(),
        text: definition.text.to_owned(),
        value: own.map_or_else(|| usual.clone(), str::to_owned),
        usual,
        unit,
        least,
        most,
        choices,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_taken_within_its_bounds_only() {
        let definitions = definitions();
        let of = |name: &str| definitions.iter().find(|known| known.name == name).unwrap();
        let failures = of(SETTING_BREAKER_FAILURES);
        for (value, fits) in
            [("0", false), ("1", true), ("100", true), ("101", false), ("1.5", false), ("", false)]
        {
            assert_eq!(check(failures, value).is_ok(), fits, "{value}");
        }
        let policy = of(SETTING_UNPRICED_POLICY);
        for word in UNPRICED {
            assert!(check(policy, word).is_ok(), "{word}");
        }
        assert!(check(policy, "Allow").is_err());
    }

    #[test]
    fn every_usual_value_is_within_its_own_bounds() {
        for definition in definitions() {
            let setting = shown(&definition, &[]);
            assert!(check(&definition, &setting.usual).is_ok(), "{}", setting.name);
            assert_eq!(setting.value, setting.usual);
            let nonsense = [(definition.name.to_owned(), "nonsense".to_owned())];
            assert_eq!(shown(&definition, &nonsense).value, setting.usual);
        }
    }
}
