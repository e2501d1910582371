//! Drills: faults of the simulator, rehearsed on purpose.

use crate::app::{App, Caller, Role};
use crate::dto;
use crate::error::{AppError, Code};

/// The drill that runs, or the last one.
pub async fn state(_app: &App, caller: &Caller) -> Result<Option<dto::Drill>, AppError> {
    caller.must_be(Role::Viewer)?;
    Ok(None)
}

/// Begins a drill; one at a time.
pub async fn start(_app: &App, caller: &Caller, _input: dto::DrillInput) -> Result<dto::Drill, AppError> {
    caller.must_be(Role::Operator)?;
    Err(AppError::new(Code::Refused, "Drills are not run yet."))
}

/// Ends the drill that runs.
pub async fn stop(app: &App, caller: &Caller) -> Result<Option<dto::Drill>, AppError> {
    caller.must_be(Role::Operator)?;
    state(app, caller).await
}
