//! The free check of a provider: its list of models, which costs nothing and proves address and credential.

use std::time::Duration;

use signalbox_core::failure::FailureKind;
use signalbox_core::provider::{CredentialSource, Provider, ProviderKind};
use signalbox_providers::{Account, CallError, Providers};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::control::Control;
use crate::error::EngineError;
use crate::live::simulator_credential;

/// What the check found.
#[derive(Debug, Clone)]
pub struct Checked {
    /// How long the provider took.
    pub latency: Duration,
    /// The models it lists, or why it does not.
    pub models: Result<Vec<String>, CheckFailure>,
}

/// Why a provider cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CheckFailure {
    /// It has no credential yet.
    #[error("it has no credential yet")]
    NoCredential,
    /// The simulator is switched off.
    #[error("the simulator is switched off")]
    SimulatorOff,
    /// This version cannot call providers of its kind.
    #[error("this version cannot call providers of this kind yet")]
    NoAdapter,
    /// A person has stopped all AI traffic, and this is a call to a provider too.
    #[error("all AI traffic is stopped")]
    Stopped,
    /// It answered, or failed to, like this.
    #[error("{message}")]
    Call {
        /// What kind of failure.
        kind: FailureKind,
        /// The provider's or our own words.
        message: String,
    },
}

/// Asks the provider for its models, unless AI traffic is stopped. It ends when `flow` is cancelled.
///
/// Errors: secrets cannot be read. What is wrong with the provider is in the result.
pub async fn check(
    control: &Control,
    provider: &Provider,
    simulator: Option<&Url>,
    flow: &CancellationToken,
) -> Result<Checked, EngineError> {
    let refused = |failure| Ok(Checked { latency: Duration::ZERO, models: Err(failure) });
    if control.store.kill_switch().await?.is_some() {
        return refused(CheckFailure::Stopped);
    }
    if !provider.kind.has_adapter() {
        return refused(CheckFailure::NoAdapter);
    }
    let (base_url, credential) = match (provider.kind, simulator) {
        (ProviderKind::Simulator, None) => return refused(CheckFailure::SimulatorOff),
        (ProviderKind::Simulator, Some(url)) => (url.clone(), Some(simulator_credential())),
        _ => (provider.base_url.clone(), control.credential(provider).await?),
    };
    if provider.credential != CredentialSource::NotNeeded && credential.is_none() {
        return refused(CheckFailure::NoCredential);
    }
    let account = Account {
        name: provider.name.clone(),
        kind: provider.kind,
        base_url,
        credential,
        auth: provider.auth.clone(),
    };
    let began = Instant::now();
    let providers = Providers::new()?;
    let models = tokio::select! {
        biased;
        () = flow.cancelled() => Err(CheckFailure::Stopped),
        models = providers.list_models(&account) => models.map_err(CheckFailure::from),
    };
    Ok(Checked { latency: began.elapsed(), models })
}

/// The same without a running engine, as the command line does.
///
/// Errors: as of [`check`].
pub async fn check_alone(control: &Control, provider: &Provider) -> Result<Checked, EngineError> {
    check(control, provider, None, &CancellationToken::new()).await
}

impl From<CallError> for CheckFailure {
    fn from(error: CallError) -> Self {
        Self::Call { kind: error.kind, message: error.message }
    }
}
