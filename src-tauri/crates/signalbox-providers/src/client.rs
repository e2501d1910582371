//! The one face of all adapters.

use std::sync::Arc;

use signalbox_core::failure::FailureKind;
use signalbox_core::ledger::Work;

use crate::adapter::Adapter;
use crate::call::{Account, Call, CallAnswer, CallError};
use crate::failure::failed;
use crate::http::{Http, ProvidersError};
use crate::registry::Registry;
use crate::stream::ChatStream;

/// All providers. Cheap to clone; connections, tokens and adapters are shared.
#[derive(Debug, Clone)]
pub struct Providers {
    registry: Arc<Registry>,
}

impl Providers {
    /// With the adapters of this build; no connection is made.
    ///
    /// Errors: [`ProvidersError::Client`].
    pub fn new() -> Result<Self, ProvidersError> {
        let http = Http::new()?;
        Ok(Self { registry: Arc::new(Registry::with_builtin(&http)) })
    }

    /// The adapters, to look at or to change.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Makes a call of any surface and waits for its complete answer.
    ///
    /// Errors: [`CallError`], with what was used if the provider had begun to answer.
    pub async fn complete(&self, account: &Account, call: &Call) -> Result<CallAnswer, CallError> {
        let adapter = self.adapter(account)?;
        let work = call.surface.work();
        match work {
            Work::Chat => match adapter.chat() {
                Some(chat) => chat.complete(account, call).await,
                None => Err(no_such_work(account, work)),
            },
            Work::Embedding => match adapter.embedding() {
                Some(embedding) => embedding.embed(account, call).await,
                None => Err(no_such_work(account, work)),
            },
            Work::Transcription => match adapter.transcription() {
                Some(transcription) => transcription.transcribe(account, call).await,
                None => Err(no_such_work(account, work)),
            },
            Work::Speech => match adapter.speech() {
                Some(speech) => speech.speak(account, call).await,
                None => Err(no_such_work(account, work)),
            },
        }
    }

    /// Makes a chat call and gives its answer as it is made. Resolves when the headers of a good answer have arrived.
    ///
    /// Errors: [`CallError`]; nothing has been used then. Only chats are streamed.
    pub async fn stream(&self, account: &Account, call: &Call) -> Result<ChatStream, CallError> {
        let work = call.surface.work();
        if work != Work::Chat {
            return Err(failed(FailureKind::BadRequest, None, "stream: only chats are streamed"));
        }
        match self.adapter(account)?.chat() {
            Some(chat) => chat.stream(account, call).await,
            None => Err(no_such_work(account, work)),
        }
    }

    /// The names of the provider's models: a check of URL and credential that costs nothing.
    ///
    /// Errors: [`CallError`] as for a call.
    pub async fn list_models(&self, account: &Account) -> Result<Vec<String>, CallError> {
        match self.adapter(account)?.models() {
            Some(lister) => lister.list_models(account).await,
            None => {
                Err(failed(FailureKind::ModelNotFound, None, format!("{} lists no models", account.name)))
            }
        }
    }

    fn adapter(&self, account: &Account) -> Result<Arc<dyn Adapter>, CallError> {
        self.registry.get(account.kind.as_str()).ok_or_else(|| {
            let message = format!(
                "there is no adapter for {}, a provider of kind {}",
                account.name,
                account.kind.as_str()
            );
            failed(FailureKind::ModelNotFound, None, message)
        })
    }
}

/// Another target may do it, so the chain goes on.
fn no_such_work(account: &Account, work: Work) -> CallError {
    let what = match work {
        Work::Chat => "holds no chats",
        Work::Embedding => "makes no embeddings",
        Work::Transcription => "transcribes nothing",
        Work::Speech => "does not speak",
    };
    failed(FailureKind::Unsupported, None, format!("{} {what}", account.name))
}
