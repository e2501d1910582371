//! `settings`: list, get, set.

use signalbox_app::dto::{Setting, SettingInput};
use signalbox_app::settings;

use super::Desk;
use crate::cli::Settings;
use crate::failure::{Exit, Failure};
use crate::output::{Table, or_dash, print, print_json, tell_asked};

pub async fn run(desk: Desk, command: Settings) -> Result<Exit, Failure> {
    match command {
        Settings::List(form) => list(&desk, form.json).await,
        Settings::Get { name, json } => {
            let all = settings::list(&desk.app, &desk.caller).await?;
            let setting = all.into_iter().find(|setting| setting.name == name).ok_or_else(|| {
                Failure::new(
                    Exit::NotFound,
                    format!("There is no setting `{name:.80}`; see `settings list`."),
                )
            })?;
            if json {
                print_json(&setting)?;
            } else {
                print(&setting.value)?;
            }
            Ok(Exit::Ok)
        }
        Settings::Set { name, value, reason } => {
            let set = settings::set(&desk.app, &desk.caller, SettingInput { name, value, reason }).await?;
            if let Some(setting) = tell_asked(set)? {
                print(&format!("{} is {}.", setting.name, setting.value))?;
            }
            Ok(Exit::Ok)
        }
    }
}

async fn list(desk: &Desk, json: bool) -> Result<Exit, Failure> {
    let settings = settings::list(&desk.app, &desk.caller).await?;
    if json {
        print_json(&settings)?;
        return Ok(Exit::Ok);
    }
    let mut table = Table::new(&["SETTING", ">VALUE", ">USUALLY", "CAN BE", "WHAT IT DOES"]);
    for setting in settings {
        let can_be = range(&setting);
        table.row([setting.name, setting.value, setting.usual, can_be, setting.text]);
    }
    print(&table.text())?;
    Ok(Exit::Ok)
}

fn range(setting: &Setting) -> String {
    match (setting.least, setting.most) {
        (Some(least), Some(most)) => format!("{least} to {most} {}", or_dash(setting.unit.clone())),
        _ => setting.choices.join(", "),
    }
}
