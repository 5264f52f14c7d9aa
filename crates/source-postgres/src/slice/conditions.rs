//! What holds for the texts and the annotations of a slice, as SQL.

use std::fmt::Write as _;

use spanfleet_core::filter::{MetadataCondition, MetadataValue};
use spanfleet_source::load::range::Range;

use super::{Slice, instant, is_among};
use crate::tables::Tables;

impl Slice {
    /// The condition on `texts t`.
    pub(crate) fn own_texts(&self, tables: &Tables) -> String {
        let (project, range) = (self.project.0, self.texts_condition("t.id"));
        format!("t.project_id = {project} AND {range}{}", self.texts_filter(tables))
    }

    /// Whether texts are left out by more than their ids.
    pub(crate) fn looks_into_texts(&self) -> bool {
        !self.metadata.is_empty() || self.has_annotations.is_some()
    }

    /// What `annotations a` are taken from: the table with what joins it, or what is left of it on each text where
    /// so many people agree. There texts come first, and their annotations by index: whatever the statistics say.
    pub(crate) fn annotations(&self, tables: &Tables, join: &str) -> String {
        match self.min_agreement {
            None => format!("annotations a{join}"),
            Some(least) => format!(
                "(SELECT t.id FROM texts t WHERE {}) t CROSS JOIN LATERAL ({}) a",
                self.own_texts(tables),
                self.agreed(tables, least)
            ),
        }
    }

    /// The annotations of the text `t` that at least this share of its people made.
    fn agreed(&self, tables: &Tables, least: f64) -> String {
        let annotator = format!("COALESCE({}, -1)", tables.integer("a", "annotator_id"));
        let fragments = tables.text("a", "fragments");
        // The number of different people in a window: ranks from both ends meet in it.
        let people = |window: &str| {
            format!(
                "dense_rank() OVER ({window} ORDER BY {annotator}) \
                 + dense_rank() OVER ({window} ORDER BY {annotator} DESC) - 1"
            )
        };
        let same = format!("PARTITION BY a.label_id, a.start_char, a.end_char, ({fragments})::text");
        format!(
            "SELECT * FROM (SELECT a.*, {} AS people_who_made_it, {} AS people_of_the_text \
             FROM annotations a WHERE a.text_id = t.id AND {}) a \
             WHERE people_who_made_it::float8 >= {least:?}::float8 * people_of_the_text::float8",
            people(&same),
            people(""),
            self.annotations_condition(tables)
        )
    }

    /// The condition on `annotations a`, whoever agrees.
    pub(crate) fn annotations_condition(&self, tables: &Tables) -> String {
        let mut sql =
            format!("{} AND a.id <= {}", self.texts_condition("a.text_id"), self.range.annotations_through);
        let mut and = |condition: String| {
            sql.push_str(" AND ");
            sql.push_str(&condition);
        };
        if let Some(ids) = &self.labels {
            and(is_among("a.label_id", ids));
        }
        if let Some(ids) = &self.annotators {
            and(is_among(&tables.integer("a", "annotator_id"), ids));
        }
        let moment = tables.moment("a", "created_at");
        if let Some(from) = self.date_from {
            and(format!("{moment} >= {}", instant(from)));
        }
        if let Some(to) = self.date_to {
            and(format!("{moment} <= {}", instant(to)));
        }
        sql
    }

    /// Which texts by their ids.
    pub(super) fn texts_condition(&self, column: &str) -> String {
        let Range { after, through, .. } = self.range;
        let range = format!("{column} > {after} AND {column} <= {through}");
        match &self.texts {
            None => range,
            Some(ids) => format!("{range} AND {}", is_among(column, ids)),
        }
    }

    /// Keeps to the project's own texts where others lie between, and to those whose metadata is asked for.
    ///
    /// Rows of texts that are left out for their annotations come along: a reader passes over them.
    pub(super) fn join_texts(&self, tables: &Tables, column: &str) -> String {
        if self.is_shared || !self.metadata.is_empty() {
            self.join(column, &self.metadata_filter(tables))
        } else {
            String::new()
        }
    }

    /// Keeps to the texts of the slice; `column` names the text.
    pub(crate) fn join_own_texts(&self, tables: &Tables, column: &str) -> String {
        self.join(column, &self.texts_filter(tables))
    }

    fn join(&self, column: &str, filter: &str) -> String {
        let (project, Range { after, through, .. }) = (self.project.0, self.range);
        format!(
            " JOIN texts t ON t.id = {column} AND t.project_id = {project} \
             AND t.id > {after} AND t.id <= {through}{filter}"
        )
    }

    /// What is asked of a text beside its id, with an `AND` before each condition.
    fn texts_filter(&self, tables: &Tables) -> String {
        let mut sql = self.metadata_filter(tables);
        if let Some(wanted) = self.has_annotations {
            let (not, condition) = (if wanted { "" } else { "NOT " }, self.annotations_condition(tables));
            // The offset keeps it a look-up for each text: a join would read what lies before the first ones.
            let has = match self.min_agreement {
                None => {
                    format!(
                        "EXISTS (SELECT 1 FROM annotations a WHERE a.text_id = t.id AND {condition} OFFSET 0)"
                    )
                }
                Some(least) => format!("EXISTS ({})", self.agreed(tables, least)),
            };
            // Writing to a string does not fail.
            let _ = write!(sql, " AND {not}{has}");
        }
        sql
    }

    fn metadata_filter(&self, tables: &Tables) -> String {
        let metadata = tables.text("t", "metadata");
        let takes = |condition| format!(" AND ({})", metadata_takes(&metadata, condition));
        self.metadata.iter().map(takes).collect()
    }
}

/// Whether a column of JSON has one of the values in a field; as `MetadataCondition::takes` has it.
fn metadata_takes(column: &str, condition: &MetadataCondition) -> String {
    let path: Vec<String> = condition.path.iter().map(|key| literal(key)).collect();
    let json = readable(&format!("({column})::text"));
    let field = format!("({json} #> ARRAY[{}])", path.join(", "));
    let text = format!("({field} #>> '{{}}')");
    let is_value = |value: &MetadataValue| {
        let number =
            value.number().map_or("FALSE".to_owned(), |number| format!("{text}::numeric = {number}"));
        let wanted = literal(&value.text());
        format!(
            "CASE json_typeof({field}) WHEN 'number' THEN {number} \
             WHEN 'string' THEN {text} = {wanted} WHEN 'boolean' THEN {text} = {wanted} ELSE FALSE END"
        )
    };
    let any: Vec<String> = condition.values.iter().map(is_value).collect();
    if any.is_empty() { "FALSE".to_owned() } else { any.join(" OR ") }
}

/// JSON for PostgreSQL's functions. They refuse a whole document for one escape that is no character of theirs (a NUL,
/// half a surrogate pair), which columns of JSON may hold: it is read as U+FFFD.
fn readable(text: &str) -> String {
    const ESCAPES: [&str; 3] = [
        r"\\u0000",
        r"\\ud[89ab][0-9a-f]{2}(?!\\ud[c-f][0-9a-f]{2})",
        r"(?<!\\ud[89ab][0-9a-f]{2})\\ud[c-f][0-9a-f]{2}",
    ];
    let pattern = ESCAPES.join("|");
    let mended = format!(r"regexp_replace({text}, '{pattern}', '\\ufffd', 'gi')");
    format!(r"(CASE WHEN strpos({text}, '\u') = 0 THEN {text} ELSE {mended} END)::json")
}

/// A string as hexadecimal digits: nothing in it can end it. One with a NUL equals nothing.
fn literal(text: &str) -> String {
    if text.contains('\0') {
        return "NULL::text".to_owned();
    }
    format!("convert_from('\\x{}'::bytea, 'UTF8')", hex::encode(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_stands_in_digits() {
        assert_eq!(literal("a'ä"), r"convert_from('\x6127c3a4'::bytea, 'UTF8')");
    }
}
