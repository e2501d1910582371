//! What the status bar and the first run need at a glance.

use signalbox_core::decide::is_any_connected;
use signalbox_core::time::Timestamp;
use signalbox_store::{Backend, Durability};

use crate::app::{App, Caller, GatewayReport, Role};
use crate::error::AppError;
use crate::overview::today;
use crate::{approvals, budgets, dto, kill_switch, view};

/// How everything stands.
pub async fn status(app: &App, caller: &Caller) -> Result<dto::Status, AppError> {
    caller.must_be(Role::Viewer)?;
    let live = app.live().await?;
    let store = &app.control().store;
    let report = app.gateway();
    let (spend, requests) = today(app).await?;
    let gateway = match (&live.sealed, report.state) {
        (Some(_), dto::GatewayState::Running) => dto::GatewayState::Sealed,
        (_, state) => state,
    };
    let simulator = app.engine().and_then(|engine| engine.simulator().map(ToString::to_string));
    let awaits_passphrase = live.sealed.is_some() && app.control().awaits_passphrase().await?;
    Ok(dto::Status {
        awaits_passphrase,
        gateway,
        base_url: base_url(&report),
        listen: report.listen,
        stopped: kill_switch::stop_of(app).await?.map(kill_switch::shown_stop),
        problem: report.problem.or_else(|| live.sealed.clone()),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        data_dir: app.control().data_dir.display().to_string(),
        database: match store.backend() {
            Backend::Sqlite => "local file".to_owned(),
            Backend::Postgres => "shared PostgreSQL".to_owned(),
        },
        durability: match app.control().durability {
            Durability::Process => "process".to_owned(),
            Durability::Power => "power".to_owned(),
        },
        in_flight: app.engine().map_or(0, |engine| engine.in_flight()),
        spend_today: spend.into(),
        requests_today: view::count(requests),
        approvals_pending: approvals::pending(app).await?,
        simulator: dto::SimulatorStatus { on: simulator.is_some(), base_url: simulator },
        budget: budgets::glance(app).await?,
        first_run: dto::FirstRun {
            provider_connected: is_any_connected(&live.snapshot),
            key_created: live.snapshot.keys.values().any(|key| key.is_live(app.now())),
            first_request: store.has_requests().await?.map(|id| id.to_string()),
        },
        person: caller.id.clone(),
        role: caller.role.as_str().to_owned(),
        four_eyes: live.four_eyes.applies(&live.people),
        history: app.control().history_checked().map(Into::into),
        at: app.now().into(),
    })
}

/// What a window can show while the installation is not, or cannot be, opened.
pub fn without_backend(
    gateway: dto::GatewayState,
    problem: Option<String>,
    data_dir: &str,
    listen: &str,
    now: Timestamp,
) -> dto::Status {
    dto::Status {
        awaits_passphrase: false,
        gateway,
        base_url: format!("http://{listen}/v1"),
        listen: listen.to_owned(),
        problem,
        stopped: None,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        data_dir: data_dir.to_owned(),
        database: "not open".to_owned(),
        durability: "process".to_owned(),
        in_flight: 0,
        spend_today: signalbox_core::money::NanoUsd::ZERO.into(),
        requests_today: 0,
        approvals_pending: 0,
        simulator: dto::SimulatorStatus { on: false, base_url: None },
        budget: None,
        first_run: dto::FirstRun { provider_connected: false, key_created: false, first_request: None },
        person: String::new(),
        role: Role::Viewer.as_str().to_owned(),
        four_eyes: false,
        history: None,
        at: now.into(),
    }
}

fn base_url(report: &GatewayReport) -> String {
    format!("http://{}/v1", report.listen)
}
