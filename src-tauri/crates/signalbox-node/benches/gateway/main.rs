//! The real node under load: what it adds to a call, and what becomes of a thousand streams when a provider fails.
//!
//! `cargo xtask bench` runs it; arguments choose measurements whose names contain one of them, e.g.
//! `cargo bench -p signalbox-node --bench gateway -- 100/s`.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a benchmark is a program for a person; it stops at the first fault"
)]
#![expect(clippy::disallowed_methods, reason = "the load generator has no engine to track its tasks")]

mod node;
mod overhead;
mod peer;
mod storm;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let only = Only::from_arguments();
    runtime.block_on(overhead::run(&only));
    runtime.block_on(storm::run(&only));
}

/// Which measurements to make.
struct Only(Vec<String>);

impl Only {
    fn from_arguments() -> Self {
        Self(std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect())
    }

    fn includes(&self, name: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|part| name.contains(part.as_str()))
    }
}
