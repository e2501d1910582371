//! A person's leave over a real engine: asked, given, used once, and on every way there is.

#![expect(clippy::unwrap_used, reason = "tests stop at the first fault")]

mod asked;
mod budgets;
mod decided;
mod paths;
mod support;
