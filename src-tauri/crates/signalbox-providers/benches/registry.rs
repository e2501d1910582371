//! How long the registry takes to find an adapter. `cargo xtask bench` runs it.
//!
//! The seeds ask for less than half a millisecond.
#![expect(clippy::print_stdout, reason = "it is run for what it prints")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use signalbox_core::provider::ProviderKind;
use signalbox_providers::{Providers, ProvidersError};

/// Lookups that are timed.
const LOOKUPS: usize = 100_000;

fn main() -> Result<(), ProvidersError> {
    let providers = Providers::new()?;
    let registry = providers.registry();
    let mut times: Vec<Duration> = Vec::with_capacity(LOOKUPS);
    for kind in ProviderKind::ALL.iter().cycle().take(LOOKUPS) {
        let began = Instant::now();
        let adapter = registry.get(black_box(kind.as_str()));
        times.push(began.elapsed());
        drop(black_box(adapter));
    }
    times.sort_unstable();
    let at = |share: usize| times.get(LOOKUPS * share / 1000).copied().unwrap_or_default();
    println!("{LOOKUPS} lookups: median {:?}, p99 {:?}, p99.9 {:?}", at(500), at(990), at(999));
    Ok(())
}
