//! storage-s3.
