//! The rehearsal provider: a real HTTP server speaking the vendors' wire formats, with dials for faults.
