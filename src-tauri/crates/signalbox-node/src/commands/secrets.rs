//! `secrets`: where the master key is, and a passphrase over it.

use std::io::{IsTerminal, stdin};

use secrecy::SecretString;
use signalbox_app::dto::SecretInput;
use signalbox_app::secrets;
use signalbox_engine::control::Control;
use signalbox_engine::secrets::{PASSPHRASE_VARIABLE, SecretsError};

use super::Desk;
use crate::cli::Secrets;
use crate::failure::{Exit, Failure};
use crate::input::{read_hidden, read_secret};
use crate::output::{print, remark};

/// How often a mistyped passphrase is asked for again.
const TRIES: u32 = 3;

pub async fn run(desk: Desk, command: Secrets) -> Result<Exit, Failure> {
    match command {
        Secrets::Status => {
            let place = secrets::master_key_place(&desk.app, &desk.caller).await?;
            let sealed =
                desk.app.control().awaits_passphrase().await.map_err(signalbox_app::AppError::from)?;
            let state = if sealed { "sealed" } else { "open" };
            match place {
                Some(place) => print(&format!("Master key: {place}. Secrets are {state} here."))?,
                None => print("There are no secrets yet.")?,
            }
        }
        Secrets::Protect => {
            let passphrase = if stdin().is_terminal() { typed_twice()? } else { read_secret()? };
            secrets::protect(&desk.app, &desk.caller, passphrase).await?;
            print(&format!(
                "The secrets are under the passphrase. `serve` asks for it on a terminal, or takes it from {PASSPHRASE_VARIABLE}."
            ))?;
        }
    }
    Ok(Exit::Ok)
}

/// Asks the person at the terminal for the passphrase if the secrets wait for one and nothing else can give it. Says
/// whether that opened them.
pub async fn unseal_at_terminal(control: &Control) -> Result<bool, Failure> {
    let awaits = control.awaits_passphrase().await.unwrap_or(false);
    if !awaits || std::env::var_os(PASSPHRASE_VARIABLE).is_some() || !stdin().is_terminal() {
        return Ok(false);
    }
    for _ in 0..TRIES {
        let passphrase = read_hidden("Passphrase of the secrets (nothing: go on sealed): ")?;
        if passphrase.is_empty() {
            break;
        }
        match control.unseal(SecretString::from(passphrase)).await {
            Ok(()) => return Ok(true),
            Err(SecretsError::WrongPassphrase) => remark("That is not it."),
            Err(error) => return Err(signalbox_app::AppError::from(error).into()),
        }
    }
    remark("The secrets stay sealed: reading works, serving does not.");
    Ok(false)
}

fn typed_twice() -> Result<SecretInput, Failure> {
    let first = read_hidden("New passphrase: ")?;
    if first != read_hidden("Once more: ")? {
        return Err(Failure::new(Exit::Usage, "The two are not the same."));
    }
    Ok(SecretInput::new(first))
}
