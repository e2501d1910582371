//! The living core: snapshot, dispatcher, ledger writer, secrets, shutdown.
