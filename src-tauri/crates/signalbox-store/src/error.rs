//! What can go wrong in the store, in the domain's words.

use std::path::PathBuf;

/// A failed store call. The text is fit for a person; the database's own words are in the source.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database file or its folder cannot be written.
    #[error("cannot write to {}", path.display())]
    Unwritable {
        /// Which file or folder.
        path: PathBuf,
    },
    /// A newer version of the program has changed the schema; this one must not touch it.
    #[error(
        "the database was made by a newer version (schema {found}; this version knows {supported}): update the program"
    )]
    NewerSchema {
        /// The newest migration in the database.
        found: i64,
        /// The newest migration this program knows.
        supported: i64,
    },
    /// The migrations in the database are not the ones of this program.
    #[error("migration {version} in the database differs from the one of this program")]
    ForeignSchema {
        /// Which migration.
        version: i64,
    },
    /// `SQLite` before 3.51.3 can corrupt a write-ahead log shared by two processes.
    #[error("SQLite {found} is too old, at least 3.51.3 is needed")]
    TooOldSqlite {
        /// The version linked in.
        found: String,
    },
    /// The thing was changed meanwhile.
    #[error("{kind} `{subject}` was changed meanwhile and is now at version {current_version}")]
    Conflict {
        /// What kind of thing.
        kind: &'static str,
        /// Which one.
        subject: String,
        /// Its version now.
        current_version: u32,
    },
    /// A thing of that name exists.
    #[error("{kind} `{subject}` exists already")]
    AlreadyExists {
        /// What kind of thing.
        kind: &'static str,
        /// Which one.
        subject: String,
    },
    /// There is no such thing.
    #[error("there is no {kind} `{subject}`")]
    NotFound {
        /// What kind of thing.
        kind: &'static str,
        /// Which one.
        subject: String,
    },
    /// Nobody would be left who may change things.
    #[error("the last admin must stay one: make somebody else an admin first")]
    LastAdmin,
    /// Another process held the database for longer than we wait.
    #[error("the database is busy ({operation}); another process may hold it")]
    Busy {
        /// What was being done.
        operation: &'static str,
    },
    /// No space is left.
    #[error("the disk is full ({operation})")]
    Full {
        /// What was being done.
        operation: &'static str,
    },
    /// The database can only be read.
    #[error("the database can only be read ({operation})")]
    ReadOnly {
        /// What was being done.
        operation: &'static str,
    },
    /// A stored value is not of its form, or the file is damaged.
    #[error("stored data is damaged: {detail}")]
    Corrupt {
        /// Where, and how.
        detail: String,
    },
    /// Anything else the database says.
    #[error("the database refused to {operation}")]
    Database {
        /// What was being done, e.g. `list requests`.
        operation: &'static str,
        /// The database's own words.
        #[source]
        source: sqlx::Error,
    },
}

impl StoreError {
    /// Whether the data that was to be written is at fault: then trying again cannot help, and other data may well do.
    ///
    /// Sources: <https://sqlite.org/rescode.html> (18 too big, 19 constraint, 20 mismatch),
    /// <https://www.postgresql.org/docs/15/errcodes-appendix.html> (classes 22 and 23; P0001 is what triggers raise).
    pub fn is_of_the_data(&self) -> bool {
        let Self::Database { source, .. } = self else { return false };
        let sqlx::Error::Database(error) = source else { return matches!(source, sqlx::Error::Encode(_)) };
        let Some(code) = error.code() else { return false };
        if error.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() {
            return code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 18..=20));
        }
        code.starts_with("22") || code.starts_with("23") || code == "P0001"
    }
}

/// Puts a database error into the domain's words; `operation` is what was being done, e.g. `list requests`.
pub(crate) fn during(operation: &'static str) -> impl Fn(sqlx::Error) -> StoreError {
    move |source| match &source {
        sqlx::Error::PoolTimedOut => StoreError::Busy { operation },
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
            StoreError::Corrupt { detail: source.to_string() }
        }
        sqlx::Error::Database(error) => match fault_of(error.as_ref()) {
            Some(Fault::Busy) => StoreError::Busy { operation },
            Some(Fault::Full) => StoreError::Full { operation },
            Some(Fault::ReadOnly) => StoreError::ReadOnly { operation },
            Some(Fault::Damaged) => StoreError::Corrupt { detail: error.message().to_owned() },
            None => StoreError::Database { operation, source },
        },
        _ => StoreError::Database { operation, source },
    }
}

/// Whether another process was in the way.
pub(crate) fn is_busy(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| matches!(fault_of(error), Some(Fault::Busy)))
}

enum Fault {
    Busy,
    Full,
    ReadOnly,
    Damaged,
}

/// Sources: <https://sqlite.org/rescode.html> (an extended code keeps the primary one in its low byte),
/// <https://www.postgresql.org/docs/15/errcodes-appendix.html>.
fn fault_of(error: &dyn sqlx::error::DatabaseError) -> Option<Fault> {
    let code = error.code()?;
    if error.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() {
        return match code.parse::<u32>().ok()? & 0xff {
            5 | 6 => Some(Fault::Busy),
            8 => Some(Fault::ReadOnly),
            11 | 26 => Some(Fault::Damaged),
            13 => Some(Fault::Full),
            _ => None,
        };
    }
    match &*code {
        "55P03" | "40P01" | "40001" | "57014" => Some(Fault::Busy),
        "25006" => Some(Fault::ReadOnly),
        "53100" => Some(Fault::Full),
        "XX001" | "XX002" => Some(Fault::Damaged),
        _ => None,
    }
}

/// Whether what a row refers to does not exist.
pub(crate) fn is_foreign_key_violation(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.kind() == sqlx::error::ErrorKind::ForeignKeyViolation)
}
