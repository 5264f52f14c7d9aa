//! Labels and people by id: rows carry numbers, documents carry names that they share.

use std::collections::HashMap;
use std::sync::Arc;

use spanfleet_core::{Filter, filter::Id};

use crate::{SourceError, SourceErrorKind};

/// The names that a read needs, loaded once for it.
///
/// Each row asks for one or two of them, so they are looked up by a quick hash.
#[derive(Debug, Default)]
pub struct Names {
    labels: foldhash::HashMap<i64, Arc<str>>,
    people: foldhash::HashMap<i64, Arc<str>>,
    kinds: foldhash::HashMap<Box<str>, Arc<str>>,
}

impl Names {
    /// Names by id.
    pub fn new(labels: HashMap<i64, Arc<str>>, people: HashMap<i64, Arc<str>>) -> Names {
        Names {
            labels: labels.into_iter().collect(),
            people: people.into_iter().collect(),
            kinds: foldhash::HashMap::default(),
        }
    }

    /// The path of an annotation's label.
    pub fn label(&self, label_id: i64, annotation_id: i64) -> Result<Arc<str>, SourceError> {
        self.labels.get(&label_id).cloned().ok_or_else(|| {
            let message = format!(
                "annotation {annotation_id} has label {label_id}, which is none of its project's labels; \
                 give it one of them"
            );
            SourceError::new(SourceErrorKind::Invalid, message)
        })
    }

    /// Who made it. Somebody who is no longer in `users` goes by the number.
    pub fn person(&mut self, id: i64) -> Arc<str> {
        Arc::clone(self.people.entry(id).or_insert_with(|| id.to_string().into()))
    }

    /// The type of a relation, shared among all relations of that type.
    pub fn relation_type(&mut self, kind: &str) -> Arc<str> {
        if let Some(known) = self.kinds.get(kind) {
            return Arc::clone(known);
        }
        let shared: Arc<str> = kind.into();
        self.kinds.insert(kind.into(), Arc::clone(&shared));
        shared
    }
}

/// A row of `labels`.
#[derive(Clone, Debug)]
pub struct LabelRow {
    /// Its id.
    pub id: i64,
    /// The label above it.
    pub parent: Option<i64>,
    /// Its own component of the path.
    pub name: String,
}

/// The labels of a project.
#[derive(Debug, Default)]
pub struct Labels {
    paths: HashMap<i64, Arc<str>>,
    is_hierarchy: bool,
}

impl Labels {
    /// From the rows of the table. A circle of parents ends where it closes.
    pub fn new(rows: &[LabelRow]) -> Labels {
        let by_id: HashMap<i64, &LabelRow> = rows.iter().map(|row| (row.id, row)).collect();
        Labels {
            paths: rows.iter().map(|row| (row.id, path(row, &by_id).into())).collect(),
            is_hierarchy: rows.iter().any(|row| row.parent.is_some()),
        }
    }

    /// The path of each label, such as `EVENT/Attack`.
    pub fn paths(&self) -> &HashMap<i64, Arc<str>> {
        &self.paths
    }

    /// The same, given away.
    pub fn into_paths(self) -> HashMap<i64, Arc<str>> {
        self.paths
    }

    /// Whether some labels stand below others, so that one may be there for those below it alone.
    pub fn is_hierarchy(&self) -> bool {
        self.is_hierarchy
    }

    /// The ids that a filter means: numbers as they are, names by path or by last component.
    pub fn resolve(&self, wanted: &[Id]) -> Vec<i64> {
        let is_meant = |row_id: i64, path: &str, id: &Id| match id {
            Id::Number(number) => *number == row_id,
            Id::Name(name) => path == name || path.rsplit('/').next() == Some(name),
        };
        let chosen =
            self.paths.iter().filter(|(id, path)| wanted.iter().any(|one| is_meant(**id, path, one)));
        chosen.map(|(id, _)| *id).collect()
    }

    /// The ids that a filter leaves, where it asks for labels: those that both its conditions mean.
    pub fn resolve_filter(&self, filter: &Filter) -> Option<Vec<i64>> {
        let named = filter.labels.as_ref().map(|names| names.iter().cloned().map(Id::Name).collect());
        let wanted: [Option<Vec<Id>>; 2] = [filter.label_ids.clone(), named];
        let mut wanted = wanted.into_iter().flatten().map(|ids| self.resolve(&ids));
        let first = wanted.next()?;
        Some(wanted.fold(first, |both, ids| both.into_iter().filter(|id| ids.contains(id)).collect()))
    }

    /// The paths of these labels, or of all, as a schema lists them.
    pub fn sorted_paths(&self, of: Option<&[i64]>) -> Vec<String> {
        let chosen = self.paths.iter().filter(|(id, _)| of.is_none_or(|ids| ids.contains(id)));
        let mut paths: Vec<String> = chosen.map(|(_, path)| path.to_string()).collect();
        paths.sort_unstable();
        paths.dedup();
        paths
    }
}

fn path(row: &LabelRow, by_id: &HashMap<i64, &LabelRow>) -> String {
    let mut names = vec![row.name.as_str()];
    let mut above = row.parent;
    while let Some(parent) = above.and_then(|id| by_id.get(&id)) {
        if names.len() > by_id.len() {
            break;
        }
        names.push(&parent.name);
        above = parent.parent;
    }
    names.reverse();
    names.join("/")
}

/// The components of a label path. A label with an empty component, such as `and//or`, is no path but one
/// name; both read back as they were.
pub fn label_components(label: &str) -> Vec<&str> {
    let components: Vec<&str> = label.split('/').collect();
    if components.contains(&"") { vec![label] } else { components }
}

/// The numbers and the names among ids.
pub fn numbers_and_names(ids: &[Id]) -> (Vec<i64>, Vec<&str>) {
    let (mut numbers, mut names) = (Vec::new(), Vec::new());
    for id in ids {
        match id {
            Id::Number(number) => numbers.push(*number),
            Id::Name(name) => names.push(name.as_str()),
        }
    }
    (numbers, names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels() -> Labels {
        let row = |id, parent, name: &str| LabelRow { id, parent, name: name.to_owned() };
        let circle = [row(7, Some(8), "x"), row(8, Some(7), "y")];
        let mut rows = vec![row(3, Some(1), "Attack"), row(1, None, "EVENT"), row(5, None, "and//or")];
        rows.extend(circle);
        Labels::new(&rows)
    }

    #[test]
    fn labels_are_paths() {
        let labels = labels();
        assert_eq!(&*labels.paths()[&3], "EVENT/Attack");
        assert_eq!(labels.sorted_paths(Some(&[3, 1, 3])), ["EVENT", "EVENT/Attack"]);
        assert!(labels.paths().contains_key(&7), "a circle ends");
        assert_eq!(label_components("EVENT/Attack"), ["EVENT", "Attack"]);
        assert_eq!(label_components("and//or"), ["and//or"]);
    }

    #[test]
    fn filters_name_labels_by_number_path_or_leaf() {
        let labels = labels();
        let name = |name: &str| labels.resolve(&[Id::Name(name.to_owned())]);
        assert_eq!(name("Attack"), [3]);
        assert_eq!(name("EVENT/Attack"), [3]);
        assert_eq!(name("EVENT"), [1]);
        assert_eq!(name("and//or"), [5]);
        assert_eq!(labels.resolve(&[Id::Number(3), Id::Number(99)]), [3]);
    }
}
