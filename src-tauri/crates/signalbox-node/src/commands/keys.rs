//! `keys`: make, list, revoke.

use secrecy::ExposeSecret;
use serde_json::json;
use signalbox_app::dto::{ApiKey, KeyInput};
use signalbox_app::keys;

use super::Desk;
use crate::cli::Keys;
use crate::failure::{Exit, Failure};
use crate::output::{Table, or_dash, print, print_json, remark};

pub async fn run(desk: Desk, command: Keys) -> Result<Exit, Failure> {
    match command {
        Keys::Create { name, operations, json } => {
            create(&desk, KeyInput { name, operations, ..KeyInput::default() }, json).await
        }
        Keys::List(form) => list(&desk, form.json).await,
        Keys::Revoke { id } => {
            let key = keys::revoke(&desk.app, &desk.caller, &id).await?;
            print(&format!("{} ({}) is revoked.", key.name, key.id))?;
            Ok(Exit::Ok)
        }
    }
}

/// The key alone goes to standard output, so that `KEY=$(… keys create …)` works.
async fn create(desk: &Desk, input: KeyInput, json: bool) -> Result<Exit, Failure> {
    let operations: Vec<String> =
        input.operations.iter().map(|id| id.trim().to_owned()).filter(|id| !id.is_empty()).collect();
    let made = keys::create(&desk.app, &desk.caller, KeyInput { operations, ..input }).await?;
    let secret = made.secret.expose_secret();
    if json {
        let key = &made.key;
        print_json(&json!({"id": key.id, "name": key.name, "operations": key.operations, "key": secret}))?;
    } else {
        remark(&format!("Key {} for {}. It is shown this once:", made.key.name, scope(&made.key)));
        print(secret)?;
    }
    Ok(Exit::Ok)
}

async fn list(desk: &Desk, json: bool) -> Result<Exit, Failure> {
    let keys = keys::list(&desk.app, &desk.caller).await?;
    if json {
        print_json(&keys)?;
        return Ok(Exit::Ok);
    }
    let mut table = Table::new(&["NAME", "KEY", "OPERATIONS", "CREATED", "LAST USED", "STATE", "ID"]);
    for key in keys {
        table.row([
            key.name.clone(),
            format!("{}…{}", key.prefix, key.last4),
            scope(&key),
            key.created_at.0.clone(),
            or_dash(key.last_used_at.map(|at| at.0)),
            if key.revoked_at.is_some() { "revoked".to_owned() } else { "in use".to_owned() },
            key.id,
        ]);
    }
    print(&table.text())?;
    Ok(Exit::Ok)
}

fn scope(key: &ApiKey) -> String {
    if key.operations.is_empty() { "all operations".to_owned() } else { key.operations.join(",") }
}
