//! The running instance.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use signalbox_core::time::Clock;
use signalbox_engine::clock::SystemClock;
use signalbox_engine::control::Options;
use signalbox_engine::secrets::Keychain;
use signalbox_engine::{Engine, EngineOptions};
use signalbox_gateway::{Exposure, Gateway};
use signalbox_simulator::{Dials, DialsHandle, RunningSimulator, Simulator};
use signalbox_store::Durability;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How to start a [`TestApp`].
#[derive(Debug)]
pub struct Builder {
    clock: Arc<dyn Clock>,
    simulator: bool,
    durability: Durability,
    database_url: Option<String>,
    exposure: Exposure,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            simulator: true,
            durability: Durability::Process,
            database_url: None,
            exposure: Exposure::default(),
        }
    }
}

impl Builder {
    /// Takes the time from `clock`.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Runs without the built-in simulator: what no provider serves is refused.
    #[must_use]
    pub fn without_simulator(mut self) -> Self {
        self.simulator = false;
        self
    }

    /// Commits as durably as said.
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Keeps everything but secrets in a `PostgreSQL` database.
    #[must_use]
    pub fn database_url(mut self, url: impl Into<String>) -> Self {
        self.database_url = Some(url.into());
        self
    }

    /// Lets more in than this machine's programs.
    #[must_use]
    pub fn exposure(mut self, exposure: Exposure) -> Self {
        self.exposure = exposure;
        self
    }

    /// Starts in a new temporary directory.
    pub async fn start(self) -> anyhow::Result<TestApp> {
        let directory = Arc::new(tempfile::tempdir()?);
        let simulator = if self.simulator {
            Some(Arc::new(Simulator::bind_ephemeral(Dials::default()).await?))
        } else {
            None
        };
        let mut app = TestApp::run(self.into(), directory, simulator).await?;
        app.key = app.create_key(&[]).await?;
        Ok(app)
    }
}

/// What stays the same over a restart.
#[derive(Debug, Clone)]
struct Setup {
    clock: Arc<dyn Clock>,
    durability: Durability,
    database_url: Option<String>,
    exposure: Exposure,
}

impl From<Builder> for Setup {
    fn from(builder: Builder) -> Self {
        Self {
            clock: builder.clock,
            durability: builder.durability,
            database_url: builder.database_url,
            exposure: builder.exposure,
        }
    }
}

/// A running Signalbox: store, engine, built-in simulator and gateway, with an API key for every operation.
#[derive(Debug)]
pub struct TestApp {
    /// The engine.
    pub engine: Arc<Engine>,
    /// Where the gateway listens.
    pub addr: SocketAddr,
    /// An API key for every operation.
    pub key: String,
    /// A client that keeps connections and uses no proxy.
    pub http: reqwest::Client,
    setup: Setup,
    directory: Arc<TempDir>,
    simulator: Option<Arc<RunningSimulator>>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl TestApp {
    /// Starts with the system's clock and the built-in simulator.
    pub async fn start() -> anyhow::Result<Self> {
        Builder::default().start().await
    }

    /// To start otherwise.
    pub fn builder() -> Builder {
        Builder::default()
    }

    async fn run(
        setup: Setup,
        directory: Arc<TempDir>,
        simulator: Option<Arc<RunningSimulator>>,
    ) -> anyhow::Result<Self> {
        let simulator_url =
            simulator.as_deref().map(|simulator| simulator.base_url_openai().parse()).transpose()?;
        let options = EngineOptions {
            installation: Options {
                data_dir: directory.path().to_owned(),
                database_url: setup.database_url.clone(),
                durability: setup.durability,
                keychain: Keychain::Unused,
            },
            simulator: simulator_url,
        };
        let engine = Engine::start(options, Arc::clone(&setup.clock)).await.context("start the engine")?;
        let free_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let gateway = Gateway::bind(Arc::clone(&engine), free_port, setup.exposure.clone()).await?;
        let addr = gateway.addr();
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        tasks.spawn(gateway.serve_to_the_end(stop.clone()));
        tasks.close();
        let http = reqwest::Client::builder().no_proxy().tcp_nodelay(true).build()?;
        Ok(Self { engine, addr, key: String::new(), http, setup, directory, simulator, stop, tasks })
    }

    /// The data directory.
    pub fn data_dir(&self) -> &Path {
        self.directory.path()
    }

    /// The `SQLite` file.
    pub fn database_file(&self) -> PathBuf {
        signalbox_engine::data_dir::database_file(self.data_dir())
    }

    /// The gateway's URL of a path such as `/v1/models`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    /// The dials of the built-in simulator.
    ///
    /// Errors: it runs without one.
    pub fn simulator_dials(&self) -> anyhow::Result<DialsHandle> {
        self.simulator.as_deref().map(RunningSimulator::dials).context("this instance has no simulator")
    }

    /// The built-in simulator.
    pub fn simulator(&self) -> Option<&RunningSimulator> {
        self.simulator.as_deref()
    }

    /// Stops as a person would stop it: running requests may finish for a while.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tasks.wait().await;
    }

    /// Stops and starts again on the same data, with the same key, on another port. Clones of [`Self::engine`] must be
    /// gone by then.
    pub async fn restart(self) -> anyhow::Result<Self> {
        self.stop().await;
        let Self { engine, key, setup, directory, simulator, .. } = self;
        drop(engine);
        let mut app = Self::run(setup, directory, simulator).await?;
        app.key = key;
        Ok(app)
    }
}
