//! Corpus files.
/// Corpus files.
#[derive(Debug)] pub struct CorpusSource;
