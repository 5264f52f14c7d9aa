//! The bounds of a partition in a database.

use serde::{Deserialize, Serialize};

use crate::{Bounds, SourceError, SourceErrorKind};

/// Rows by id: texts after one and through another, and nothing that came after the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// The last text before.
    pub after: i64,
    /// The last text inside.
    pub through: i64,
    /// The last annotation that there was.
    pub annotations_through: i64,
    /// The last relation that there was.
    pub relations_through: i64,
}

impl Range {
    /// Everything there is. (The least number of all would read as minus a number too large for an integer.)
    pub const ALL: Range = Range {
        after: i64::MIN + 1,
        through: i64::MAX,
        annotations_through: i64::MAX,
        relations_through: i64::MAX,
    };

    /// Pieces of the range, given the last text of each.
    pub fn cut_at(self, ends: &[i64]) -> Result<Vec<Bounds>, SourceError> {
        let starts = std::iter::once(self.after).chain(ends.iter().copied());
        let pieces = starts.zip(ends).map(|(after, through)| Range { after, through: *through, ..self });
        pieces.map(Range::to_bounds).collect()
    }

    fn to_bounds(self) -> Result<Bounds, SourceError> {
        let json = serde_json::to_string(&self);
        json.map(Bounds)
            .map_err(|error| SourceError::new(SourceErrorKind::Invalid, "bounds are no JSON").because(error))
    }

    /// Reads what [`Range::cut_at`] wrote.
    pub fn from_bounds(bounds: &Bounds) -> Result<Range, SourceError> {
        serde_json::from_str(&bounds.0).map_err(|error| {
            let message = format!("`{}` are no bounds of a partition in a database", bounds.0);
            SourceError::new(SourceErrorKind::Invalid, message).because(error)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_read_back_and_foreign_ones_are_refused() {
        let range = Range { after: 3, through: 9, annotations_through: 40, relations_through: 0 };
        let pieces = range.cut_at(&[5, 9]).unwrap();
        assert_eq!(Range::from_bounds(&pieces[0]).unwrap(), Range { through: 5, ..range });
        assert_eq!(Range::from_bounds(&pieces[1]).unwrap(), Range { after: 5, ..range });
        let refused = Range::from_bounds(&Bounds(r#"{"offset": 3}"#.to_owned())).unwrap_err();
        assert_eq!(refused.kind, SourceErrorKind::Invalid);
    }
}
