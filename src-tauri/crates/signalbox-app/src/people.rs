//! People and their roles: list, add, change, shut out. Nobody is ever removed: the history names them.

use signalbox_core::change::ChangeKind;
use signalbox_core::ids::PersonName;
use signalbox_core::person::{LOCAL, Person, admins};
use signalbox_store::{Backend, ConfigWrite};

use crate::app::{App, Caller, Role, json};
use crate::dto;
use crate::error::{AppError, Code};
use crate::propose::{Plan, ProposedChange};

/// Everybody, by name.
pub async fn list(app: &App, caller: &Caller) -> Result<Vec<dto::Person>, AppError> {
    caller.must_be(Role::Viewer)?;
    let live = app.live().await?;
    Ok(live.people.iter().map(|person| shown(app, caller, person)).collect())
}

/// Lets somebody in.
///
/// Errors: a name that is none or is taken, an unknown role.
pub async fn add(
    app: &App,
    caller: &Caller,
    input: dto::PersonInput,
) -> Result<dto::Proposed<dto::Person>, AppError> {
    let name = input.name.clone();
    let outcome = app.propose(caller, &ProposedChange::NewPerson(input)).await?;
    outcome.shown(async || find(app, caller, &name).await).await
}

/// Gives somebody another role, shuts them out or lets them in again.
///
/// Errors: nobody of that name; [`Code::Refused`] for the last admin, and for the person at the machine of a local file.
pub async fn update(
    app: &App,
    caller: &Caller,
    patch: dto::PersonPatch,
) -> Result<dto::Proposed<dto::Person>, AppError> {
    let name = patch.name.clone();
    let outcome = app.propose(caller, &ProposedChange::Person(patch)).await?;
    outcome.shown(async || find(app, caller, &name).await).await
}

pub(crate) fn plan_new(app: &App, input: &dto::PersonInput) -> Result<Plan, AppError> {
    let name =
        PersonName::new(&input.name).map_err(|error| AppError::invalid("name", format!("{error}.")))?;
    let role = role(&input.role)?;
    let person = Person { name, role, enabled: true, created_at: app.now(), version: 1 };
    Ok(Plan {
        kind: ChangeKind::Person,
        subject: person.name.to_string(),
        sentence: format!("{} may come in as {}", person.name, role.as_str()),
        before: None,
        after: Some(json(&person)?),
        writes: vec![ConfigWrite::PutPerson { person, base_version: None }],
    })
}

pub(crate) async fn plan(app: &App, patch: &dto::PersonPatch) -> Result<Option<Plan>, AppError> {
    let live = app.live().await?;
    let before = live.people.iter().find(|person| person.name.as_str() == patch.name);
    let before = before.ok_or_else(|| AppError::not_found("person", &patch.name))?;
    let role = patch.role.as_deref().map(role).transpose()?.unwrap_or(before.role);
    let enabled = patch.enabled.unwrap_or(before.enabled);
    put(app, &live.people, before, Person { role, enabled, ..before.clone() })
}

/// What puts a person back to a role and state they had.
pub(crate) async fn plan_back(app: &App, was: &Person) -> Result<Option<Plan>, AppError> {
    let live = app.live().await?;
    let before = live.people.iter().find(|person| person.name == was.name);
    let before = before.ok_or_else(|| AppError::not_found("person", was.name.as_str()))?;
    put(app, &live.people, before, Person { role: was.role, enabled: was.enabled, ..before.clone() })
}

fn put(app: &App, people: &[Person], before: &Person, after: Person) -> Result<Option<Plan>, AppError> {
    let mut sentences = Vec::new();
    if after.role != before.role {
        let (now, was) = (after.role.as_str(), before.role.as_str());
        sentences.push(format!("{} is {now} instead of {was}", after.name));
    }
    if after.enabled != before.enabled {
        sentences.push(if after.enabled {
            format!("{} may come in again", after.name)
        } else {
            format!("{} may no longer come in", after.name)
        });
    }
    if sentences.is_empty() {
        return Ok(None);
    }
    if let Some(why) = fixed(app, before) {
        return Err(AppError::new(Code::Refused, why));
    }
    if before.is_admin() && !after.is_admin() && admins(people) == 1 {
        let message = format!("{} is the last admin. Make somebody else an admin first.", before.name);
        return Err(AppError::new(Code::Refused, message));
    }
    let after = Person { version: before.version.saturating_add(1), ..after };
    Ok(Some(Plan {
        kind: ChangeKind::Person,
        subject: after.name.to_string(),
        sentence: sentences.join("; "),
        before: Some(json(before)?),
        after: Some(json(&after)?),
        writes: vec![ConfigWrite::PutPerson { person: after, base_version: Some(before.version) }],
    }))
}

/// Whoever sits at the machine can open its file anyway, so taking their role away would only pretend.
fn fixed(app: &App, person: &Person) -> Option<String> {
    let is_at_the_machine = person.name.as_str() == LOCAL && app.control().store.backend() == Backend::Sqlite;
    is_at_the_machine.then(|| format!("`{LOCAL}` is whoever sits at this machine, and stays its admin."))
}

fn role(word: &str) -> Result<Role, AppError> {
    let unknown = || AppError::invalid("role", "A role is viewer, operator or admin.");
    Role::from_word(word).ok_or_else(unknown)
}

async fn find(app: &App, caller: &Caller, name: &str) -> Result<dto::Person, AppError> {
    let live = app.live().await?;
    let found = live.people.iter().find(|person| person.name.as_str() == name);
    found.map(|person| shown(app, caller, person)).ok_or_else(|| AppError::not_found("person", name))
}

fn shown(app: &App, caller: &Caller, person: &Person) -> dto::Person {
    dto::Person {
        name: person.name.to_string(),
        role: person.role.as_str().to_owned(),
        enabled: person.enabled,
        created_at: person.created_at.into(),
        is_you: person.name.as_str() == caller.id,
        fixed: fixed(app, person),
    }
}
