//! The few places where the two databases differ, and the macros that run one text on both.

/// How a write begins in `SQLite`: a deferred transaction that reads before it writes can fail at once when another
/// process writes meanwhile, without waiting for it.
pub(crate) const BEGIN_WRITE: &str = "BEGIN IMMEDIATE";

/// How a read of several statements begins in `SQLite`: the first statement fixes what all of them see.
pub(crate) const BEGIN_READ_SQLITE: &str = "BEGIN DEFERRED";

/// The same in `PostgreSQL`.
pub(crate) const BEGIN_READ_POSTGRES: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Tells other nodes that the configuration has changed; takes effect with the commit.
pub(crate) const NOTIFY_POSTGRES: &str = "SELECT pg_notify('signalbox_config', '')";

/// The channel of [`NOTIFY_POSTGRES`].
pub(crate) const CHANNEL_POSTGRES: &str = "signalbox_config";

/// Tells other nodes something about slices of a purse; takes effect with the commit.
pub(crate) const NOTIFY_SLICES_POSTGRES: &str = "SELECT pg_notify('signalbox_slices', $1)";

/// The channel of [`NOTIFY_SLICES_POSTGRES`].
pub(crate) const CHANNEL_SLICES_POSTGRES: &str = "signalbox_slices";

/// Runs one expression on whichever pool is for reading; `$pool` is the pool's name in it.
macro_rules! reading {
    ($store:expr, $pool:ident => $body:expr) => {
        match &$store.inner.pools {
            $crate::pools::Pools::Sqlite(pools) => {
                let $pool = &pools.read;
                $body
            }
            $crate::pools::Pools::Postgres($pool) => $body,
        }
    };
}

/// Runs one expression on the connection of a transaction; `$connection` is its name in it.
macro_rules! within {
    ($transaction:expr, $connection:ident => $body:expr) => {
        match $transaction {
            $crate::pools::Transaction::Sqlite(transaction) => {
                let $connection = &mut **transaction;
                $body
            }
            $crate::pools::Transaction::Postgres(transaction) => {
                let $connection = &mut **transaction;
                $body
            }
        }
    };
}

pub(crate) use {reading, within};
