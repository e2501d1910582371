//! `providers`: add, give a credential, list.

use signalbox_app::dto::{Auth, CredentialState, Provider, ProviderInput, SecretInput};
use signalbox_app::providers;

use super::{Desk, secrets};
use crate::cli::Providers;
use crate::failure::{Exit, Failure};
use crate::input::read_secret;
use crate::output::{Table, print, print_json, remark, yes_no};

pub async fn run(desk: Desk, command: Providers) -> Result<Exit, Failure> {
    if !matches!(command, Providers::List(_)) {
        secrets::unseal_at_terminal(desk.app.control()).await?;
    }
    match command {
        Providers::Add {
            kind,
            name,
            base_url,
            credential_env,
            credential_stdin,
            auth_header,
            token_url,
            client_id,
            scope,
        } => {
            let auth = match (auth_header, token_url, client_id) {
                (Some(name), _, _) => Some(Auth::Header { name }),
                (None, Some(token_url), Some(client_id)) => {
                    Some(Auth::ClientCredentials { token_url, client_id, scope })
                }
                _ => None,
            };
            let input = ProviderInput { name, kind, base_url, auth };
            // Read first: a provider without its credential is not what was asked for.
            let secret = credential_stdin.then(read_secret).transpose()?;
            add(&desk, input, credential_env, secret).await
        }
        Providers::Credential { name } => {
            providers::find(&desk.app, &desk.caller, &name).await?;
            let provider = providers::set_credential(&desk.app, &desk.caller, &name, read_secret()?).await?;
            print(&format!("{name} has its credential ({}).", credential(&provider)))?;
            Ok(Exit::Ok)
        }
        Providers::List(form) => list(&desk, form.json).await,
    }
}

async fn add(
    desk: &Desk,
    input: ProviderInput,
    variable: Option<String>,
    secret: Option<SecretInput>,
) -> Result<Exit, Failure> {
    let unset =
        variable.as_deref().filter(|variable| std::env::var_os(variable).is_none()).map(str::to_owned);
    let mut provider = providers::add_with(&desk.app, &desk.caller, input, variable).await?;
    if let Some(secret) = secret {
        provider = providers::set_credential(&desk.app, &desk.caller, &provider.name, secret).await?;
    }
    if let Some(variable) = unset {
        remark(&format!("note: {variable} is not set here; it has to be where `signalbox-node serve` runs."));
    }
    print(&format!(
        "{} is added at {} with {} models; credential: {}.",
        provider.name,
        provider.base_url,
        provider.models.len(),
        credential(&provider)
    ))?;
    Ok(Exit::Ok)
}

async fn list(desk: &Desk, json: bool) -> Result<Exit, Failure> {
    let providers = providers::list(&desk.app, &desk.caller).await?;
    if json {
        print_json(&providers)?;
        return Ok(Exit::Ok);
    }
    let mut table = Table::new(&["NAME", "KIND", "ENABLED", "CREDENTIAL", ">MODELS", "BASE URL"]);
    for provider in providers {
        table.row([
            provider.name.clone(),
            provider.kind.clone(),
            yes_no(provider.enabled),
            credential(&provider),
            provider.models.len().to_string(),
            if provider.builtin { "built in".to_owned() } else { provider.base_url },
        ]);
    }
    print(&table.text())?;
    Ok(Exit::Ok)
}

fn credential(provider: &Provider) -> String {
    let credential = &provider.credential;
    match (&credential.env_var, credential.state) {
        (Some(variable), _) => format!("${variable}"),
        (None, CredentialState::NotNeeded) => "not needed".to_owned(),
        (None, CredentialState::Missing) => "missing".to_owned(),
        (None, CredentialState::Set) => credential.hint.clone().unwrap_or_else(|| "set".to_owned()),
    }
}
