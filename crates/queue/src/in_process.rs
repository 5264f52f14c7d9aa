//! In process.
/// In process.
#[derive(Debug)] pub struct InProcessQueue;
