//! Health of providers and targets, and what an admin does about it.

use crate::app::{App, Caller, Role};
use crate::dto;
use crate::error::{AppError, Code};

/// All providers with their targets' health, as the running engine sees it.
pub async fn list(_app: &App, caller: &Caller) -> Result<Vec<dto::ProviderHealth>, AppError> {
    caller.must_be(Role::Viewer)?;
    Err(AppError::new(Code::Refused, "Health is not read yet."))
}

/// Holds a target's circuit open, or resets it.
pub async fn circuit(
    app: &App,
    caller: &Caller,
    _action: dto::CircuitAction,
) -> Result<Vec<dto::ProviderHealth>, AppError> {
    caller.must_be(Role::Admin)?;
    list(app, caller).await
}

/// Failovers, newest first.
pub async fn failovers(
    _app: &App,
    caller: &Caller,
    _filter: dto::FailoverFilter,
    _cursor: Option<String>,
    _limit: u32,
) -> Result<dto::FailoverPage, AppError> {
    caller.must_be(Role::Viewer)?;
    Err(AppError::new(Code::Refused, "Failovers are not read yet."))
}
