//! Configuring a [`TestApp`]: vendors, models with prices, routes, keys.

use std::sync::Arc;

use anyhow::Context;
use secrecy::{ExposeSecret, SecretString};
use signalbox_core::change::{Change, ChangeKind};
use signalbox_core::ids::{ChangeId, OperationId, ProviderName};
use signalbox_core::key::ApiKey;
use signalbox_core::operation::Capability;
use signalbox_core::price::{PriceCard, usd_per_million};
use signalbox_core::provider::{CredentialSource, Model, Provider, ProviderKind};
use signalbox_core::route::{RouteTarget, Target};
use signalbox_core::snapshot::OperationEntry;
use signalbox_core::time::Timestamp;
use signalbox_core::toggle::Toggle;
use signalbox_core::usage::Unit;
use signalbox_engine::api_key;
use signalbox_simulator::{Dials, DialsHandle, Observed, RunningSimulator, Simulator};
use signalbox_store::{ConfigEdit, ConfigWrite, ToggleEdit};

use crate::app::TestApp;

/// The credential of every provider that a test adds.
pub const CREDENTIAL: &str = "sk-test-credential-0123456789";

/// A vendor: a simulator of its own behind a provider of the configuration. It stops when dropped.
#[derive(Debug, Clone)]
pub struct Vendor {
    simulator: Arc<RunningSimulator>,
}

impl Vendor {
    /// Its dials.
    pub fn dials(&self) -> DialsHandle {
        self.simulator.dials()
    }

    /// What it has seen.
    pub fn observed(&self) -> Observed {
        self.simulator.observed()
    }

    /// The simulator itself.
    pub fn simulator(&self) -> &RunningSimulator {
        &self.simulator
    }
}

/// What a model costs, in decimal dollars.
#[derive(Debug, Clone, Default)]
pub struct Prices(Vec<(Unit, String)>);

impl Prices {
    /// No price at all.
    pub fn unknown() -> Self {
        Self::default()
    }

    /// Per million tokens of fresh input and of output.
    pub fn per_mtok(input: &str, output: &str) -> Self {
        Self::default().with(Unit::InputTokens, input).with(Unit::OutputTokens, output)
    }

    /// And per million of another unit.
    #[must_use]
    pub fn with(mut self, unit: Unit, usd_per_million: &str) -> Self {
        self.0.push((unit, usd_per_million.to_owned()));
        self
    }

    fn card(&self) -> anyhow::Result<Option<PriceCard>> {
        let units = self
            .0
            .iter()
            .map(|(unit, usd)| Ok((*unit, usd_per_million(usd)?)))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let card = PriceCard::of_tokens(Timestamp::from_micros(0), units);
        Ok((!card.units.is_empty()).then_some(card))
    }
}

impl TestApp {
    /// Applies writes as one change and has them in force.
    pub async fn write(&self, writes: Vec<ConfigWrite>) -> anyhow::Result<()> {
        let change = Change {
            id: ChangeId::generate(),
            at: self.engine.control.now(),
            actor: "test".to_owned(),
            source: "cli".to_owned(),
            kind: ChangeKind::Setting,
            subject: "test".to_owned(),
            sentence: "Arranged a test".to_owned(),
            before: None,
            after: None,
            reason: None,
            approval: None,
        };
        self.engine.control.write(vec![ConfigEdit { writes, change }]).await?;
        self.engine.reload().await?;
        Ok(())
    }

    /// Adds an OpenAI-compatible vendor.
    pub async fn add_openai(&self, name: &str) -> anyhow::Result<Vendor> {
        self.add_vendor(name, ProviderKind::Openai, Dials::default()).await
    }

    /// Adds an Anthropic vendor.
    pub async fn add_anthropic(&self, name: &str) -> anyhow::Result<Vendor> {
        self.add_vendor(name, ProviderKind::Anthropic, Dials::default()).await
    }

    /// Adds a vendor of a kind, with a simulator of its own under `dials`. Its credential is [`CREDENTIAL`], sealed.
    pub async fn add_vendor(&self, name: &str, kind: ProviderKind, dials: Dials) -> anyhow::Result<Vendor> {
        let simulator = Arc::new(Simulator::bind_ephemeral(dials).await?);
        let base_url = match kind {
            ProviderKind::Anthropic => simulator.base_url_anthropic(),
            ProviderKind::Gemini => simulator.base_url_gemini(),
            _ => simulator.base_url_openai(),
        };
        self.add_provider(name, kind, &base_url).await?;
        Ok(Vendor { simulator })
    }

    /// Adds a provider anywhere, e.g. where nothing listens. Its credential is [`CREDENTIAL`], sealed.
    pub async fn add_provider(&self, name: &str, kind: ProviderKind, base_url: &str) -> anyhow::Result<()> {
        let hint = format!("…{}", &CREDENTIAL[CREDENTIAL.len() - 4..]);
        let provider = Provider {
            auth: signalbox_core::provider::Auth::default(),
            max_concurrent: None,
            name: ProviderName::new(name)?,
            kind,
            base_url: base_url.parse()?,
            enabled: true,
            credential: CredentialSource::Stored { hint, set_at: self.engine.control.now() },
            version: 1,
        };
        self.engine.control.store_credential(&provider, SecretString::from(CREDENTIAL)).await?;
        self.write(vec![ConfigWrite::PutProvider { provider, base_version: None }]).await
    }

    /// Adds a chat model, e.g. `alpha/gpt-test`.
    pub async fn add_model(&self, target: &str, prices: Prices) -> anyhow::Result<()> {
        let target: Target = target.parse()?;
        let model = Model {
            quality: None,
            provider: target.provider.clone(),
            name: target.model.clone(),
            capabilities: vec![Capability::Chat, Capability::Vision],
            context_window: None,
            max_output: None,
        };
        let mut writes = vec![ConfigWrite::PutModel { model }];
        writes.extend(prices.card()?.map(|card| ConfigWrite::PutPriceCard { target, card }));
        self.write(writes).await
    }

    /// Sends an operation's requests to these targets, in this order.
    pub async fn set_route(&self, operation: &str, targets: &[&str]) -> anyhow::Result<()> {
        let targets = targets
            .iter()
            .map(|text| {
                Ok(RouteTarget {
                    weight: 1,
                    timeout_ms: None,
                    max_output: None,
                    target: text.parse()?,
                    enabled: true,
                })
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        self.edit_operation(operation, |entry| entry.route.targets = targets).await
    }

    /// Switches an operation on or off.
    pub async fn set_enabled(&self, operation: &str, enabled: bool) -> anyhow::Result<()> {
        self.edit_operation(operation, |entry| entry.operation.enabled = enabled).await
    }

    async fn edit_operation(
        &self,
        operation: &str,
        edit: impl FnOnce(&mut OperationEntry),
    ) -> anyhow::Result<()> {
        let live = self.engine.live();
        let known = live.snapshot.operations.get(operation);
        let mut entry = known.with_context(|| format!("no operation {operation}"))?.clone();
        let base_version = Some(entry.route.version);
        edit(&mut entry);
        entry.route.version += 1;
        let OperationEntry { operation, route } = entry;
        self.write(vec![ConfigWrite::PutOperation { operation, route, base_version }]).await
    }

    /// Stores prompts and answers from now on.
    pub async fn log_payloads(&self) -> anyhow::Result<()> {
        let toggle = Toggle::LogPayloads.settable()?;
        let edit = ToggleEdit { toggle, operation: None, enabled: Some(true) };
        self.write(vec![ConfigWrite::PutToggle(edit)]).await
    }

    /// A new API key for these operations; for every one when there are none.
    pub async fn create_key(&self, operations: &[&str]) -> anyhow::Result<String> {
        let secret = api_key::generate()?;
        let secret = secret.expose_secret();
        let key = ApiKey {
            operations: operations.iter().map(|id| OperationId::new(id)).collect::<Result<_, _>>()?,
            ..ApiKey::new("test", &api_key::last4(secret), self.engine.control.now())
        };
        let hash = self.engine.control.key_hasher().await?.hash(secret);
        self.write(vec![ConfigWrite::InsertKey { key, hash }]).await?;
        Ok(secret.to_owned())
    }
}
