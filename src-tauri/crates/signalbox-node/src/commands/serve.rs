//! `serve`: simulator, engine and gateway in one process, until told to stop.

use std::io::{self, IsTerminal};
use std::sync::Arc;

use signalbox_engine::clock::SystemClock;
use signalbox_engine::control::Options;
use signalbox_engine::{Engine, EngineOptions};
use signalbox_gateway::{Exposure, Gateway};
use signalbox_simulator::{Dials, RunningSimulator, Simulator};
use signalbox_store::Durability;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::EnvFilter;

use super::secrets;
use crate::cli::{self, LogForm, Serve, Switch};
use crate::failure::{Exit, Failure};
use crate::output;

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
    let asked = stop_signals()?;
    let simulator = match serve.simulator {
        Switch::On => Some(start_simulator().await?),
        Switch::Off => None,
    };
    let simulator_url = simulator.as_ref().and_then(|simulator| simulator.base_url_openai().parse().ok());
    let options = EngineOptions { installation: options, simulator: simulator_url };
    let engine = Engine::start(options, Arc::new(SystemClock)).await?;
    if secrets::unseal_at_terminal(&engine.control).await? {
        engine.reload().await?;
    }
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

    let at_once = tokio::select! {
        () = gateway.serve_to_the_end(asked.stop) => false,
        () = asked.stop_at_once.cancelled() => true,
    };
    if at_once {
        tracing::warn!("stopped at once; what was running is settled at the next start");
        return Ok(Exit::Failed);
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

/// What signals ask for.
struct Asked {
    /// Cancelled by the first one: stop, and let running requests finish.
    stop: CancellationToken,
    /// Cancelled by the second one.
    stop_at_once: CancellationToken,
}

/// Listens for signals from now on.
fn stop_signals() -> Result<Asked, Failure> {
    let mut signals = Signals::new()?;
    let (stop, stop_at_once) = (CancellationToken::new(), CancellationToken::new());
    let (first, second) = (stop.clone(), stop_at_once.clone());
    // A task of its own, so that a signal during the start is not lost; it holds nothing that has to be waited for.
    TaskTracker::new().spawn(async move {
        signals.next().await;
        first.cancel();
        signals.next().await;
        second.cancel();
    });
    Ok(Asked { stop, stop_at_once })
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> Result<Self, Failure> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(windows)]
struct Signals {
    interrupt: tokio::signal::windows::CtrlC,
    brk: tokio::signal::windows::CtrlBreak,
    close: tokio::signal::windows::CtrlClose,
    shutdown: tokio::signal::windows::CtrlShutdown,
}

#[cfg(windows)]
impl Signals {
    fn new() -> Result<Self, Failure> {
        use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown};
        Ok(Self {
            interrupt: ctrl_c()?,
            brk: ctrl_break()?,
            close: ctrl_close()?,
            shutdown: ctrl_shutdown()?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.brk.recv() => {}
            _ = self.close.recv() => {}
            _ = self.shutdown.recv() => {}
        }
    }
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
