//! metastore-postgres.
