//! What the benchmarks share: the node as its own process, and the least possible client.

pub mod node;
pub mod peer;
