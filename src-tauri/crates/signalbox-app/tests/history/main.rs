//! What the history promises: each change is one entry that says who, what, why and what it was before; what was can be told
//! for any instant; a way back is a change too.

#![expect(clippy::unwrap_used, reason = "tests stop at the first fault")]

mod desk;
mod one_entry;
mod told;
