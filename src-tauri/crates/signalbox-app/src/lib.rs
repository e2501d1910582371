//! Use cases for every admin client: one function per command, typed input and output, authorisation.

pub mod dto;
pub mod error;

pub use error::{AppError, Code};
