//! The documents of a partition, read on a thread of its own: parsing is no work for async threads.

use std::{
    collections::BTreeSet,
    ops::ControlFlow,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use spanfleet_core::{Document, Schema};
use spanfleet_import::{Position, Rejected};
use tokio::sync::mpsc::Sender;

use super::{
    Inputs,
    cut::Range,
    file::{Content, CorpusFile},
    io_error,
};
use crate::{FileFilter, Selection, SelectionCount, SourceError, SourceErrorKind, load::batch::Batcher};

type Batch = Result<Vec<Document>, SourceError>;

/// Sends the chosen documents of a partition; ends early when nobody listens.
pub(super) fn stream(inputs: &Inputs, filter: &FileFilter, range: &Range, sender: &Sender<Batch>) {
    // A stream that just ended would look complete.
    let sent = catch_unwind(AssertUnwindSafe(|| send_all(inputs, filter, range, sender)));
    let sent = sent.unwrap_or_else(|_| {
        Err(SourceError::new(
            SourceErrorKind::Transient,
            "reading the input files broke off: a fault in the program",
        ))
    });
    if let Err(error) = sent {
        let _nobody_listens = sender.blocking_send(Err(error));
    }
}

fn send_all(
    inputs: &Inputs,
    filter: &FileFilter,
    range: &Range,
    sender: &Sender<Batch>,
) -> Result<(), SourceError> {
    let mut batcher = Batcher::default();
    let mut failed = None;
    let ended = each_document(&inputs.files, range, |read| {
        let document = match read {
            Ok(document) => document,
            Err(rejected) => return stop_on(inputs.rejects.add(&rejected), &mut failed),
        };
        let full = filter.apply(document).and_then(|document| batcher.push(document));
        match full.map(|batch| sender.blocking_send(Ok(batch))) {
            None | Some(Ok(())) => ControlFlow::Continue(()),
            Some(Err(_)) => ControlFlow::Break(()),
        }
    })?;
    if let Some(batch) = batcher.take().filter(|_| ended.is_continue() || failed.is_some()) {
        let _nobody_listens = sender.blocking_send(Ok(batch));
    }
    failed.map_or(Ok(()), Err)
}

fn stop_on(result: Result<(), SourceError>, failed: &mut Option<SourceError>) -> ControlFlow<()> {
    match result {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => {
            *failed = Some(error);
            ControlFlow::Break(())
        }
    }
}

/// Visits every document and every bad record of a partition, in order, until told to stop.
fn each_document(
    files: &[CorpusFile],
    range: &Range,
    mut visit: impl FnMut(Result<Document, Rejected>) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, SourceError> {
    let files = files.iter().enumerate().take(range.to_file + 1).skip(range.from.file);
    for (index, file) in files {
        let from = if index == range.from.file { range.from.at } else { Position::default() };
        let end_byte = if index == range.to_file { range.to_byte } else { file.bytes };
        if index == range.to_file && end_byte == 0 {
            break;
        }
        if each_of_file(file, from, end_byte, &mut visit)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

fn each_of_file(
    file: &CorpusFile,
    from: Position,
    end_byte: u64,
    visit: &mut impl FnMut(Result<Document, Rejected>) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, SourceError> {
    if let Content::Pair(pair) = &file.content {
        return Ok(match file.pair(pair)? {
            Err(rejected) => visit(Err(rejected)),
            Ok((document, rejected)) => {
                let all = rejected.into_iter().map(Err).chain([Ok(document)]);
                all.map(visit).find(ControlFlow::is_break).unwrap_or(ControlFlow::Continue(()))
            }
        });
    }
    let Some(dialect) = file.dialect()? else { return Ok(ControlFlow::Continue(())) };
    let mut reader = file.documents(&*dialect, from, end_byte)?;
    while let Some(read) = reader.next_document().map_err(|error| io_error(file.path(), "read", error))? {
        if visit(read).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// What is found out of every document of a selection.
pub(super) trait Survey: Default + Send {
    /// Looks at the next document.
    fn add(&mut self, document: &Document);
}

/// One reading of a selection, on all cores: what each of them found.
pub(super) fn survey<S: Survey>(
    inputs: &Inputs,
    selection: &Selection,
    ranges: &[Range],
) -> Result<Vec<S>, SourceError> {
    let filter = FileFilter::new(&selection.filter, &selection.include);
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(ranges.len());
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let work = || {
            let mut found = S::default();
            while let Some(range) = ranges.get(next.fetch_add(1, Ordering::Relaxed)) {
                survey_range(&mut found, inputs, &filter, range)?;
            }
            Ok(found)
        };
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        running.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err(fault()))).collect()
    })
}

fn survey_range<S: Survey>(
    found: &mut S,
    inputs: &Inputs,
    filter: &FileFilter,
    range: &Range,
) -> Result<(), SourceError> {
    let mut failed = None;
    let _ended_early = each_document(&inputs.files, range, |read| {
        match read {
            Ok(document) => filter.apply(document).iter().for_each(|document| found.add(document)),
            Err(rejected) => return stop_on(inputs.rejects.allow(&rejected), &mut failed),
        }
        ControlFlow::Continue(())
    })?;
    failed.map_or(Ok(()), Err)
}

impl Survey for SelectionCount {
    fn add(&mut self, document: &Document) {
        self.texts += 1;
        self.annotations += document.annotations.len() as u64;
    }
}

/// Labels and relation types of a selection, and how much it is.
pub(super) fn schema(
    inputs: &Inputs,
    selection: &Selection,
    ranges: &[Range],
) -> Result<Schema, SourceError> {
    let mut all = Names::default();
    for names in survey::<Names>(inputs, selection, ranges)? {
        all.labels.extend(names.labels);
        all.relation_types.extend(names.relation_types);
        all.is_multi_label |= names.is_multi_label;
        all.count.texts += names.count.texts;
        all.count.annotations += names.count.annotations;
    }
    let list = |names: BTreeSet<Arc<str>>| names.iter().map(ToString::to_string).collect();
    Ok(Schema {
        labels: list(all.labels),
        relation_types: list(all.relation_types),
        is_multi_label: all.is_multi_label,
        selected: Some(all.count),
        ..Schema::default()
    })
}

fn fault() -> SourceError {
    SourceError::new(SourceErrorKind::Transient, "looking for labels broke off: a fault in the program")
}

#[derive(Default)]
struct Names {
    labels: BTreeSet<Arc<str>>,
    relation_types: BTreeSet<Arc<str>>,
    is_multi_label: bool,
    count: SelectionCount,
}

impl Survey for Names {
    fn add(&mut self, document: &Document) {
        for annotation in &document.annotations {
            add_name(&mut self.labels, &annotation.label);
        }
        for relation in &document.relations {
            add_name(&mut self.relation_types, &relation.kind);
        }
        self.is_multi_label |= document.has_several_labels();
        self.count.add(document);
    }
}

fn add_name(names: &mut BTreeSet<Arc<str>>, name: &Arc<str>) {
    if !names.contains(name) {
        names.insert(name.clone());
    }
}
