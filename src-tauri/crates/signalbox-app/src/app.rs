//! What every use case works on, and who calls it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use signalbox_core::catalogue::Catalogue;
use signalbox_core::change::{ChainedChange, Change, ChangeKind};
use signalbox_core::ids::{ChangeId, ProviderName};
pub use signalbox_core::person::Role;
use signalbox_core::person::{LOCAL, Person};
use signalbox_core::time::Timestamp;
use signalbox_engine::control::Control;
use signalbox_engine::events::Topic;
use signalbox_engine::live::{self, Live};
use signalbox_engine::spend::SpendHistory;
use signalbox_engine::{Engine, EngineError};
use signalbox_store::{ConfigEdit, ConfigWrite};
use tokio::sync::broadcast;

use crate::dto::{CacheTag, CheckResult, GatewayState};
use crate::error::{AppError, Code};
use crate::prices::import::PendingImports;

/// How long what was spent is kept before it is read anew. Units: microseconds.
const SPEND_KEPT_US: i64 = 30 * 1_000_000;

/// By which way a change came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The desktop window.
    Window,
    /// The command line.
    Cli,
    /// The menu of the tray icon.
    Tray,
}

impl Source {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Window => "window",
            Self::Cli => "cli",
            Self::Tray => "tray",
        }
    }
}

/// Who asks.
#[derive(Debug, Clone)]
pub struct Caller {
    /// As the change history names them.
    pub id: String,
    /// What they may do.
    pub role: Role,
    /// By which way they came.
    pub source: Source,
}

impl Caller {
    /// The person at this machine, as an installation begins: its only admin. Clients ask [`App::caller`] instead, which
    /// knows what became of them since.
    pub fn local(source: Source) -> Self {
        Self { id: LOCAL.to_owned(), role: Role::Admin, source }
    }

    pub(crate) fn must_be(&self, role: Role) -> Result<(), AppError> {
        if self.role >= role {
            return Ok(());
        }
        Err(AppError::new(
            Code::Forbidden,
            format!(
                "`{}` is {} and may not do this; it takes the role {}.",
                self.id,
                self.role.as_str(),
                role.as_str()
            ),
        ))
    }
}

/// How the gateway stands, as whoever runs it reports.
#[derive(Debug, Clone)]
pub struct GatewayReport {
    /// Whether it serves.
    pub state: GatewayState,
    /// Where, e.g. `127.0.0.1:4180`.
    pub listen: String,
    /// Why not, if it does not.
    pub problem: Option<String>,
}

/// An opened installation with, perhaps, a running engine.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    control: Control,
    engine: Option<Arc<Engine>>,
    catalogue: Catalogue,
    gateway: Mutex<GatewayReport>,
    checks: Mutex<HashMap<ProviderName, CheckResult>>,
    imports: PendingImports,
    spend: Mutex<Option<Arc<SpendHistory>>>,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("control", &self.0.control).finish_non_exhaustive()
    }
}

impl App {
    /// Without traffic, beside a running instance perhaps: for the command line.
    pub fn open(control: Control) -> Result<Self, AppError> {
        Self::new(control, None)
    }

    /// On top of a running engine.
    pub fn with_engine(engine: Arc<Engine>) -> Result<Self, AppError> {
        Self::new(engine.control.clone(), Some(engine))
    }

    fn new(control: Control, engine: Option<Arc<Engine>>) -> Result<Self, AppError> {
        let catalogue =
            Catalogue::shipped().map_err(|error| AppError::internal("read the price catalogue", &error))?;
        let gateway = GatewayReport { state: GatewayState::Stopped, listen: String::new(), problem: None };
        Ok(Self(Arc::new(Inner {
            control,
            engine,
            catalogue,
            gateway: Mutex::new(gateway),
            checks: Mutex::default(),
            imports: PendingImports::default(),
            spend: Mutex::default(),
        })))
    }

    /// The configuration side.
    pub fn control(&self) -> &Control {
        &self.0.control
    }

    /// The running engine, if there is one.
    pub fn engine(&self) -> Option<&Arc<Engine>> {
        self.0.engine.as_ref()
    }

    /// Who asks, by the name they say they have; without one, whoever sits at this machine.
    ///
    /// A name is a claim, not a proof: whoever may open the database may take any. It is there so that the history says
    /// who did what and so that nobody does by accident what their role does not allow.
    ///
    /// Errors: [`Code::Forbidden`] when nobody of that name is known, or they may no longer come in.
    pub async fn caller(&self, source: Source, name: Option<&str>) -> Result<Caller, AppError> {
        let name = name.map(str::trim).filter(|name| !name.is_empty()).unwrap_or(LOCAL);
        let live = self.live().await?;
        let person = live.people.iter().find(|person| person.name.as_str() == name);
        match person {
            Some(Person { role, enabled: true, .. }) => {
                Ok(Caller { id: name.to_owned(), role: *role, source })
            }
            Some(_) => Err(AppError::new(Code::Forbidden, format!("`{name}` may no longer come in."))),
            None => {
                let shown: String = name.chars().take(80).collect();
                Err(AppError::new(Code::Forbidden, format!("Nobody named `{shown}` is known here.")))
            }
        }
    }

    /// Tells how the gateway stands from now on.
    pub fn report_gateway(&self, report: GatewayReport) {
        *self.0.gateway.lock().unwrap_or_else(PoisonError::into_inner) = report;
        if let Some(engine) = self.engine() {
            engine.events.publish(Topic::Status);
        }
    }

    /// Hears of changes; `None` without an engine. [`CacheTag::from`] says which queries they make stale.
    pub fn subscribe(&self) -> Option<broadcast::Receiver<Topic>> {
        self.engine().map(|engine| engine.events.subscribe())
    }

    pub(crate) fn catalogue(&self) -> &Catalogue {
        &self.0.catalogue
    }

    pub(crate) fn gateway(&self) -> GatewayReport {
        self.0.gateway.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn last_check(&self, provider: &ProviderName) -> Option<CheckResult> {
        self.0.checks.lock().unwrap_or_else(PoisonError::into_inner).get(provider).cloned()
    }

    pub(crate) fn remember_check(&self, provider: &ProviderName, result: CheckResult) {
        self.0.checks.lock().unwrap_or_else(PoisonError::into_inner).insert(provider.clone(), result);
        if let Some(engine) = self.engine() {
            engine.events.publish(Topic::Providers);
        }
    }

    /// Spend per hour of the last weeks, at most [`SPEND_KEPT_US`] old: many screens ask for it, and it changes slowly.
    pub(crate) async fn spend_history(&self) -> Result<Arc<SpendHistory>, AppError> {
        let now = self.now();
        let kept = self.0.spend.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(kept) = kept.filter(|kept| (0..SPEND_KEPT_US).contains(&now.micros_since(kept.at()))) {
            return Ok(kept);
        }
        let live = self.live().await?;
        let read = SpendHistory::read(&self.control().store, &live.snapshot.budgets, now).await?;
        let read = Arc::new(read);
        *self.0.spend.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&read));
        Ok(read)
    }

    /// Price lists that were previewed and not applied yet.
    pub(crate) fn imports(&self) -> &PendingImports {
        &self.0.imports
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.0.control.now()
    }

    /// The configuration as it is in force.
    pub(crate) async fn live(&self) -> Result<Arc<Live>, AppError> {
        match self.engine() {
            Some(engine) => Ok(engine.live()),
            None => Ok(Arc::new(live::build(self.control(), None).await?)),
        }
    }

    /// Applies writes as one change of the history, and has them in force when it returns.
    pub(crate) async fn commit(
        &self,
        writes: Vec<ConfigWrite>,
        change: Change,
    ) -> Result<ChainedChange, AppError> {
        let written = self.commit_all(vec![ConfigEdit { writes, change }]).await?;
        let missing =
            || AppError::new(Code::Internal, "The change was written without an entry in the history.");
        written.into_iter().next().ok_or_else(missing)
    }

    /// Applies several changes of the history in one transaction, and has them in force when it returns.
    pub(crate) async fn commit_all(&self, edits: Vec<ConfigEdit>) -> Result<Vec<ChainedChange>, AppError> {
        let written = self.control().write(edits).await?;
        if let Some(engine) = self.engine() {
            engine.reload().await?;
        }
        Ok(written)
    }

    pub(crate) fn change(
        &self,
        caller: &Caller,
        kind: ChangeKind,
        subject: &str,
        sentence: String,
    ) -> Change {
        Change {
            id: ChangeId::generate(),
            at: self.now(),
            actor: caller.id.clone(),
            source: caller.source.as_str().to_owned(),
            kind,
            subject: subject.to_owned(),
            sentence,
            before: None,
            after: None,
            reason: None,
            approval: None,
        }
    }
}

impl From<Topic> for CacheTag {
    fn from(topic: Topic) -> Self {
        match topic {
            Topic::Status => Self::Status,
            Topic::Requests => Self::Requests,
            Topic::Operations => Self::Operations,
            Topic::Providers => Self::Providers,
            Topic::Health => Self::Health,
            Topic::Prices => Self::Prices,
            Topic::Keys => Self::Keys,
            Topic::Changes => Self::Changes,
            Topic::Budgets => Self::Budgets,
            Topic::Approvals => Self::Approvals,
            Topic::Toggles => Self::Toggles,
            Topic::Alerts => Self::Alerts,
            Topic::People => Self::People,
        }
    }
}

/// A reason given by a person, trimmed; empty ones are none.
pub(crate) fn reason(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// The canonical JSON of a value, as the history keeps it.
pub(crate) fn json<T: serde::Serialize>(value: &T) -> Result<String, AppError> {
    serde_json::to_string(value).map_err(|error| AppError::internal("write JSON", &error))
}

impl From<EngineError> for AppError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Store(error) => error.into(),
            EngineError::Secrets(error) => error.into(),
            EngineError::AlreadyRunning { .. }
            | EngineError::DataDirectory { .. }
            | EngineError::ShuttingDown => Self::new(Code::Unavailable, sentence(&error.to_string())),
            EngineError::Providers(_) | EngineError::Defaults(_) | EngineError::CriticalToggle(_) => {
                Self::internal("work", &error)
            }
        }
    }
}

/// With a capital letter and a full stop.
pub(crate) fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first: String = chars.next().map(char::to_uppercase).into_iter().flatten().collect();
    let end = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{end}", chars.as_str())
}
