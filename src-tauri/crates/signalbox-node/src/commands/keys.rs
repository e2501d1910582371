//! `keys`: make, list, scope, rotate, bring a credential, revoke.

use secrecy::ExposeSecret;
use serde_json::json;
use signalbox_app::dto::{ApiKey, Instant, KeyInput, KeyRotation, KeyScope, KeyScopeInput, KeyState, Money};
use signalbox_app::keys::{self, KeyMade};

use super::{Desk, secrets};
use crate::cli::keys::{self as grammar, Keys};
use crate::failure::{Exit, Failure};
use crate::input::{dollars, read_secret};
use crate::output::{Table, or_dash, print, print_json, remark};

pub async fn run(desk: Desk, command: Keys) -> Result<Exit, Failure> {
    if !matches!(command, Keys::List(_)) {
        secrets::unseal_at_terminal(desk.app.control()).await?;
    }
    match command {
        Keys::Create { name, scope, budget_per_day, json } => {
            let scope = scope_of(KeyScope::default(), scope);
            let amount = budget_per_day.as_deref().map(dollars).transpose()?;
            let budget_per_day = amount.map(|amount| Money(amount.as_nanos().to_string()));
            let input = KeyInput { name, scope, budget_per_day, ..KeyInput::default() };
            let made = keys::create(&desk.app, &desk.caller, input).await?;
            let within =
                amount.map(|amount| format!(", within {} per day", amount.in_dollars())).unwrap_or_default();
            let said = format!(
                "Key {} for {}{within}. It is shown this once:",
                made.key.name,
                operations(&made.key)
            );
            hand_over(&made, &said, json)?;
        }
        Keys::List(form) => list(&desk, form.json).await?,
        Keys::Scope { id, scope } => {
            let key = keys::find(&desk.app, &desk.caller, &id).await?;
            let before = KeyScope {
                owner: key.owner,
                operations: key.operations,
                targets: key.targets,
                expires_at: key.expires_at,
            };
            let input = KeyScopeInput { id, scope: scope_of(before, scope) };
            let key = keys::set_scope(&desk.app, &desk.caller, input).await?;
            print(&format!("{} ({}) is for {}, to {}.", key.name, key.id, operations(&key), targets(&key)))?;
        }
        Keys::Rotate { id, overlap_hours, json } => {
            let made = keys::rotate(&desk.app, &desk.caller, KeyRotation { id, overlap_hours }).await?;
            let said = match &made.key.former {
                Some(former) => format!(
                    "Key {} has a new secret; …{} opens until {}. It is shown this once:",
                    made.key.name, former.last4, former.until.0
                ),
                None => format!(
                    "Key {} has a new secret, and the one before has stopped. It is shown this once:",
                    made.key.name
                ),
            };
            hand_over(&made, &said, json)?;
        }
        Keys::Credential { id, provider, clear: true } => {
            let key = keys::clear_own_credential(&desk.app, &desk.caller, &id, &provider).await?;
            print(&format!("{} ({}) brings no credential of its own for {provider}.", key.name, key.id))?;
        }
        Keys::Credential { id, provider, clear: false } => {
            keys::find(&desk.app, &desk.caller, &id).await?;
            let secret = read_secret()?;
            let key = keys::set_own_credential(&desk.app, &desk.caller, &id, &provider, secret).await?;
            print(&format!("{} ({}) brings its own credential for {provider}.", key.name, key.id))?;
        }
        Keys::Revoke { id } => {
            let key = keys::revoke(&desk.app, &desk.caller, &id).await?;
            print(&format!("{} ({}) is revoked.", key.name, key.id))?;
        }
    }
    Ok(Exit::Ok)
}

/// What was said on the command line over what there was.
fn scope_of(before: KeyScope, said: grammar::KeyScope) -> KeyScope {
    let listed = |words: Vec<String>| -> Vec<String> {
        words.iter().map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect()
    };
    KeyScope {
        owner: said.owner.or(before.owner),
        operations: said.operations.map_or(before.operations, listed),
        targets: said.targets.map_or(before.targets, listed),
        expires_at: match said.expires {
            Some(never) if never == "never" => None,
            Some(time) => Some(Instant(time)),
            None => before.expires_at,
        },
    }
}

/// The secret alone goes to standard output, so that `KEY=$(… keys create …)` works.
fn hand_over(made: &KeyMade, said: &str, json: bool) -> Result<(), Failure> {
    let (key, secret) = (&made.key, made.secret.expose_secret());
    if json {
        print_json(&json!({"id": key.id, "name": key.name, "operations": key.operations, "key": secret}))
    } else {
        remark(said);
        print(secret)
    }
}

async fn list(desk: &Desk, json: bool) -> Result<(), Failure> {
    let keys = keys::list(&desk.app, &desk.caller).await?;
    if json {
        return print_json(&keys);
    }
    let mut table =
        Table::new(&["NAME", "KEY", "OWNER", "OPERATIONS", "TARGETS", "EXPIRES", "LAST USED", "STATE", "ID"]);
    for key in keys {
        table.row([
            key.name.clone(),
            format!("{}…{}", key.prefix, key.last4),
            or_dash(key.owner.clone()),
            operations(&key),
            targets(&key),
            key.expires_at.as_ref().map_or_else(|| "never".to_owned(), |at| at.0.clone()),
            or_dash(key.last_used_at.as_ref().map(|at| at.0.clone())),
            state(&key),
            key.id,
        ]);
    }
    print(&table.text())
}

fn operations(key: &ApiKey) -> String {
    if key.operations.is_empty() { "all operations".to_owned() } else { key.operations.join(",") }
}

fn targets(key: &ApiKey) -> String {
    if key.targets.is_empty() { "anywhere".to_owned() } else { key.targets.join(",") }
}

fn state(key: &ApiKey) -> String {
    let word = match key.state {
        KeyState::Revoked => "revoked",
        KeyState::Expired => "expired",
        KeyState::Active if key.expires_soon => "expires soon",
        KeyState::Active if key.idle => "unused for 90 days",
        KeyState::Active => "in use",
    };
    match &key.former {
        Some(former) => format!("{word}, …{} until {}", former.last4, former.until.0),
        None => word.to_owned(),
    }
}
