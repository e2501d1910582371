//! An answer that is kept, to be given again.

use std::borrow::Cow;

use bytes::{Bytes, BytesMut};
use signalbox_core::ids::{OperationId, RequestId};
use signalbox_core::money::NanoUsd;
use signalbox_core::route::Target;
use tokio::sync::mpsc;

use super::{Answer, AnswerMeta, CacheUse};

/// Longest answer that is kept.
pub(crate) const KEPT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The media type that marks a kept answer as a stream.
pub(crate) const STREAM: &str = "text/event-stream";

/// An answer that was given whole, and what is known about it.
#[derive(Debug, Clone)]
pub(crate) struct KeptAnswer {
    /// The request whose answer it was.
    pub request: RequestId,
    pub operation: OperationId,
    pub target: Target,
    pub attempts: u32,
    /// What it cost; `None` when unpriced.
    pub cost: Option<NanoUsd>,
    pub simulated: bool,
    /// The media type of `body`; [`STREAM`] when it is to be given as one.
    pub content_type: Cow<'static, str>,
    pub body: Bytes,
}

impl KeptAnswer {
    /// The first answer again, to the same request sent again.
    pub fn replayed(&self) -> Answer {
        self.as_answer(AnswerMeta {
            request: self.request,
            operation: self.operation.clone(),
            target: self.target.clone(),
            attempts: self.attempts,
            cost: self.cost,
            simulated: self.simulated,
            cache: CacheUse::Off,
            replayed: true,
        })
    }

    /// In the form it was given in, with `meta` about it.
    pub fn as_answer(&self, meta: AnswerMeta) -> Answer {
        if self.content_type != STREAM {
            let (content_type, body) = (self.content_type.clone(), self.body.clone());
            return Answer::Complete { meta, content_type, body };
        }
        let (to_client, frames) = mpsc::channel(1);
        // The receiver is right here and its channel empty.
        let _ = to_client.try_send(self.body.clone());
        Answer::Stream { meta, frames }
    }

    /// What it takes in memory.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.body.len()
    }
}

/// Gathers a stream as it goes out, as long as it is short enough to be kept.
#[derive(Debug, Default)]
pub(crate) struct Gathered(Option<BytesMut>);

impl Gathered {
    /// Gathers if there is a use for it.
    pub fn begin(wanted: bool) -> Self {
        Self(wanted.then(BytesMut::new))
    }

    pub fn take(&mut self, bytes: &Bytes) {
        match &mut self.0 {
            Some(gathered) if gathered.len() + bytes.len() <= KEPT_BYTES_MAX => {
                gathered.extend_from_slice(bytes);
            }
            _ => self.0 = None,
        }
    }

    /// All of it; `None` when it was too long or nobody wants it.
    pub fn finish(self) -> Option<Bytes> {
        self.0.map(BytesMut::freeze)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(content_type: &'static str) -> KeptAnswer {
        KeptAnswer {
            request: RequestId::generate(),
            operation: OperationId::new("chat_message").unwrap(),
            target: "a/b".parse().unwrap(),
            attempts: 2,
            cost: Some(NanoUsd::from_nanos(5)),
            simulated: false,
            content_type: Cow::Borrowed(content_type),
            body: Bytes::from_static(b"data: 1\n\n"),
        }
    }

    #[tokio::test]
    async fn a_kept_stream_is_given_as_a_stream_that_ends() {
        let kept = kept(STREAM);
        let Answer::Stream { meta, mut frames } = kept.replayed() else { panic!("not a stream") };
        assert_eq!((meta.request, meta.replayed, meta.cost), (kept.request, true, kept.cost));
        assert_eq!(frames.recv().await, Some(kept.body));
        assert_eq!(frames.recv().await, None);
    }

    #[test]
    fn what_is_too_long_is_not_kept() {
        let mut gathered = Gathered::begin(true);
        let half = Bytes::from(vec![0; KEPT_BYTES_MAX / 2]);
        gathered.take(&half);
        gathered.take(&half);
        gathered.take(&Bytes::from_static(b"x"));
        gathered.take(&Bytes::from_static(b"x"));
        assert_eq!(gathered.finish(), None);
        assert_eq!(Gathered::begin(false).finish(), None);
    }
}
