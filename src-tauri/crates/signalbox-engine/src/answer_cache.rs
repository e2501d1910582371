//! The answer cache: operations that opt in share the answers to identical questions.
//!
//! A question is identical when all that can change its answer is: surface, operation, route, pinned target, form of the
//! answer and every field of the body but those that say who asks. Nothing is guessed from likeness. Two identical requests
//! at the same time may both be served by a provider; what the second would save is not worth making it wait.
//!
//! The cache is this process's own and gone with it: an answer is worth little more than the call that makes it.

use std::sync::Arc;

use moka::sync::Cache;
use signalbox_core::time::{MICROS_PER_SECOND, Timestamp};

use crate::dispatch::fingerprint::Fingerprint;
use crate::dispatch::kept::{KEPT_BYTES_MAX, KeptAnswer};

/// Bytes of answers that are kept.
const BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Answers by their question.
#[derive(Debug, Clone)]
pub(crate) struct AnswerCache(Cache<Fingerprint, Arc<Cached>>);

#[derive(Debug)]
struct Cached {
    answer: KeptAnswer,
    stored_at: Timestamp,
    until: Timestamp,
}

impl Default for AnswerCache {
    fn default() -> Self {
        let weigh = |_: &Fingerprint, cached: &Arc<Cached>| {
            u32::try_from(cached.answer.bytes() + size_of::<Cached>()).unwrap_or(u32::MAX)
        };
        Self(Cache::builder().weigher(weigh).max_capacity(BYTES_MAX).build())
    }
}

impl AnswerCache {
    /// The answer to a question, unless it is too old.
    pub fn get(&self, question: &Fingerprint, now: Timestamp) -> Option<KeptAnswer> {
        let cached = self.0.get(question)?;
        // An answer that seems to come from the future was stored before the clock was set back; its age is unknown.
        if (cached.stored_at..cached.until).contains(&now) {
            return Some(cached.answer.clone());
        }
        self.0.invalidate(question);
        None
    }

    /// Keeps an answer for so many seconds.
    pub fn put(&self, question: Fingerprint, answer: KeptAnswer, ttl_s: u32, now: Timestamp) {
        if answer.body.len() > KEPT_BYTES_MAX {
            return;
        }
        let until = now.plus_micros(i64::from(ttl_s).saturating_mul(MICROS_PER_SECOND));
        self.0.insert(question, Arc::new(Cached { answer, stored_at: now, until }));
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use signalbox_core::ids::{OperationId, RequestId};

    use super::*;

    fn answer(bytes: usize) -> KeptAnswer {
        KeptAnswer {
            request: RequestId::generate(),
            operation: OperationId::new("chat_message").unwrap(),
            target: "a/b".parse().unwrap(),
            attempts: 1,
            cost: None,
            simulated: false,
            content_type: "application/json".into(),
            body: Bytes::from(vec![0; bytes]),
        }
    }

    const fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * MICROS_PER_SECOND)
    }

    #[test]
    fn an_answer_is_found_until_it_is_too_old_or_the_clock_was_set_back() {
        let cache = AnswerCache::default();
        cache.put([1; 32], answer(9), 60, at(100));
        assert!(cache.get(&[1; 32], at(100)).is_some() && cache.get(&[1; 32], at(159)).is_some());
        assert!(cache.get(&[2; 32], at(100)).is_none());
        assert!(cache.get(&[1; 32], at(160)).is_none());
        cache.put([1; 32], answer(9), 60, at(100));
        assert!(cache.get(&[1; 32], at(99)).is_none());
    }

    #[test]
    fn the_cache_stays_within_its_bytes() {
        let cache = AnswerCache::default();
        cache.put([0; 32], answer(KEPT_BYTES_MAX + 1), 60, at(0));
        assert!(cache.get(&[0; 32], at(0)).is_none());
        for number in 0..40 {
            cache.put([number; 32], answer(KEPT_BYTES_MAX), 60, at(0));
        }
        cache.0.run_pending_tasks();
        assert!(cache.0.weighted_size() <= BYTES_MAX);
    }
}
