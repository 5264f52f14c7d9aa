//! metastore-sqlite.
