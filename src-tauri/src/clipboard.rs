//! The clipboard, so that keys pass between it and the backend without the page seeing them.

use std::sync::{Mutex, PoisonError};

use signalbox_app::dto::SecretInput;
use signalbox_app::{AppError, Code};

/// Opened on first use and kept: on X11 the text is served by whoever copied it.
#[derive(Default)]
pub struct Clipboard(Mutex<Option<arboard::Clipboard>>);

impl std::fmt::Debug for Clipboard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clipboard(…)")
    }
}

impl Clipboard {
    /// Puts text on it. Blocks for a moment.
    pub fn copy(&self, text: &str) -> Result<(), arboard::Error> {
        self.with(|clipboard| clipboard.set_text(text))
    }

    /// The secret on it.
    ///
    /// Errors: [`Code::Refused`] when there is no text on it.
    pub fn secret(&self) -> Result<SecretInput, AppError> {
        let empty = |_| {
            AppError::new(Code::Refused, "There is no text on the clipboard. Copy the key first, then paste.")
        };
        self.with(arboard::Clipboard::get_text).map(SecretInput::new).map_err(empty)
    }

    /// Takes a secret off it that has been taken over.
    pub fn wipe(&self) {
        if let Err(error) = self.with(arboard::Clipboard::clear) {
            tracing::debug!(%error, "the clipboard could not be cleared");
        }
    }

    fn with<T>(
        &self,
        work: impl FnOnce(&mut arboard::Clipboard) -> Result<T, arboard::Error>,
    ) -> Result<T, arboard::Error> {
        let mut opened = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let clipboard = match opened.take() {
            Some(clipboard) => opened.insert(clipboard),
            None => opened.insert(arboard::Clipboard::new()?),
        };
        work(clipboard)
    }
}
