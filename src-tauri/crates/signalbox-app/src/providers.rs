//! Providers: accounts at vendors and servers.

use signalbox_core::change::{Change, ChangeKind};
use signalbox_core::decide::Rejection;
use signalbox_core::ids::ProviderName;
use signalbox_core::key::ApiKey;
use signalbox_core::provider::{CredentialSource, Model, Provider, ProviderKind, check_base_url};
use signalbox_core::route::Target;
use signalbox_core::snapshot::{ModelEntry, ProviderEntry, Snapshot};
use signalbox_engine::check::{CheckFailure, Checked, check_alone};
use signalbox_store::{ConfigWrite, GroupBy};
use url::Url;

use crate::app::{App, Caller, Role, json, sentence};
use crate::error::{AppError, Code};
use crate::models::ModelState;
use crate::overview::{Traffics, last_24h};
use crate::{auth, credential, dto, view};

/// All providers with models, readiness and the traffic of the last 24 hours.
pub async fn list(app: &App, caller: &Caller) -> Result<Vec<dto::Provider>, AppError> {
    caller.must_be(Role::Viewer)?;
    let live = app.live().await?;
    let traffic = last_24h(app, GroupBy::Provider, None).await?;
    let entries = live.snapshot.providers.values();
    let mut providers: Vec<_> = entries.map(|entry| shown(app, &live.snapshot, entry, &traffic)).collect();
    providers.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(providers)
}

/// Well-known providers to choose from.
pub fn presets(app: &App, caller: &Caller) -> Result<Vec<dto::ProviderPreset>, AppError> {
    caller.must_be(Role::Viewer)?;
    let catalogue = app.catalogue();
    let callable = catalogue.providers.iter().filter(|preset| preset.kind.has_adapter());
    Ok(callable
        .map(|preset| dto::ProviderPreset {
            name: preset.name.to_string(),
            label: preset.label.clone(),
            kind: preset.kind.as_str().to_owned(),
            base_url: preset.base_url.to_string(),
            needs_credential: preset.needs_credential,
            auth: auth::shown(&preset.auth),
            hint: preset.hint.clone(),
            catalogue_models: u32::try_from(catalogue.models_of(preset.name.as_str()).count())
                .unwrap_or(u32::MAX),
        })
        .collect())
}

/// Adds a provider; of a well-known one, its priced models too.
pub async fn add(app: &App, caller: &Caller, input: dto::ProviderInput) -> Result<dto::Provider, AppError> {
    add_with(app, caller, input, None).await
}

/// Adds a provider whose credential is read from an environment variable of the node, if one is named.
pub async fn add_with(
    app: &App,
    caller: &Caller,
    input: dto::ProviderInput,
    credential_variable: Option<String>,
) -> Result<dto::Provider, AppError> {
    caller.must_be(Role::Admin)?;
    let name = ProviderName::new(input.name.trim())
        .map_err(|error| AppError::invalid("name", format!("{error}.")))?;
    let base_url = base_url(&input.base_url)?;
    let provider = Provider {
        kind: kind(&input.kind)?,
        credential: first_credential(&base_url, credential_variable)?,
        auth: match input.auth {
            Some(given) => auth::parse(given)?,
            None => {
                app.catalogue().preset(name.as_str()).map(|preset| preset.auth.clone()).unwrap_or_default()
            }
        },
        max_concurrent: None,
        name: name.clone(),
        base_url,
        enabled: true,
        version: 1,
    };
    let models = models_from_catalogue(app, &provider);
    let count = models.len();
    let mut writes = vec![ConfigWrite::PutProvider { provider: provider.clone(), base_version: None }];
    for entry in models {
        let target = Target { provider: name.clone(), model: entry.model.name.clone() };
        writes.push(ConfigWrite::PutModel { model: entry.model });
        let cards = entry.cards.into_iter();
        writes.extend(cards.map(|card| ConfigWrite::PutPriceCard { target: target.clone(), card }));
    }
    let host = provider.base_url.host_str().unwrap_or_default();
    let change = Change {
        after: Some(json(&provider)?),
        ..app.change(
            caller,
            ChangeKind::Provider,
            name.as_str(),
            format!("{name} is added at {host} with {count} models"),
        )
    };
    app.commit(writes, change).await?;
    find(app, caller, name.as_str()).await
}

/// Changes where a provider is or whether it is on. A new origin forgets the credential: a key is bound to its origin.
pub async fn update(
    app: &App,
    caller: &Caller,
    patch: dto::ProviderPatch,
) -> Result<dto::Provider, AppError> {
    caller.must_be(Role::Admin)?;
    let live = app.live().await?;
    let before = known(&live.snapshot, &patch.name)?;
    let mut after = Provider { version: patch.base_version.saturating_add(1), ..before.clone() };
    let mut sentences = Vec::new();
    if let Some(enabled) = patch.enabled.filter(|enabled| *enabled != before.enabled) {
        after.enabled = enabled;
        sentences.push(format!("{} is switched {}", before.name, if enabled { "on" } else { "off" }));
    }
    let mut forgets = false;
    if let Some(text) = patch.base_url {
        refuse_builtin(before, "moved")?;
        let url = base_url(&text)?;
        if url != before.base_url {
            forgets = url.origin() != before.base_url.origin();
            sentences.push(format!("{} moves to {url}", before.name));
            after.base_url = url;
        }
    }
    if let Some(given) = patch.auth {
        refuse_builtin(before, "given another way in")?;
        let given = auth::parse(given)?;
        if given != before.auth {
            // A secret is bound to where it is sent.
            forgets = forgets || auth::token_origin(&given) != auth::token_origin(&before.auth);
            sentences.push(format!("{}'s credential travels another way", before.name));
            after.auth = given;
        }
    }
    let max_concurrent = patch.max_concurrent.map(|most| Some(most).filter(|most| *most > 0));
    if let Some(most) = max_concurrent.filter(|most| *most != before.max_concurrent) {
        sentences.push(most.map_or_else(
            || format!("{} has no limit of calls at once", before.name),
            |most| format!("{} gets at most {most} calls at once", before.name),
        ));
        after.max_concurrent = most;
    }
    if forgets
        && matches!(before.credential, CredentialSource::Stored { .. } | CredentialSource::Environment { .. })
    {
        after.credential = CredentialSource::Missing;
        sentences.push("its credential is removed".to_owned());
    }
    if !sentences.is_empty() {
        put(app, caller, ChangeKind::Provider, before, after, sentences.join("; ")).await?;
        if forgets {
            app.control().forget_credential(&before.name).await?;
        }
    }
    find(app, caller, &patch.name).await
}

/// Removes a provider with its credential, and those that owners of keys brought for it.
///
/// Errors: [`Code::Refused`] while a route uses it or when it is the built-in one.
pub async fn remove(app: &App, caller: &Caller, name: &str) -> Result<(), AppError> {
    caller.must_be(Role::Admin)?;
    let live = app.live().await?;
    let before = known(&live.snapshot, name)?;
    refuse_builtin(before, "removed")?;
    let mut users: Vec<&str> = live
        .snapshot
        .operations
        .values()
        .filter(|entry| entry.route.targets.iter().any(|card| card.target.provider == before.name))
        .map(|entry| entry.operation.id.as_str())
        .collect();
    users.sort_unstable();
    if !users.is_empty() {
        let message =
            format!("{name} is still in the routes of {}. Take it out of them first.", users.join(", "));
        return Err(AppError::new(Code::Refused, message));
    }
    let own = || live.snapshot.models.iter().filter(|(target, _)| target.provider == before.name);
    let mut keys: Vec<ApiKey> =
        live.snapshot.keys.values().filter(|key| key.has_own_credential(&before.name)).cloned().collect();
    keys.sort_unstable_by(|left, right| left.name.cmp(&right.name));
    let removed = RemovedProvider {
        provider: before.clone(),
        models: own().map(|(_, entry)| ModelState::from(entry)).collect(),
        keys,
    };
    let change = Change {
        before: Some(json(&removed)?),
        ..app.change(caller, ChangeKind::Provider, name, removed.in_words())
    };
    let mut writes: Vec<_> =
        own().map(|(target, _)| ConfigWrite::RemoveModel { target: target.clone() }).collect();
    writes.extend(removed.keys_without_it().map(|key| ConfigWrite::PutKey { key }));
    writes.push(ConfigWrite::RemoveProvider { name: before.name.clone(), base_version: before.version });
    app.commit(writes, change).await?;
    app.control().forget_credential(&before.name).await?;
    for key in &removed.keys {
        app.control().forget_own_credentials(key.id, [&before.name]).await?;
    }
    Ok(())
}

/// What the history keeps of a provider that is removed: enough to bring it back with its prices.
#[derive(serde::Serialize, serde::Deserialize)]
pub(crate) struct RemovedProvider {
    #[serde(flatten)]
    pub(crate) provider: Provider,
    #[serde(default)]
    pub(crate) models: Vec<ModelState>,
    /// The keys that brought a credential of their own for it, as they were.
    #[serde(default)]
    pub(crate) keys: Vec<ApiKey>,
}

impl RemovedProvider {
    /// The keys as they are without it.
    pub(crate) fn keys_without_it(&self) -> impl Iterator<Item = ApiKey> {
        self.keys.iter().cloned().map(|mut key| {
            key.own_credentials.remove(&self.provider.name);
            key
        })
    }

    fn in_words(&self) -> String {
        let name = &self.provider.name;
        if self.keys.is_empty() {
            return format!("{name} is removed");
        }
        let keys: Vec<&str> = self.keys.iter().map(|key| key.name.as_str()).collect();
        format!(
            "{name} is removed, and the credentials that keys brought of their own for it: {}",
            keys.join(", ")
        )
    }
}

/// Seals a provider's credential. It is never shown again.
pub async fn set_credential(
    app: &App,
    caller: &Caller,
    name: &str,
    secret: dto::SecretInput,
) -> Result<dto::Provider, AppError> {
    caller.must_be(Role::Admin)?;
    let live = app.live().await?;
    let before = known(&live.snapshot, name)?;
    refuse_builtin(before, "given a credential")?;
    let given = credential::given(secret)?;
    let old = match before.credential {
        CredentialSource::Stored { .. } => app.control().credential(before).await.ok().flatten(),
        _ => None,
    };
    app.control().store_credential(before, given.secret).await?;
    let credential = CredentialSource::Stored { hint: given.hint, set_at: app.now() };
    let after = Provider { credential, version: before.version.saturating_add(1), ..before.clone() };
    let sentence = format!("{name} has a new credential");
    if let Err(refused) = put(app, caller, ChangeKind::Credential, before, after, sentence).await {
        // The vault is no part of the transaction: what it held before goes back.
        match old {
            Some(old) => app.control().store_credential(before, old).await?,
            None => app.control().forget_credential(&before.name).await?,
        }
        return Err(refused);
    }
    find(app, caller, name).await
}

/// Forgets a provider's credential.
pub async fn clear_credential(app: &App, caller: &Caller, name: &str) -> Result<dto::Provider, AppError> {
    caller.must_be(Role::Admin)?;
    let live = app.live().await?;
    let before = known(&live.snapshot, name)?;
    if matches!(before.credential, CredentialSource::Stored { .. } | CredentialSource::Environment { .. }) {
        let credential = CredentialSource::Missing;
        let after = Provider { credential, version: before.version.saturating_add(1), ..before.clone() };
        put(app, caller, ChangeKind::Credential, before, after, format!("{name} no longer has a credential"))
            .await?;
        app.control().forget_credential(&before.name).await?;
    }
    find(app, caller, name).await
}

/// Asks the provider for its models: free, and proof that address and credential work.
pub async fn verify(app: &App, caller: &Caller, name: &str) -> Result<dto::CheckResult, AppError> {
    caller.must_be(Role::Operator)?;
    let live = app.live().await?;
    let provider = known(&live.snapshot, name)?;
    let checked = match app.engine() {
        // A running engine learns from it, too: a credential that is taken again closes what its refusal opened.
        Some(engine) => {
            let probed = engine.probe(&provider.name).await?;
            probed.ok_or_else(|| AppError::not_found("provider", name))?
        }
        None => check_alone(app.control(), provider).await?,
    };
    let result = check_result(app, name, &checked);
    app.remember_check(&provider.name, result.clone());
    Ok(result)
}

/// The provider of that name.
pub async fn find(app: &App, caller: &Caller, name: &str) -> Result<dto::Provider, AppError> {
    let providers = list(app, caller).await?;
    providers
        .into_iter()
        .find(|known| known.name == name)
        .ok_or_else(|| AppError::not_found("provider", name))
}

async fn put(
    app: &App,
    caller: &Caller,
    kind: ChangeKind,
    before: &Provider,
    after: Provider,
    sentence: String,
) -> Result<(), AppError> {
    let change = Change {
        before: Some(json(before)?),
        after: Some(json(&after)?),
        ..app.change(caller, kind, before.name.as_str(), sentence)
    };
    let base_version = Some(after.version.saturating_sub(1));
    app.commit(vec![ConfigWrite::PutProvider { provider: after, base_version }], change).await?;
    Ok(())
}

pub(crate) fn known<'a>(snapshot: &'a Snapshot, name: &str) -> Result<&'a Provider, AppError> {
    let entry = ProviderName::new(name).ok().and_then(|name| snapshot.providers.get(&name));
    entry.map(|entry| &entry.provider).ok_or_else(|| AppError::not_found("provider", name))
}

pub(crate) fn refuse_builtin(provider: &Provider, verb: &str) -> Result<(), AppError> {
    if provider.kind == ProviderKind::Simulator {
        return Err(AppError::new(Code::Refused, format!("The built-in simulator cannot be {verb}.")));
    }
    Ok(())
}

fn kind(word: &str) -> Result<ProviderKind, AppError> {
    let kind =
        ProviderKind::from_word(word).filter(|kind| kind.has_adapter() && *kind != ProviderKind::Simulator);
    kind.ok_or_else(|| {
        let kinds: Vec<&str> = ProviderKind::ALL
            .iter()
            .filter(|kind| kind.has_adapter() && **kind != ProviderKind::Simulator)
            .map(|kind| kind.as_str())
            .collect();
        let message = format!("`{word:.40}` is not a kind of provider: {}.", kinds.join(", "));
        AppError::invalid("kind", message)
    })
}

fn base_url(text: &str) -> Result<Url, AppError> {
    check_base_url(text).map_err(|error| AppError::invalid("base_url", sentence(&error.to_string())))
}

/// A server on this machine rarely asks for a key; one can still be given.
fn first_credential(base_url: &Url, variable: Option<String>) -> Result<CredentialSource, AppError> {
    match variable {
        Some(variable) => {
            let is_name = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            if variable.is_empty() || !is_name(&variable) {
                return Err(AppError::invalid(
                    "credential_env",
                    "An environment variable has letters, digits and _.",
                ));
            }
            Ok(CredentialSource::Environment { variable })
        }
        None if base_url.scheme() == "http" => Ok(CredentialSource::NotNeeded),
        None => Ok(CredentialSource::Missing),
    }
}

/// Models of the well-known provider of that name or, under another name, at that origin.
fn models_from_catalogue(app: &App, provider: &Provider) -> Vec<ModelEntry> {
    let catalogue = app.catalogue();
    let preset = catalogue.preset_of(provider.name.as_str(), &provider.base_url);
    let Some(preset) = preset else { return Vec::new() };
    catalogue
        .models_of(preset.name.as_str())
        .map(|entry| ModelEntry {
            model: Model { provider: provider.name.clone(), ..entry.model.clone() },
            cards: entry.cards.clone(),
            breach: None,
        })
        .collect()
}

fn check_result(app: &App, name: &str, checked: &Checked) -> dto::CheckResult {
    let (ok, code, message, models_found) = match &checked.models {
        Ok(models) => {
            let found = models.len();
            (true, "ok".to_owned(), format!("{name} answers and lists {found} models."), found)
        }
        Err(failure) => {
            let code = match failure {
                CheckFailure::NoCredential => "no_credential",
                CheckFailure::SimulatorOff => "simulator_off",
                CheckFailure::NoAdapter => "no_adapter",
                CheckFailure::Stopped => "kill_switch",
                CheckFailure::Call { kind, .. } => kind.as_str(),
            };
            (false, code.to_owned(), format!("{name} cannot be used: {}", sentence(&failure.to_string())), 0)
        }
    };
    dto::CheckResult {
        ok,
        message,
        code,
        models_found: u32::try_from(models_found).unwrap_or(u32::MAX),
        latency_ms: checked.latency.as_secs_f64() * 1_000.0,
        at: app.now().into(),
    }
}

fn shown(app: &App, snapshot: &Snapshot, entry: &ProviderEntry, traffic: &Traffics) -> dto::Provider {
    let provider = &entry.provider;
    let now = app.now();
    let own = snapshot.models.values().filter(|model| model.model.provider == provider.name);
    let mut models: Vec<dto::Model> = own.map(|model| view::model(model, now)).collect();
    models.sort_by(|left, right| left.name.cmp(&right.name));
    let base_url = match provider.kind {
        ProviderKind::Simulator => {
            app.engine().and_then(|engine| engine.simulator()).unwrap_or(&provider.base_url)
        }
        _ => &provider.base_url,
    };
    dto::Provider {
        name: provider.name.to_string(),
        kind: provider.kind.as_str().to_owned(),
        base_url: base_url.to_string(),
        enabled: provider.enabled,
        builtin: provider.kind == ProviderKind::Simulator,
        credential: shown_credential(provider, entry.credential_ready),
        auth: auth::shown(&provider.auth),
        max_concurrent: provider.max_concurrent,
        ready: provider_ready(entry),
        last_check: app.last_check(&provider.name),
        models,
        last_24h: traffic.of(provider.name.as_str()),
        version: provider.version,
    }
}

fn provider_ready(entry: &ProviderEntry) -> dto::Readiness {
    let reason = if !entry.provider.enabled {
        Some(Rejection::ProviderDisabled)
    } else if !entry.provider.kind.has_adapter() {
        Some(Rejection::NoAdapter)
    } else if entry.credential_ready {
        None
    } else {
        Some(Rejection::NoCredential)
    };
    reason.map_or_else(view::is_ready, view::not_ready)
}

fn shown_credential(provider: &Provider, ready: bool) -> dto::Credential {
    let missing =
        dto::Credential { state: dto::CredentialState::Missing, hint: None, env_var: None, set_at: None };
    match &provider.credential {
        CredentialSource::NotNeeded => dto::Credential { state: dto::CredentialState::NotNeeded, ..missing },
        CredentialSource::Missing => missing,
        CredentialSource::Stored { hint, set_at } => dto::Credential {
            state: if ready { dto::CredentialState::Set } else { dto::CredentialState::Missing },
            hint: Some(hint.clone()),
            set_at: Some((*set_at).into()),
            ..missing
        },
        CredentialSource::Environment { variable } => dto::Credential {
            state: if ready { dto::CredentialState::Set } else { dto::CredentialState::Missing },
            env_var: Some(variable.clone()),
            ..missing
        },
    }
}
