//! Starts what works without a window: simulator, engine, gateway. It is the node's composition with other surroundings.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use signalbox_app::dto::GatewayState;
use signalbox_app::{App, GatewayReport};
use signalbox_engine::clock::SystemClock;
use signalbox_engine::control::{Durability, Options};
use signalbox_engine::secrets::Keychain;
use signalbox_engine::{Engine, EngineOptions};
use signalbox_gateway::{DEFAULT_LISTEN, Exposure, Gateway};
use signalbox_simulator::{Dials, RunningSimulator, Simulator};
use tokio_util::sync::CancellationToken;

/// How long to wait before trying a taken port again.
const PORT_RETRY: Duration = Duration::from_secs(3);

/// What runs, until it is shut down.
pub struct Running {
    /// The use cases on top of it.
    pub app: App,
    engine: Arc<Engine>,
    simulator: RunningSimulator,
}

/// Starts simulator and engine on a data directory.
pub async fn start(data_dir: &Path) -> anyhow::Result<Running> {
    // It is reached over loopback only, and by us only; it remembers nothing of what it was asked.
    let dials = Dials { require_key: false, observe: 0, ..Dials::default() };
    let simulator = Simulator::bind_ephemeral(dials).await.context("the simulator cannot listen")?;
    let installation = Options {
        data_dir: data_dir.to_owned(),
        database_url: std::env::var("DATABASE_URL").ok().filter(|url| !url.is_empty()),
        durability: Durability::Process,
        keychain: if std::env::var_os("SIGNALBOX_NO_KEYCHAIN").is_some() {
            Keychain::Unused
        } else {
            Keychain::Preferred
        },
    };
    let url = simulator.base_url_openai().parse().context("the simulator's address is no URL")?;
    let options = EngineOptions { installation, simulator: Some(url) };
    let engine = Engine::start(options, Arc::new(SystemClock)).await?;
    let app = App::with_engine(Arc::clone(&engine))?;
    Ok(Running { app, engine, simulator })
}

impl Running {
    /// Serves programs until told to stop, then winds everything down. A taken port is tried again until it is free.
    pub async fn serve(self, stop: CancellationToken) {
        let listen = listen_address();
        loop {
            self.report(GatewayState::Starting, listen, None);
            match Gateway::bind(Arc::clone(&self.engine), listen, Exposure::default()).await {
                Ok(gateway) => {
                    self.report(GatewayState::Running, gateway.addr(), None);
                    gateway.serve_to_the_end(stop.clone()).await;
                    break;
                }
                Err(error) => {
                    tracing::error!(%error, "the gateway cannot listen; trying again");
                    self.report(
                        GatewayState::Stopped,
                        listen,
                        Some(format!("The gateway is stopped: {error}.")),
                    );
                }
            }
            tokio::select! {
                () = tokio::time::sleep(PORT_RETRY) => {}
                () = stop.cancelled() => break,
            }
        }
        self.engine.shutdown().await;
        self.simulator.shutdown().await;
    }

    fn report(&self, state: GatewayState, listen: SocketAddr, problem: Option<String>) {
        self.app.report_gateway(GatewayReport { state, listen: listen.to_string(), problem });
    }
}

/// Where programs reach the gateway; `SIGNALBOX_LISTEN` overrides the default.
pub fn listen_address() -> SocketAddr {
    let chosen = std::env::var("SIGNALBOX_LISTEN").ok();
    chosen.and_then(|text| text.parse().ok()).unwrap_or(DEFAULT_LISTEN)
}
