//! What a request asks for and may use at most, read from the client's own JSON without converting it.

use serde_json::{Map, Value};
use signalbox_core::ledger::Surface;
use signalbox_core::meter::Bound;

/// A fault of the client's request, and where it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {message}")]
pub struct InvalidRequest {
    /// JSON path of the faulty field, e.g. `messages[2].content`.
    pub path: String,
    /// What is wrong with it.
    pub message: String,
}

/// What a request asks for and may use at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestFeatures {
    /// The most it may use.
    pub bound: Bound,
    /// Whether the model must see images.
    pub has_images: bool,
    /// Whether the answer is to come as it is made.
    pub streamed: bool,
    /// Whether the model may call tools.
    pub has_tools: bool,
}

/// Reads what `body`, a request in the dialect of `surface`, asks for and may use at most.
///
/// Errors: [`InvalidRequest`] for what no provider could serve, with the JSON path.
pub fn inspect(surface: Surface, body: &Map<String, Value>) -> Result<RequestFeatures, InvalidRequest> {
    let _ = (surface, body);
    Err(InvalidRequest { path: "messages".to_owned(), message: "cannot be read yet".to_owned() })
}
