//! dispatcher.
