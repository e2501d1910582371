//! `serve`: simulator, engine and gateway in one process, until told to stop.

use std::io::{self, IsTerminal};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use signalbox_engine::clock::SystemClock;
use signalbox_engine::control::Options;
use signalbox_engine::engine::SHUTDOWN_GRACE;
use signalbox_engine::{Engine, EngineOptions};
use signalbox_gateway::{Exposure, Gateway};
use signalbox_simulator::{Dials, RunningSimulator, Simulator};
use signalbox_store::Durability;
use tokio_util::sync::CancellationToken;
use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::EnvFilter;

use crate::cli::{self, LogForm, Serve, Switch};
use crate::failure::{Exit, Failure};
use crate::output;

/// How long programs are told to come back while running requests end; past it their connections are cut.
const FAREWELL_MAX: Duration = SHUTDOWN_GRACE.saturating_add(Duration::from_secs(1));

pub fn serve(serve: Serve, mut options: Options) -> Result<Exit, Failure> {
    let _flush_at_end = start_log(serve.log);
    options.durability = match serve.durability {
        cli::Durability::Process => Durability::Process,
        cli::Durability::Power => Durability::Power,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(serve, options))
}

async fn run(serve: Serve, options: Options) -> Result<Exit, Failure> {
    let stop_asked = stop_signals()?;
    let simulator = match serve.simulator {
        Switch::On => Some(start_simulator().await?),
        Switch::Off => None,
    };
    let simulator_url = simulator.as_ref().and_then(|simulator| simulator.base_url_openai().parse().ok());
    let options = EngineOptions { installation: options, simulator: simulator_url };
    let engine = Engine::start(options, Arc::new(SystemClock)).await?;
    let exposure = Exposure { remote: serve.allow_remote, hosts: serve.host, origins: serve.origin };
    let gateway = match Gateway::bind(Arc::clone(&engine), serve.listen, exposure).await {
        Ok(gateway) => gateway,
        Err(error) => {
            engine.shutdown().await;
            return Err(error.into());
        }
    };
    if serve.allow_remote && !gateway.addr().ip().is_loopback() {
        tracing::warn!(addr = %gateway.addr(), "other machines can reach the gateway, and nothing is encrypted");
    }
    output::print(&greeting(&engine, &gateway, simulator.as_ref()))?;

    let stop = CancellationToken::new();
    let mut serving = pin!(gateway.serve(stop.clone()));
    tokio::select! {
        () = &mut serving => {}
        () = stop_asked.cancelled() => {}
    }
    tracing::info!(in_flight = engine.in_flight(), "stopping");
    // The gateway goes on meanwhile: it tells new requests to come back, and `/readyz` says why.
    let mut settling = pin!(engine.shutdown());
    let farewell = async {
        tokio::select! {
            ended = tokio::time::timeout(FAREWELL_MAX, &mut settling) => ended.is_ok(),
            () = &mut serving => false,
        }
    };
    let settled = farewell.await;
    stop.cancel();
    if settled {
        serving.await;
    } else {
        tokio::join!(serving, settling);
    }
    if let Some(simulator) = simulator {
        simulator.shutdown().await;
    }
    tracing::info!("stopped");
    Ok(Exit::Ok)
}

async fn start_simulator() -> Result<RunningSimulator, Failure> {
    // It is reached over loopback only, and by us only: a key would protect nothing.
    let dials = Dials { require_key: false, observe: 0, ..Dials::default() };
    Simulator::bind_ephemeral(dials)
        .await
        .map_err(|error| Failure::new(Exit::Unavailable, format!("The simulator cannot listen: {error}.")))
}

fn greeting(engine: &Engine, gateway: &Gateway, simulator: Option<&RunningSimulator>) -> String {
    let base_url = gateway.base_url();
    let data_dir = engine.control.data_dir.display();
    let simulator = match simulator {
        Some(simulator) => format!("on, at {}", simulator.base_url_anthropic()),
        None => "off".to_owned(),
    };
    let live = engine.live();
    let now = engine.control.now();
    let keys = live.snapshot.keys.values().filter(|key| key.is_live(now)).count();
    let key = match (&live.sealed, keys) {
        (Some(why), _) => format!("cannot be checked: {why}"),
        (None, 0) => format!("none yet; signalbox-node keys create --name laptop --data-dir {data_dir}"),
        (None, count) => format!("{count} in use; `signalbox-node keys create` makes another"),
    };
    format!(
        "Signalbox {version} is serving. Ctrl-C stops it.\n\
         \x20 Base URL   {base_url}   (Anthropic clients: {root})\n\
         \x20 Data       {data_dir}\n\
         \x20 Simulator  {simulator}\n\
         \x20 API key    {key}",
        version = env!("CARGO_PKG_VERSION"),
        root = base_url.trim_end_matches("/v1"),
    )
}

/// The token that a signal to stop cancels.
fn stop_signals() -> Result<CancellationToken, Failure> {
    let asked = CancellationToken::new();
    let wait = wait_for_signal()?;
    let token = asked.clone();
    // A task of its own, so that a signal during the start is not lost; it holds nothing that has to be waited for.
    tokio_util::task::TaskTracker::new().spawn(async move {
        wait.await;
        token.cancel();
    });
    Ok(asked)
}

#[cfg(unix)]
fn wait_for_signal() -> Result<impl Future<Output = ()> + Send, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(windows)]
fn wait_for_signal() -> Result<impl Future<Output = ()> + Send, Failure> {
    use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown};
    let (mut interrupt, mut brk) = (ctrl_c()?, ctrl_break()?);
    let (mut close, mut shutdown) = (ctrl_close()?, ctrl_shutdown()?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = brk.recv() => {}
            _ = close.recv() => {}
            _ = shutdown.recv() => {}
        }
    })
}

/// Logs to standard error from a thread of its own, so that a slow terminal does not slow requests.
fn start_log(form: LogForm) -> WorkerGuard {
    let (writer, guard) = tracing_appender::non_blocking(io::stderr());
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,hyper=error"));
    let colours = io::stderr().is_terminal();
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_ansi(colours);
    match form {
        LogForm::Text => log.with_target(false).init(),
        LogForm::Json => log.json().flatten_event(true).init(),
    }
    guard
}
