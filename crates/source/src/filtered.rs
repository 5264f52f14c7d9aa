//! Filters on files.
/// Filter.
#[derive(Debug)] pub struct FileFilter;
