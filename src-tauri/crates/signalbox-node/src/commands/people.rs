//! `people`: list, add, set-role, disable, enable.

use signalbox_app::dto::{PersonInput, PersonPatch};
use signalbox_app::people;

use super::Desk;
use crate::cli::People;
use crate::failure::{Exit, Failure};
use crate::output::{Table, print, print_json, tell_asked, yes_no};

pub async fn run(desk: Desk, command: People) -> Result<Exit, Failure> {
    match command {
        People::List(form) => list(&desk, form.json).await,
        People::Add { name, role, reason } => add(&desk, PersonInput { name, role, reason }).await,
        People::SetRole { name, role, reason } => {
            update(&desk, PersonPatch { name, role: Some(role), enabled: None, reason }).await
        }
        People::Disable { name, reason } => {
            update(&desk, PersonPatch { name, role: None, enabled: Some(false), reason }).await
        }
        People::Enable { name, reason } => {
            update(&desk, PersonPatch { name, role: None, enabled: Some(true), reason }).await
        }
    }
}

async fn list(desk: &Desk, json: bool) -> Result<Exit, Failure> {
    let people = people::list(&desk.app, &desk.caller).await?;
    if json {
        print_json(&people)?;
        return Ok(Exit::Ok);
    }
    let mut table = Table::new(&["NAME", "ROLE", "MAY COME IN", "SINCE", "YOU"]);
    for person in people {
        let you = if person.is_you { "you" } else { "" };
        table.row([person.name, person.role, yes_no(person.enabled), person.created_at.0, you.to_owned()]);
    }
    print(&table.text())?;
    Ok(Exit::Ok)
}

async fn add(desk: &Desk, input: PersonInput) -> Result<Exit, Failure> {
    let Some(person) = tell_asked(people::add(&desk.app, &desk.caller, input).await?)? else {
        return Ok(Exit::Ok);
    };
    print(&format!("{} may come in as {}.", person.name, person.role))?;
    Ok(Exit::Ok)
}

async fn update(desk: &Desk, patch: PersonPatch) -> Result<Exit, Failure> {
    let Some(person) = tell_asked(people::update(&desk.app, &desk.caller, patch).await?)? else {
        return Ok(Exit::Ok);
    };
    let may = if person.enabled { "may come in as" } else { "may no longer come in; their role is" };
    print(&format!("{} {may} {}.", person.name, person.role))?;
    Ok(Exit::Ok)
}
