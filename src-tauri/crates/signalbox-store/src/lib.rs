//! The only crate with SQL: pools, migrations, one file per noun, the ledger statements, rollups.
