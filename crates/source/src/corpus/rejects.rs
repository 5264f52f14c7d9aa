//! Records, annotations and relations that can't be read: they stop the reading, or go into a file with their reason.

use std::{
    collections::HashSet,
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use serde::Serialize;
use spanfleet_core::Kind;
use spanfleet_import::Rejected;

use super::io_error;
use crate::{SourceError, SourceErrorKind};

/// What becomes of records that can't be read.
#[derive(Debug)]
pub(super) enum Rejects {
    Stop,
    SetAside { path: PathBuf, state: Mutex<State> },
}

#[derive(Debug)]
pub(super) struct State {
    file: File,
    /// Where they stood, so that a partition that is read again writes none twice.
    places: HashSet<(String, (u64, u32))>,
}

#[derive(Serialize)]
struct Entry<'a> {
    file: &'a str,
    line: u64,
    column: u64,
    kind: Kind,
    reason: &'a str,
    record: &'a str,
}

impl Rejects {
    /// Empties the reject file, so that it tells of this run alone.
    pub(super) fn open(path: Option<&Path>) -> Result<Rejects, SourceError> {
        let Some(path) = path else { return Ok(Rejects::Stop) };
        let file = File::create(path).map_err(|error| io_error(path, "write the reject file", error))?;
        Ok(Rejects::SetAside {
            path: path.to_owned(),
            state: Mutex::new(State { file, places: HashSet::new() }),
        })
    }

    /// Sets a record aside, or gives the error that stops the reading.
    pub(super) fn add(&self, rejected: &Rejected) -> Result<(), SourceError> {
        let Rejects::SetAside { path, state } = self else { return Err(stop(rejected)) };
        let place = &rejected.error.place;
        let entry = Entry {
            file: &place.file,
            line: place.line,
            column: place.column,
            kind: rejected.kind,
            reason: &rejected.error.reason,
            record: &rejected.record,
        };
        let mut bytes = serde_json::to_vec(&entry).map_err(|error| io_error(path, "write", error.into()))?;
        bytes.push(b'\n');
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.places.insert((place.file.to_string(), rejected.key)) {
            state.file.write_all(&bytes).map_err(|error| io_error(path, "write", error))?;
        }
        Ok(())
    }

    /// The error for a record that nothing may be made of, where it is not to be set aside.
    pub(super) fn allow(&self, rejected: &Rejected) -> Result<(), SourceError> {
        match self {
            Rejects::Stop => Err(stop(rejected)),
            Rejects::SetAside { .. } => Ok(()),
        }
    }

    /// How many records were set aside.
    pub(super) fn count(&self) -> u64 {
        match self {
            Rejects::Stop => 0,
            Rejects::SetAside { state, .. } => {
                state.lock().unwrap_or_else(PoisonError::into_inner).places.len() as u64
            }
        }
    }
}

fn stop(rejected: &Rejected) -> SourceError {
    SourceError::new(SourceErrorKind::Invalid, rejected.error.to_string())
}
