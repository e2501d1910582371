//! API keys of programs.

mod own;
mod scope;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use signalbox_core::change::{Change, ChangeKind};
use signalbox_core::ids::KeyId;
use signalbox_core::key::{ApiKey, FormerSecret, KEY_PREFIX, KeyStanding};
use signalbox_core::snapshot::Snapshot;
use signalbox_core::time::{MICROS_PER_SECOND, Timestamp};
use signalbox_engine::api_key;
use signalbox_engine::live::Live;
use signalbox_engine::secrets::SecretsError;
use signalbox_store::{ConfigEdit, ConfigWrite, KeyUse};

pub use self::own::{clear_own_credential, set_own_credential};
use self::scope::Scope;
use crate::app::{App, Caller, Role, json};
use crate::error::{AppError, Code};
use crate::{budgets, dto};

/// How long a replaced secret opens, unless somebody says otherwise. Units: hours.
pub const OVERLAP_HOURS: u32 = 24;
/// Longest overlap: whoever needs longer has not begun to move. Units: hours.
const OVERLAP_HOURS_MAX: u32 = 30 * 24;
const HOUR_US: i64 = 3_600 * MICROS_PER_SECOND;

/// A new secret, and the one moment at which it exists outside the client that will use it.
#[derive(Debug)]
pub struct KeyMade {
    /// What may be shown.
    pub key: dto::ApiKey,
    /// The secret itself; it is stored nowhere.
    pub secret: SecretString,
}

/// All keys, newest first, revoked ones included.
pub async fn list(app: &App, caller: &Caller) -> Result<Vec<dto::ApiKey>, AppError> {
    caller.must_be(Role::Viewer)?;
    let live = app.live().await?;
    let last_used = app.control().store.key_last_used().await?;
    let mut keys: Vec<&ApiKey> = live.snapshot.keys.values().collect();
    keys.sort_by_key(|key| std::cmp::Reverse(key.id));
    let now = app.now();
    Ok(keys.into_iter().map(|key| shown(key, &live, &last_used, now)).collect())
}

/// The key of that id.
pub async fn find(app: &App, caller: &Caller, id: &str) -> Result<dto::ApiKey, AppError> {
    let keys = list(app, caller).await?;
    keys.into_iter().find(|key| key.id == id).ok_or_else(|| AppError::not_found("key", id))
}

/// Makes a key, and the budget it is given with it: both or neither.
///
/// Errors: an empty, overlong or taken name; an unknown operation, provider or model; a time that has passed; a budget that
/// is no amount; secrets are sealed.
pub async fn create(app: &App, caller: &Caller, input: dto::KeyInput) -> Result<KeyMade, AppError> {
    caller.must_be(Role::Admin)?;
    let live = app.live().await?;
    let now = app.now();
    let name = scope::name(&input.name)?;
    if live.snapshot.keys.values().any(|key| key.name == name && key.is_live(now)) {
        return Err(AppError::new(Code::AlreadyExists, format!("There is a key named `{name}` already.")));
    }
    let scope = Scope::parse(input.scope, &live.snapshot, now)?;
    let limits = scope::limits(input.limits)?;
    let secret = api_key::generate()?;
    let hash = app.control().key_hasher().await?.hash(secret.expose_secret());
    let made = ApiKey { limits, ..ApiKey::new(&name, &api_key::last4(secret.expose_secret()), now) };
    let key = scope.of(made);
    let change = Change {
        after: Some(json(&key)?),
        ..app.change(caller, ChangeKind::Key, &name, format!("Key {name} is created for {}", in_words(&key)))
    };
    let mut edits =
        vec![ConfigEdit { writes: vec![ConfigWrite::InsertKey { key: key.clone(), hash }], change }];
    if let Some(amount) = &input.budget_per_day {
        edits.push(budgets::of_new_key(&live.snapshot, &key, amount)?.edit(app, caller, None));
    }
    app.commit_all(edits).await?;
    Ok(KeyMade { key: shown(&key, &live, &HashMap::new(), now), secret })
}

/// Gives a key other limits.
///
/// Errors: no such key, one that opens nothing, a limit of 0.
pub async fn set_limits(
    app: &App,
    caller: &Caller,
    input: dto::KeyLimitsInput,
) -> Result<dto::ApiKey, AppError> {
    caller.must_be(Role::Admin)?;
    let live = app.live().await?;
    let before = live_one(&live.snapshot, &input.id, app.now())?;
    let after = ApiKey { limits: scope::limits(input.limits)?, ..before.clone() };
    put(app, caller, before, after, "gets other limits").await?;
    find(app, caller, &input.id).await
}

/// Gives a key another owner, other operations and targets, or another end.
///
/// Errors: as for [`create`]; no such key, or a revoked one. An expired key may be given more time.
pub async fn set_scope(
    app: &App,
    caller: &Caller,
    input: dto::KeyScopeInput,
) -> Result<dto::ApiKey, AppError> {
    caller.must_be(Role::Admin)?;
    let live = app.live().await?;
    let before = known(&live.snapshot, &input.id)?;
    refuse_revoked(before)?;
    let after = Scope::parse(input.scope, &live.snapshot, app.now())?.of(before.clone());
    let sentence = format!("is now for {}", in_words(&after));
    put(app, caller, before, after, &sentence).await?;
    find(app, caller, &input.id).await
}

/// Gives a key a new secret. Everything else of it stays, and the secret it had opens for the overlap as well; one that
/// was still in an earlier overlap stops at once.
///
/// Errors: no such key, one that opens nothing, an overlap above 30 days, secrets are sealed; a conflict when somebody
/// else rotated it meanwhile.
pub async fn rotate(app: &App, caller: &Caller, input: dto::KeyRotation) -> Result<KeyMade, AppError> {
    caller.must_be(Role::Admin)?;
    let live = app.live().await?;
    let now = app.now();
    let before = live_one(&live.snapshot, &input.id, now)?;
    if input.overlap_hours > OVERLAP_HOURS_MAX {
        let message = format!("An overlap is 0 to {OVERLAP_HOURS_MAX} hours.");
        return Err(AppError::invalid("overlap_hours", message));
    }
    let from = *live.keys.get(&before.id).ok_or_else(|| AppError::not_found("key", &input.id))?;
    let secret = api_key::generate()?;
    let to = app.control().key_hasher().await?.hash(secret.expose_secret());
    let until = now.plus_micros(i64::from(input.overlap_hours) * HOUR_US);
    let former = FormerSecret { last4: before.last4.clone(), until };
    let after = ApiKey {
        last4: api_key::last4(secret.expose_secret()),
        former: (input.overlap_hours > 0).then_some(former),
        ..before.clone()
    };
    let overlap = match input.overlap_hours {
        0 => "the one before stops at once".to_owned(),
        1 => "the one before opens for an hour more".to_owned(),
        hours => format!("the one before opens for {hours} hours more"),
    };
    let change = Change {
        before: Some(json(before)?),
        after: Some(json(&after)?),
        ..app.change(
            caller,
            ChangeKind::Key,
            &after.name,
            format!("Key {} has a new secret; {overlap}", after.name),
        )
    };
    app.commit(vec![ConfigWrite::RotateKey { key: after, from, to }], change).await?;
    Ok(KeyMade { key: find(app, caller, &input.id).await?, secret })
}

/// Ends the overlap of a rotation: from now on only the new secret opens.
pub async fn end_overlap(app: &App, caller: &Caller, id: &str) -> Result<dto::ApiKey, AppError> {
    caller.must_be(Role::Admin)?;
    let live = app.live().await?;
    let before = known(&live.snapshot, id)?;
    let after = ApiKey { former: None, ..before.clone() };
    put(app, caller, before, after, "opens with its new secret alone").await?;
    find(app, caller, id).await
}

/// Makes a key useless from now on, for good, and forgets the credentials it brought.
pub async fn revoke(app: &App, caller: &Caller, id: &str) -> Result<dto::ApiKey, AppError> {
    caller.must_be(Role::Admin)?;
    let live = app.live().await?;
    let before = known(&live.snapshot, id)?;
    if before.revoked_at.is_none() {
        let after = ApiKey {
            revoked_at: Some(app.now()),
            former: None,
            own_credentials: std::collections::BTreeMap::new(),
            ..before.clone()
        };
        put(app, caller, before, after, "is revoked").await?;
        app.control().forget_own_credentials(before.id, before.own_credentials.keys()).await?;
    }
    find(app, caller, id).await
}

/// Writes a new key to a file that only its owner can read, for a machine without a clipboard.
pub fn save_for_owner(
    folder: &Path,
    key: &dto::ApiKey,
    secret: &SecretString,
) -> Result<PathBuf, SecretsError> {
    signalbox_engine::secrets::write_for_owner(folder, &format!("{}.key", key.id), secret)
}

/// Stores a key as it shall be, unless it is so already.
async fn put(app: &App, caller: &Caller, before: &ApiKey, after: ApiKey, what: &str) -> Result<(), AppError> {
    if after == *before {
        return Ok(());
    }
    let change = Change {
        before: Some(json(before)?),
        after: Some(json(&after)?),
        ..app.change(caller, ChangeKind::Key, &after.name, format!("Key {} {what}", after.name))
    };
    app.commit(vec![ConfigWrite::PutKey { key: after }], change).await.map(drop)
}

fn known<'a>(snapshot: &'a Snapshot, id: &str) -> Result<&'a ApiKey, AppError> {
    let found = id.parse::<KeyId>().ok().and_then(|id| snapshot.keys.values().find(|key| key.id == id));
    found.ok_or_else(|| AppError::not_found("key", id))
}

/// A key that opens something.
fn live_one<'a>(snapshot: &'a Snapshot, id: &str, now: Timestamp) -> Result<&'a ApiKey, AppError> {
    let key = known(snapshot, id)?;
    refuse_revoked(key)?;
    if !key.is_live(now) {
        let message = format!("The key `{}` has expired. Give it more time first.", key.name);
        return Err(AppError::new(Code::Refused, message));
    }
    Ok(key)
}

fn refuse_revoked(key: &ApiKey) -> Result<(), AppError> {
    if key.revoked_at.is_some() {
        return Err(AppError::new(Code::Refused, format!("The key `{}` is revoked.", key.name)));
    }
    Ok(())
}

/// What a key is for, e.g. `chat_message, to deepseek, until 2027-01-31 12:00 UTC`.
fn in_words(key: &ApiKey) -> String {
    let listed = |words: Vec<String>| words.join(", ");
    let mut text = if key.operations.is_empty() {
        "all operations".to_owned()
    } else {
        listed(key.operations.iter().map(ToString::to_string).collect())
    };
    if !key.targets.is_empty() {
        text = format!("{text}, to {}", listed(key.targets.iter().map(ToString::to_string).collect()));
    }
    if let Some(end) = key.expires_at {
        text = format!("{text}, until {}", end.to_the_minute());
    }
    match &key.owner {
        Some(owner) => format!("{text} (owner {owner})"),
        None => text,
    }
}

fn shown(key: &ApiKey, live: &Live, last_used: &HashMap<KeyId, KeyUse>, now: Timestamp) -> dto::ApiKey {
    let used = last_used.get(&key.id);
    let ready = |provider| live.snapshot.is_credential_ready(provider, Some(key));
    let own = key.own_credentials.iter().map(|(provider, credential)| dto::OwnCredential {
        provider: provider.to_string(),
        hint: credential.hint.clone(),
        set_at: credential.set_at.into(),
        ready: ready(provider),
    });
    dto::ApiKey {
        id: key.id.to_string(),
        name: key.name.clone(),
        owner: key.owner.clone(),
        prefix: KEY_PREFIX.to_owned(),
        last4: key.last4.clone(),
        operations: key.operations.iter().map(ToString::to_string).collect(),
        targets: key.targets.iter().map(ToString::to_string).collect(),
        created_at: key.created_at.into(),
        expires_at: key.expires_at.map(Into::into),
        last_used_at: used.map(|used| used.at.into()),
        last_used_for: used.map(|used| used.operation.to_string()),
        revoked_at: key.revoked_at.map(Into::into),
        state: match key.standing(now) {
            KeyStanding::Active => dto::KeyState::Active,
            KeyStanding::Expired(_) => dto::KeyState::Expired,
            KeyStanding::Revoked(_) => dto::KeyState::Revoked,
        },
        expires_soon: key.expires_soon(now),
        idle: key.is_idle(used.map(|used| used.at), now),
        former: key
            .former_at(now)
            .map(|former| dto::FormerSecret { last4: former.last4.clone(), until: former.until.into() }),
        limits: dto::KeyLimits {
            requests_per_minute: key.limits.requests_per_minute,
            concurrent: key.limits.concurrent,
            body_bytes: key.limits.body_bytes,
        },
        own_credentials: own.collect(),
    }
}
