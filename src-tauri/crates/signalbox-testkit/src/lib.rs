//! For tests only: a running instance in a temporary directory, a fake clock, seeded traffic.
