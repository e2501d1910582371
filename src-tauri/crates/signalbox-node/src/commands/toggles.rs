//! `toggles`: list, set.

use signalbox_app::dto::{Toggle, ToggleBand, ToggleInput};
use signalbox_app::toggles;

use super::Desk;
use crate::cli::{Position, Toggles};
use crate::failure::{Exit, Failure};
use crate::output::{Table, or_dash, print, print_json, tell_asked};

pub async fn run(desk: Desk, command: Toggles) -> Result<Exit, Failure> {
    match command {
        Toggles::List(form) => list(&desk, form.json).await,
        Toggles::Set { name, position, operation, reason } => {
            let enabled = match position {
                Position::On => Some(true),
                Position::Off => Some(false),
                Position::Default => None,
            };
            let input = ToggleInput { name, operation, enabled, reason };
            if let Some(toggle) = tell_asked(toggles::set(&desk.app, &desk.caller, input).await?)? {
                print(&in_words(&toggle))?;
            }
            Ok(Exit::Ok)
        }
    }
}

async fn list(desk: &Desk, json: bool) -> Result<Exit, Failure> {
    let toggles = toggles::list(&desk.app, &desk.caller).await?;
    if json {
        print_json(&toggles)?;
        return Ok(Exit::Ok);
    }
    let mut table = Table::new(&["TOGGLE", "STATE", "EXCEPT", "SET BY", "WHAT HOLDS NOW"]);
    for toggle in toggles {
        let locked = if toggle.band == ToggleBand::Locked { ", locked" } else { "" };
        let state = format!("{}{locked}", word(toggle.enabled));
        let except = or_dash(Some(exceptions(&toggle)).filter(|text| !text.is_empty()));
        table.row([toggle.name, state, except, or_dash(toggle.changed_by), toggle.effect]);
    }
    print(&table.text())?;
    Ok(Exit::Ok)
}

fn in_words(toggle: &Toggle) -> String {
    let except = exceptions(toggle);
    let except = if except.is_empty() { except } else { format!(", except: {except}") };
    format!("{} is {}{except}. {}", toggle.name, word(toggle.enabled), toggle.effect)
}

fn exceptions(toggle: &Toggle) -> String {
    let own = toggle.operations.iter().map(|own| format!("{} {}", own.operation, word(own.enabled)));
    own.collect::<Vec<_>>().join(", ")
}

const fn word(enabled: bool) -> &'static str {
    if enabled { "on" } else { "off" }
}
