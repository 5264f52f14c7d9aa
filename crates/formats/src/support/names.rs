//! How a label is written: the label map and the hierarchy, worked out once per label.

use std::collections::BTreeSet;
use std::sync::Arc;

use foldhash::HashMap;
use spanfleet_core::{Options, options::Hierarchy};

/// How one label of the corpus is written.
#[derive(Clone, Debug)]
pub struct LabelName {
    /// The label as annotated: a path where labels form a hierarchy.
    pub path: Arc<str>,
    /// As it is written; `None` when the label map drops it.
    pub written: Option<Arc<str>>,
    /// The same number for every label that is written alike; small, counted from 0.
    pub number: u32,
    /// Whether the label map gave it another name.
    pub is_renamed: bool,
}

/// Names of labels under one order. Asking again for a label costs a look at a table, no allocation.
pub struct LabelNames {
    label_map: HashMap<String, Option<Arc<str>>>,
    hierarchy: Hierarchy,
    known: Vec<LabelName>,
    by_path: HashMap<Arc<str>, usize>,
    /// By the addresses of the keys of `by_path`, which nobody else gets while they stand there: a source's documents
    /// share a label, and an address costs less to look up than a name.
    by_address: HashMap<usize, usize>,
    numbers: HashMap<Arc<str>, u32>,
}

impl LabelNames {
    /// Names under an order's label map and hierarchy.
    pub fn new(options: &Options) -> LabelNames {
        let target = |name: &Option<String>| name.as_deref().map(Arc::from);
        LabelNames {
            label_map: options.label_map.iter().map(|(old, new)| (old.clone(), target(new))).collect(),
            hierarchy: options.hierarchy,
            known: Vec::new(),
            by_path: HashMap::default(),
            by_address: HashMap::default(),
            numbers: HashMap::default(),
        }
    }

    /// How a label is written.
    pub fn of(&mut self, label: &Arc<str>) -> &LabelName {
        let known = self.by_address.get(&address(label)).or_else(|| self.by_path.get(label));
        let at = known.copied().unwrap_or_else(|| self.add(label));
        &self.known[at]
    }

    /// A label as it is written; one that the label map drops, which no encoder gets, by its path.
    pub fn written(&mut self, label: &Arc<str>) -> Arc<str> {
        let name = self.of(label);
        name.written.as_ref().unwrap_or(&name.path).clone()
    }

    /// Every written form met so far.
    pub fn all_written(&self) -> BTreeSet<String> {
        self.known.iter().filter_map(|name| name.written.as_deref().map(str::to_owned)).collect()
    }

    /// The written form of each number, or the path of a label that is not written.
    pub fn by_number(&self) -> Vec<Arc<str>> {
        let mut names: Vec<(u32, Arc<str>)> =
            self.numbers.iter().map(|(name, number)| (*number, name.clone())).collect();
        names.sort_unstable();
        names.into_iter().map(|(_, name)| name).collect()
    }

    fn add(&mut self, label: &Arc<str>) -> usize {
        let (name, at) = (self.make(label), self.known.len());
        self.known.push(name);
        self.by_address.insert(address(label), at);
        self.by_path.insert(label.clone(), at);
        at
    }

    /// The map is asked for the whole path first, then for the form that the hierarchy gives. A new name is
    /// written as it stands in the map.
    fn make(&mut self, path: &Arc<str>) -> LabelName {
        let short = shorten(path, self.hierarchy);
        let mapped = self.label_map.get(&**path).or_else(|| self.label_map.get(short));
        let written = match mapped {
            Some(target) => target.clone(),
            None if short.len() == path.len() => Some(path.clone()),
            None => Some(Arc::from(short)),
        };
        let is_renamed = written.as_deref().is_some_and(|name| mapped.is_some() && name != short);
        let next = self.numbers.len() as u32;
        let number = *self.numbers.entry(written.as_ref().unwrap_or(path).clone()).or_insert(next);
        LabelName { path: path.clone(), written, number, is_renamed }
    }
}

fn address(label: &Arc<str>) -> usize {
    Arc::as_ptr(label).addr()
}

/// The form of a path under a hierarchy. A label that is no path (an empty component) stays as it is.
fn shorten(path: &str, hierarchy: Hierarchy) -> &str {
    if path.split('/').any(str::is_empty) {
        return path;
    }
    match hierarchy {
        Hierarchy::Path => path,
        Hierarchy::Leaf => path.rsplit('/').next().unwrap_or(path),
        Hierarchy::Root => path.split('/').next().unwrap_or(path),
        Hierarchy::Depth(depth) => {
            let end = path.match_indices('/').nth(depth.saturating_sub(1)).map_or(path.len(), |(at, _)| at);
            &path[..end]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::order;

    fn check(options: &str, label: &str, expected: Option<&str>) {
        let mut names = LabelNames::new(&order("jsonl", options).options);
        assert_eq!(names.of(&Arc::from(label)).written.as_deref(), expected, "{options} {label}");
    }

    #[test]
    fn hierarchies_shorten_paths() {
        check("{}", "EVENT/Conflict/Attack", Some("Attack"));
        check(r#"{"hierarchy":"path"}"#, "EVENT/Conflict/Attack", Some("EVENT/Conflict/Attack"));
        check(r#"{"hierarchy":"root"}"#, "EVENT/Conflict/Attack", Some("EVENT"));
        check(r#"{"hierarchy":{"depth":2}}"#, "EVENT/Conflict/Attack", Some("EVENT/Conflict"));
        check(r#"{"hierarchy":{"depth":9}}"#, "EVENT/Conflict", Some("EVENT/Conflict"));
    }

    #[test]
    fn what_is_no_path_stays() {
        for label in ["/", "a/", "/a", "a//b", "PER"] {
            check("{}", label, Some(label));
        }
    }

    #[test]
    fn the_map_knows_paths_and_written_forms() {
        let options = r#"{"label_map":{"EVENT/Attack":"Strike","PER":null,"LOC":"EVENT/Place"}}"#;
        check(options, "EVENT/Attack", Some("Strike"));
        check(options, "THREAT/Attack", Some("Attack"));
        check(options, "PER", None);
        check(options, "NAME/PER", None);
        check(options, "LOC", Some("EVENT/Place"));
    }

    #[test]
    fn merged_labels_share_a_number() {
        let mut names = LabelNames::new(&order("jsonl", r#"{"label_map":{"B-COMPANY":"ORG"}}"#).options);
        let (company, org, other): (Arc<str>, Arc<str>, Arc<str>) =
            ("B-COMPANY".into(), "ORG".into(), "PER".into());
        assert!(names.of(&company).is_renamed);
        let number = names.of(&company).number;
        assert_eq!(names.of(&org).number, number);
        assert_ne!(names.of(&other).number, number);
        assert!(!names.of(&org).is_renamed);
        assert_eq!(names.all_written().into_iter().collect::<Vec<_>>(), ["ORG", "PER"]);
    }

    #[test]
    fn a_reused_address_is_no_other_label() {
        let mut names = LabelNames::new(&Options::default());
        for round in 0..1000 {
            let label: Arc<str> = format!("L{}", round % 7).into();
            assert_eq!(names.of(&label).written.as_deref(), Some(&*label));
        }
    }
}
