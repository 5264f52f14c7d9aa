//! `annotation.conf`: which type stands below which, by indentation with TABs.

use std::collections::HashMap;

/// Types with the types above them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hierarchy(HashMap<String, String>);

impl Hierarchy {
    /// Reads the entities and events of a configuration. TABs indent; `!` marks a type that only groups others.
    pub fn read(conf: &str) -> Hierarchy {
        let (mut paths, mut above, mut holds_types) = (HashMap::new(), Vec::<&str>::new(), false);
        for line in conf.lines() {
            let solid = line.trim();
            if let Some(section) = solid.strip_prefix('[') {
                holds_types = ["entities", "events"].contains(&section.trim_end_matches(']'));
                above.clear();
                continue;
            }
            let is_type = solid.trim_start_matches('!').starts_with(|first: char| first.is_alphanumeric());
            if !holds_types || !is_type {
                continue;
            }
            let depth = line.bytes().take_while(|byte| *byte == b'\t').count();
            let name = solid.trim_start_matches('!').split_whitespace().next().unwrap_or_default();
            above.truncate(depth);
            above.push(name);
            if above.len() > 1 {
                paths.entry(name.to_owned()).or_insert_with(|| above.join("/"));
            }
        }
        Hierarchy(paths)
    }

    /// The path of a type, such as `Living/Person`; the type itself where nothing stands above it.
    pub fn path<'t>(&'t self, kind: &'t str) -> &'t str {
        self.0.get(kind).map_or(kind, String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indentation_makes_paths() {
        let conf = "# x\n[entities]\n!Living\n\tPerson\n\t\tChild\n\tAnimal\nPlace\n[relations]\nR\tArg1:Person\n\tS\n\
            [events]\nMeet\tWho:Person\n-----\n\tGreet\tWho:Person\n<ENTITY>=Person\n";
        let types = Hierarchy::read(conf);
        let paths =
            ["Living", "Person", "Child", "Animal", "Place", "S", "Greet"].map(|kind| types.path(kind));
        assert_eq!(
            paths,
            ["Living", "Living/Person", "Living/Person/Child", "Living/Animal", "Place", "S", "Meet/Greet"]
        );
    }
}
