//! The HTTP client that all providers share.

use signalbox_core::failure::FailureKind;

use crate::call::{Account, CallError, ChatAnswer, ChatCall};
use crate::stream::ChatStream;

/// No HTTP client could be made, e.g. because the system's certificates cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ProvidersError {
    /// The TLS or HTTP set-up failed.
    #[error("the HTTP client could not be set up")]
    Client(#[source] reqwest::Error),
}

/// One HTTP client for all providers. Cheap to clone; connections are kept and shared.
#[derive(Debug, Clone)]
pub struct Providers {
    http: reqwest::Client,
}

impl Providers {
    /// Sets the client up; no connection is made.
    pub fn new() -> Result<Self, ProvidersError> {
        let http = reqwest::Client::builder().build().map_err(ProvidersError::Client)?;
        Ok(Self { http })
    }

    /// Makes a call and waits for its complete answer.
    pub async fn complete(&self, account: &Account, call: &ChatCall) -> Result<ChatAnswer, CallError> {
        let _ = (&self.http, call);
        std::future::ready(Err(unfinished(account))).await
    }

    /// Makes a call and gives its answer as it is made. Resolves when the headers of a good answer have arrived.
    pub async fn stream(&self, account: &Account, call: &ChatCall) -> Result<ChatStream, CallError> {
        let _ = call;
        std::future::ready(Err(unfinished(account))).await
    }

    /// The names of the provider's models: a check of URL and credential that costs nothing.
    pub async fn list_models(&self, account: &Account) -> Result<Vec<String>, CallError> {
        std::future::ready(Err(unfinished(account))).await
    }
}

fn unfinished(account: &Account) -> CallError {
    CallError {
        kind: FailureKind::ServerError,
        http_status: None,
        message: format!("{} has no adapter yet", account.name),
        retry_after: None,
        metering: None,
    }
}
