//! `kill-switch`: on, off, status.

use std::io::{BufRead, IsTerminal, stdin};

use signalbox_app::dto::{KillSwitch, KillSwitchInput, KillSwitchReleaseInput};
use signalbox_app::kill_switch;

use super::Desk;
use crate::cli::KillSwitch as Command;
use crate::failure::{Exit, Failure};
use crate::output::{print, print_json};

pub async fn run(desk: Desk, command: Command) -> Result<Exit, Failure> {
    let (app, caller) = (&desk.app, &desk.caller);
    match command {
        Command::On { reason } => {
            print(&in_words(&kill_switch::engage(app, caller, KillSwitchInput { reason }).await?))?;
        }
        Command::Off { typed, reason } => {
            let now = kill_switch::state(app, caller).await?;
            if now.stopped.is_some() {
                let typed = match typed {
                    Some(typed) => typed,
                    None => ask(&now)?,
                };
                let input = KillSwitchReleaseInput { typed, reason };
                print(&in_words(&kill_switch::release(app, caller, input).await?))?;
            } else {
                print(&in_words(&now))?;
            }
        }
        Command::Status(form) => {
            let state = kill_switch::state(app, caller).await?;
            if form.json {
                print_json(&state)?;
            } else {
                print(&in_words(&state))?;
            }
        }
    }
    Ok(Exit::Ok)
}

/// Has a person type the release word; a script names it on the command line or on standard input.
fn ask(state: &KillSwitch) -> Result<String, Failure> {
    if stdin().is_terminal() {
        print(&in_words(state))?;
        print(&format!("Type {} to let it run again:", state.release_word))?;
    }
    let mut typed = String::new();
    stdin().lock().read_line(&mut typed)?;
    Ok(typed)
}

fn in_words(state: &KillSwitch) -> String {
    let Some(stop) = &state.stopped else { return "AI traffic runs.".to_owned() };
    let why = stop.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
    format!("All AI traffic is stopped by {} ({}) since {}{why}.", stop.by, stop.source, stop.at.0)
}
