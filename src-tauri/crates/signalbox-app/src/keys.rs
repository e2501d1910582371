//! API keys of programs.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use signalbox_core::change::{Change, ChangeKind};
use signalbox_core::ids::{KeyId, OperationId};
use signalbox_core::key::{ApiKey, KEY_PREFIX, KeyLimits};
use signalbox_core::time::Timestamp;
use signalbox_engine::api_key;
use signalbox_engine::secrets::SecretsError;
use signalbox_store::ConfigWrite;

use crate::app::{App, Caller, Role, json};
use crate::dto;
use crate::error::{AppError, Code};

/// Longest name of a key.
const NAME_CHARS_MAX: usize = 80;

/// A new key, and the one moment at which its secret exists outside the client that will use it.
#[derive(Debug)]
pub struct KeyMade {
    /// What may be shown.
    pub key: dto::ApiKey,
    /// The key itself; it is stored nowhere.
    pub secret: SecretString,
}

/// All keys, newest first, revoked ones included.
pub async fn list(app: &App, caller: &Caller) -> Result<Vec<dto::ApiKey>, AppError> {
    caller.must_be(Role::Viewer)?;
    let live = app.live().await?;
    let last_used = app.control().store.key_last_used().await?;
    let mut keys: Vec<&ApiKey> = live.snapshot.keys.values().collect();
    keys.sort_by_key(|key| std::cmp::Reverse(key.id));
    Ok(keys.into_iter().map(|key| shown(key, &last_used)).collect())
}

/// The limits, if each of them lets anything through.
fn limits(given: dto::KeyLimits) -> Result<KeyLimits, AppError> {
    let dto::KeyLimits { requests_per_minute, concurrent, body_bytes } = given;
    for (field, limit) in [
        ("limits.requests_per_minute", requests_per_minute),
        ("limits.concurrent", concurrent),
        ("limits.body_bytes", body_bytes),
    ] {
        if limit == Some(0) {
            return Err(AppError::invalid(
                field,
                "A limit of 0 lets nothing through; revoke the key instead.",
            ));
        }
    }
    Ok(KeyLimits { requests_per_minute, concurrent, body_bytes })
}

/// Gives a key other limits.
///
/// Errors: no such key, or it is revoked; a limit of 0.
pub async fn set_limits(
    app: &App,
    caller: &Caller,
    input: dto::KeyLimitsInput,
) -> Result<dto::ApiKey, AppError> {
    caller.must_be(Role::Admin)?;
    let live = app.live().await?;
    let known =
        input.id.parse().ok().and_then(|id: KeyId| live.snapshot.keys.values().find(|key| key.id == id));
    let before = known.ok_or_else(|| AppError::not_found("key", &input.id))?;
    if !before.is_live(app.now()) {
        return Err(AppError::new(Code::Refused, format!("The key `{}` is revoked.", before.name)));
    }
    let after = ApiKey { limits: limits(input.limits)?, ..before.clone() };
    if after.limits != before.limits {
        let change = Change {
            before: Some(json(before)?),
            after: Some(json(&after)?),
            ..app.change(
                caller,
                ChangeKind::Key,
                &after.name,
                format!("Key {} gets other limits", after.name),
            )
        };
        app.commit(vec![ConfigWrite::PutKey { key: after }], change).await?;
    }
    let keys = list(app, caller).await?;
    keys.into_iter().find(|key| key.id == input.id).ok_or_else(|| AppError::not_found("key", &input.id))
}

/// Makes a key.
///
/// Errors: an empty, overlong or taken name; an unknown operation; secrets are sealed.
pub async fn create(app: &App, caller: &Caller, input: dto::KeyInput) -> Result<KeyMade, AppError> {
    caller.must_be(Role::Admin)?;
    let live = app.live().await?;
    let name = input.name.trim();
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX || name.chars().any(char::is_control) {
        return Err(AppError::invalid(
            "name",
            format!("A key needs a name of 1 to {NAME_CHARS_MAX} characters."),
        ));
    }
    let now = app.now();
    if live.snapshot.keys.values().any(|key| key.name == name && key.is_live(now)) {
        return Err(AppError::new(Code::AlreadyExists, format!("There is a key named `{name}` already.")));
    }
    let mut operations = BTreeSet::new();
    for text in &input.operations {
        let known = OperationId::new(text).ok().filter(|id| live.snapshot.operations.contains_key(id));
        let unknown = || AppError::invalid("operations", format!("There is no operation `{text:.80}`."));
        operations.insert(known.ok_or_else(unknown)?);
    }
    let secret = api_key::generate()?;
    let hash = app.control().key_hasher().await?.hash(secret.expose_secret());
    let key = ApiKey {
        limits: limits(input.limits)?,
        id: KeyId::generate(),
        name: name.to_owned(),
        last4: last4(secret.expose_secret()),
        operations,
        created_at: now,
        revoked_at: None,
    };
    let scope =
        if key.operations.is_empty() { "all operations".to_owned() } else { input.operations.join(", ") };
    let change = Change {
        after: Some(json(&key)?),
        ..app.change(caller, ChangeKind::Key, name, format!("Key {name} is created for {scope}"))
    };
    app.commit(vec![ConfigWrite::InsertKey { key: key.clone(), hash }], change).await?;
    Ok(KeyMade { key: shown(&key, &HashMap::new()), secret })
}

/// Makes a key useless from now on, for good.
pub async fn revoke(app: &App, caller: &Caller, id: &str) -> Result<dto::ApiKey, AppError> {
    caller.must_be(Role::Admin)?;
    let live = app.live().await?;
    let found = id.parse::<KeyId>().ok().and_then(|id| live.snapshot.keys.values().find(|key| key.id == id));
    let before = found.ok_or_else(|| AppError::not_found("key", id))?;
    let last_used = app.control().store.key_last_used().await?;
    if before.revoked_at.is_some() {
        return Ok(shown(before, &last_used));
    }
    let after = ApiKey { revoked_at: Some(app.now()), ..before.clone() };
    let change = Change {
        before: Some(json(before)?),
        after: Some(json(&after)?),
        ..app.change(caller, ChangeKind::Key, &after.name, format!("Key {} is revoked", after.name))
    };
    app.commit(vec![ConfigWrite::PutKey { key: after.clone() }], change).await?;
    Ok(shown(&after, &last_used))
}

/// Writes a new key to a file that only its owner can read, for a machine without a clipboard.
pub fn save_for_owner(
    folder: &Path,
    key: &dto::ApiKey,
    secret: &SecretString,
) -> Result<PathBuf, SecretsError> {
    signalbox_engine::secrets::write_for_owner(folder, &format!("{}.key", key.id), secret)
}

fn last4(secret: &str) -> String {
    let skipped = secret.chars().count().saturating_sub(4);
    secret.chars().skip(skipped).collect()
}

fn shown(key: &ApiKey, last_used: &HashMap<KeyId, Timestamp>) -> dto::ApiKey {
    dto::ApiKey {
        id: key.id.to_string(),
        name: key.name.clone(),
        prefix: KEY_PREFIX.to_owned(),
        last4: key.last4.clone(),
        operations: key.operations.iter().map(ToString::to_string).collect(),
        limits: dto::KeyLimits {
            requests_per_minute: key.limits.requests_per_minute,
            concurrent: key.limits.concurrent,
            body_bytes: key.limits.body_bytes,
        },
        created_at: key.created_at.into(),
        last_used_at: last_used.get(&key.id).copied().map(Into::into),
        revoked_at: key.revoked_at.map(Into::into),
    }
}
