//! A directory.
/// A directory.
#[derive(Debug)] pub struct LocalStorage;
