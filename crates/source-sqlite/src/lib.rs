//! source-sqlite.
