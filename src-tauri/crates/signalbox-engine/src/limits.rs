//! How much may be asked for: requests per minute and at once per key, and at once altogether.
//!
//! What is over a limit is refused before anything is written: a flood of refusals costs the ledger nothing. The counts
//! are this process's own; several nodes on one database each count what they serve.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use governor::clock::Clock as GovernorClock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use signalbox_core::ids::KeyId;
use signalbox_core::key::{ApiKey, KeyLimits};
use signalbox_core::time::{Clock, Timestamp};

use crate::dispatch::{Refusal, RefusalCode};

/// When to come back where no clock says it: a request has to end first.
const COME_BACK: Duration = Duration::from_secs(1);

type Rate = RateLimiter<KeyId, HashMapStateStore<KeyId>, SteadyClock, NoOpMiddleware<Nanos>>;

/// Counts what runs and what has begun lately.
#[derive(Debug)]
pub struct Limits {
    clock: SteadyClock,
    /// One limiter per number of requests a minute; a key whose limit is edited moves to another one.
    rates: RwLock<HashMap<NonZeroU32, Arc<Rate>>>,
    running: Arc<Mutex<Running>>,
}

#[derive(Debug, Default)]
struct Running {
    all: u32,
    by_key: HashMap<KeyId, u32>,
}

/// A request's place among those that run. Dropping it gives the place back.
#[derive(Debug)]
#[must_use = "the place is given back when this is dropped"]
pub struct Place {
    running: Arc<Mutex<Running>>,
    key: Option<KeyId>,
}

impl Limits {
    /// No request has been seen yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock: SteadyClock::new(clock), rates: RwLock::default(), running: Arc::default() }
    }

    /// A place for a request of `key`.
    ///
    /// Errors: [`RefusalCode::Overloaded`], [`RefusalCode::ConcurrencyLimit`] or [`RefusalCode::RateLimitedByKey`], with
    /// the time to wait. A request that is refused for want of a place does not count as one of its minute.
    pub fn enter(&self, key: Option<&ApiKey>, requests_max: u32) -> Result<Place, Refusal> {
        let place = self.place(key, requests_max)?;
        if let Some(key) = key {
            self.begin(key.id, key.limits)?;
        }
        Ok(place)
    }

    /// Forgets keys that have not been used for so long that they have their whole minute again.
    pub fn forget_idle(&self) {
        let mut rates = self.rates.write().unwrap_or_else(PoisonError::into_inner);
        for rate in rates.values() {
            rate.retain_recent();
            rate.shrink_to_fit();
        }
        rates.retain(|_, rate| !rate.is_empty());
    }

    /// Requests that run now.
    pub fn running(&self) -> u32 {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).all
    }

    fn place(&self, key: Option<&ApiKey>, requests_max: u32) -> Result<Place, Refusal> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if running.all >= requests_max {
            let message =
                format!("Signalbox serves {requests_max} requests at once and all of them are under way.");
            return Err(refused(RefusalCode::Overloaded, message, COME_BACK));
        }
        if let Some(key) = key {
            let of_key = running.by_key.get(&key.id).copied().unwrap_or_default();
            if let Some(most) = key.limits.concurrent.filter(|most| of_key >= *most) {
                let message =
                    format!("The API key `{}` may run {most} requests at once, and runs as many.", key.name);
                return Err(refused(RefusalCode::ConcurrencyLimit, message, COME_BACK));
            }
            running.by_key.insert(key.id, of_key.saturating_add(1));
        }
        running.all = running.all.saturating_add(1);
        Ok(Place { running: Arc::clone(&self.running), key: key.map(|key| key.id) })
    }

    fn begin(&self, key: KeyId, limits: KeyLimits) -> Result<(), Refusal> {
        let Some(a_minute) = limits.requests_per_minute else { return Ok(()) };
        let Some(quota) = NonZeroU32::new(a_minute) else {
            let message = "This API key may make no requests.".to_owned();
            return Err(refused(RefusalCode::RateLimitedByKey, message, Duration::from_mins(1)));
        };
        self.rate(quota).check_key(&key).map_err(|not_until| {
            let wait = not_until.wait_time_from(self.clock.now());
            let message = format!("This API key may make {a_minute} requests a minute, and has made them.");
            refused(RefusalCode::RateLimitedByKey, message, wait)
        })
    }

    fn rate(&self, a_minute: NonZeroU32) -> Arc<Rate> {
        if let Some(rate) = self.rates.read().unwrap_or_else(PoisonError::into_inner).get(&a_minute) {
            return Arc::clone(rate);
        }
        let mut rates = self.rates.write().unwrap_or_else(PoisonError::into_inner);
        let rate = rates.entry(a_minute).or_insert_with(|| {
            Arc::new(RateLimiter::hashmap_with_clock(Quota::per_minute(a_minute), self.clock.clone()))
        });
        Arc::clone(rate)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.all = running.all.saturating_sub(1);
        if let Some(key) = self.key {
            let left = running.by_key.get(&key).map_or(0, |count| count.saturating_sub(1));
            if left == 0 {
                running.by_key.remove(&key);
            } else {
                running.by_key.insert(key, left);
            }
        }
    }
}

fn refused(code: RefusalCode, message: String, wait: Duration) -> Refusal {
    Refusal { retry_after: Some(wait), ..Refusal::new(code, message) }
}

/// The engine's clock as the rate limiter needs it: it never goes back. When the wall clock is set back it goes on from
/// where it was, so that nobody waits for the time that passes twice.
#[derive(Debug, Clone)]
struct SteadyClock {
    clock: Arc<dyn Clock>,
    face: Arc<Mutex<Face>>,
}

#[derive(Debug)]
struct Face {
    wall: Timestamp,
    elapsed_us: u64,
}

impl SteadyClock {
    fn new(clock: Arc<dyn Clock>) -> Self {
        let wall = clock.now();
        Self { clock, face: Arc::new(Mutex::new(Face { wall, elapsed_us: 0 })) }
    }
}

impl GovernorClock for SteadyClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        let mut face = self.face.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        let passed_us = u64::try_from(now.micros_since(face.wall)).unwrap_or_default();
        face.elapsed_us = face.elapsed_us.saturating_add(passed_us);
        face.wall = now;
        Nanos::from(face.elapsed_us.saturating_mul(1_000))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    const SECOND_US: i64 = 1_000_000;

    #[derive(Debug, Default)]
    struct Hand(AtomicI64);

    impl Clock for Hand {
        fn now(&self) -> Timestamp {
            Timestamp::from_micros(self.0.load(Ordering::SeqCst))
        }
    }

    fn key(limits: KeyLimits) -> ApiKey {
        ApiKey { limits, ..ApiKey::new("crm", "abcd", Timestamp::from_micros(0)) }
    }

    fn code(result: Result<Place, Refusal>) -> Option<RefusalCode> {
        result.err().map(|refusal| refusal.code)
    }

    #[test]
    fn a_key_gets_its_requests_of_a_minute_and_is_told_when_the_next_one_is_due() {
        let hand = Arc::new(Hand::default());
        let limits = Limits::new(Arc::clone(&hand) as Arc<dyn Clock>);
        let key = key(KeyLimits { requests_per_minute: Some(60), ..KeyLimits::default() });
        for _ in 0..60 {
            assert!(limits.enter(Some(&key), 10).is_ok());
        }
        let refusal = limits.enter(Some(&key), 10).unwrap_err();
        assert_eq!(refusal.code, RefusalCode::RateLimitedByKey);
        assert_eq!(refusal.retry_after, Some(Duration::from_secs(1)));
        assert_eq!(limits.running(), 0, "a refused request keeps no place");
        hand.0.store(SECOND_US, Ordering::SeqCst);
        assert!(limits.enter(Some(&key), 10).is_ok());
        assert_eq!(code(limits.enter(Some(&key), 10)), Some(RefusalCode::RateLimitedByKey));
    }

    #[test]
    fn a_clock_set_back_makes_nobody_wait_for_it() {
        let hand = Arc::new(Hand::default());
        hand.0.store(10_000 * SECOND_US, Ordering::SeqCst);
        let limits = Limits::new(Arc::clone(&hand) as Arc<dyn Clock>);
        let key = key(KeyLimits { requests_per_minute: Some(60), ..KeyLimits::default() });
        while limits.enter(Some(&key), 10).is_ok() {}
        hand.0.store(0, Ordering::SeqCst);
        assert!(limits.enter(Some(&key), 10).is_err());
        hand.0.store(SECOND_US, Ordering::SeqCst);
        assert!(limits.enter(Some(&key), 10).is_ok());
    }

    #[test]
    fn places_are_counted_per_key_and_altogether_and_come_back() {
        let limits = Limits::new(Arc::new(Hand::default()));
        let one = key(KeyLimits { concurrent: Some(1), ..KeyLimits::default() });
        let other = key(KeyLimits::default());
        let first = limits.enter(Some(&one), 2).unwrap();
        assert_eq!(code(limits.enter(Some(&one), 2)), Some(RefusalCode::ConcurrencyLimit));
        let second = limits.enter(Some(&other), 2).unwrap();
        assert_eq!(code(limits.enter(None, 2)), Some(RefusalCode::Overloaded));
        drop((first, second));
        assert_eq!(limits.running(), 0);
        assert!(limits.running.lock().unwrap().by_key.is_empty());
        assert!(limits.enter(Some(&one), 2).is_ok());
    }

    #[test]
    fn an_edited_limit_counts_from_the_next_request_on_and_idle_keys_are_forgotten() {
        let hand = Arc::new(Hand::default());
        let limits = Limits::new(Arc::clone(&hand) as Arc<dyn Clock>);
        let mut key = key(KeyLimits { requests_per_minute: Some(1), ..KeyLimits::default() });
        assert!(limits.enter(Some(&key), 9).is_ok());
        assert!(limits.enter(Some(&key), 9).is_err());
        key.limits.requests_per_minute = Some(2);
        assert!(limits.enter(Some(&key), 9).is_ok());
        key.limits.requests_per_minute = Some(0);
        assert!(limits.enter(Some(&key), 9).is_err());
        key.limits.requests_per_minute = None;
        assert!((0..100).all(|_| limits.enter(Some(&key), 9).is_ok()));
        hand.0.store(3_600 * SECOND_US, Ordering::SeqCst);
        limits.forget_idle();
        assert!(limits.rates.read().unwrap().is_empty());
    }
}
