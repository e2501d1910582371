//! The clipboard, so that keys pass between it and the backend without the page seeing them.

use std::sync::{Mutex, PoisonError};

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

    /// The text on it.
    pub fn text(&self) -> Result<String, arboard::Error> {
        self.with(arboard::Clipboard::get_text)
    }

    /// Takes the text off it.
    pub fn clear(&self) -> Result<(), arboard::Error> {
        self.with(arboard::Clipboard::clear)
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
