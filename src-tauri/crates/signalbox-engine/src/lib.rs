//! The living core.
pub mod clock;
pub mod secrets;
