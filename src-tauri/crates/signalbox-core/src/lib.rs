//! The domain: nouns, invariants and pure decisions. No I/O, no async runtime, no clock reading.
