//! What a person says of a key, as domain values.

use std::collections::BTreeSet;

use signalbox_core::ids::OperationId;
use signalbox_core::key::{ApiKey, KeyLimits, TargetScope};
use signalbox_core::snapshot::Snapshot;
use signalbox_core::time::Timestamp;

use crate::dto;
use crate::error::AppError;

/// Longest name of a key or its owner.
const NAME_CHARS_MAX: usize = 80;

/// What a key is for.
pub(super) struct Scope {
    owner: Option<String>,
    operations: BTreeSet<OperationId>,
    targets: BTreeSet<TargetScope>,
    expires_at: Option<Timestamp>,
}

impl Scope {
    /// Reads a scope.
    ///
    /// Errors: an overlong owner, an operation, provider or model that does not exist, an end that has passed.
    pub(super) fn parse(given: dto::KeyScope, snapshot: &Snapshot, now: Timestamp) -> Result<Self, AppError> {
        let owner = given.owner.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        Ok(Self {
            owner: owner.map(|text| one_line("owner", "An owner", &text)).transpose()?,
            operations: operations(&given.operations, snapshot)?,
            targets: targets(&given.targets, snapshot)?,
            expires_at: given.expires_at.map(|text| expiry(&text, now)).transpose()?,
        })
    }

    /// The key with this scope.
    pub(super) fn of(self, key: ApiKey) -> ApiKey {
        let Self { owner, operations, targets, expires_at } = self;
        ApiKey { owner, operations, targets, expires_at, ..key }
    }
}

/// The name of a key.
pub(super) fn name(text: &str) -> Result<String, AppError> {
    one_line("name", "A key", text.trim())
}

fn one_line(field: &str, whose: &str, text: &str) -> Result<String, AppError> {
    if text.is_empty() || text.chars().count() > NAME_CHARS_MAX || text.chars().any(char::is_control) {
        let message = format!("{whose} needs a name of 1 to {NAME_CHARS_MAX} characters.");
        return Err(AppError::invalid(field, message));
    }
    Ok(text.to_owned())
}

fn operations(given: &[String], snapshot: &Snapshot) -> Result<BTreeSet<OperationId>, AppError> {
    let known = |text: &String| {
        let id = OperationId::new(text).ok().filter(|id| snapshot.operations.contains_key(id));
        let unknown = || AppError::invalid("operations", format!("There is no operation `{text:.80}`."));
        id.ok_or_else(unknown)
    };
    given.iter().map(known).collect()
}

fn targets(given: &[String], snapshot: &Snapshot) -> Result<BTreeSet<TargetScope>, AppError> {
    let exists = |scope: &TargetScope| match scope {
        TargetScope::Provider(provider) => snapshot.providers.contains_key(provider),
        TargetScope::Target(target) => snapshot.models.contains_key(target),
    };
    let known = |text: &String| {
        let scope = text.trim().parse().ok().filter(exists);
        let unknown = || {
            let what = if text.contains('/') { "model" } else { "provider" };
            AppError::invalid("targets", format!("There is no {what} `{text:.80}`."))
        };
        scope.ok_or_else(unknown)
    };
    given.iter().map(known).collect()
}

fn expiry(text: &dto::Instant, now: Timestamp) -> Result<Timestamp, AppError> {
    let at = Timestamp::parse(&text.0).map_err(|_| {
        let message = format!("`{:.40}` is not a time such as 2027-01-31T12:00:00Z.", text.0);
        AppError::invalid("expires_at", message)
    })?;
    if at <= now {
        return Err(AppError::invalid(
            "expires_at",
            "A key can only expire in the future; revoke it instead.",
        ));
    }
    Ok(at)
}

/// The limits, if each of them lets anything through.
pub(super) fn limits(given: dto::KeyLimits) -> Result<KeyLimits, AppError> {
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
