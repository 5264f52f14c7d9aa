//! Parts of a document as columns of a table, and back.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use spanfleet_core::{CharIndex, Document, Extent, Token};

/// A token as it stands in `texts.tokens`; what is unknown is left out.
#[derive(Serialize, Deserialize)]
struct TokenColumn<'t> {
    start: u32,
    end: u32,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pos: Option<Cow<'t, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    lemma: Option<Cow<'t, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    chunk: Option<Cow<'t, str>>,
}

/// `texts.tokens` of a document.
pub fn tokens_to_json(tokens: &[Token]) -> Result<String, serde_json::Error> {
    let columns: Vec<TokenColumn<'_>> = tokens
        .iter()
        .map(|token| TokenColumn {
            start: token.start,
            end: token.end,
            pos: token.pos.as_deref().map(Cow::Borrowed),
            lemma: token.lemma.as_deref().map(Cow::Borrowed),
            chunk: token.chunk.as_deref().map(Cow::Borrowed),
        })
        .collect();
    serde_json::to_string(&columns)
}

/// Reads `texts.tokens`.
pub fn tokens_from_json(json: &str) -> Result<Vec<Token>, serde_json::Error> {
    let columns: Vec<TokenColumn<'_>> = serde_json::from_str(json)?;
    let token = |column: TokenColumn<'_>| Token {
        start: column.start,
        end: column.end,
        pos: column.pos.map(Into::into),
        lemma: column.lemma.map(Into::into),
        chunk: column.chunk.map(Into::into),
    };
    Ok(columns.into_iter().map(token).collect())
}

/// `annotations.fragments`; `None` when the extent is in one piece.
pub fn fragments_to_json(extent: &Extent) -> Option<String> {
    match extent {
        Extent::Fragments(pieces) => serde_json::to_string(pieces).ok(),
        Extent::Text | Extent::Span { .. } => None,
    }
}

/// The extent of an annotation from its columns. An offset that no text can have (negative in a foreign
/// table) becomes one that lies beyond every text, so that encoders count the annotation as out of range.
pub fn extent(
    start: Option<i64>,
    end: Option<i64>,
    fragments: Option<&str>,
) -> Result<Extent, serde_json::Error> {
    if let Some(fragments) = fragments {
        let pieces: Vec<(u32, u32)> = serde_json::from_str(fragments)?;
        if !pieces.is_empty() {
            return Ok(Extent::Fragments(pieces));
        }
    }
    let offset = |offset: i64| u32::try_from(offset).unwrap_or(u32::MAX);
    Ok(match (start, end) {
        (Some(start), Some(end)) => Extent::Span { start: offset(start), end: offset(end) },
        _ => Extent::Text,
    })
}

/// `annotations.selected_text`: the words under an extent, pieces joined by a space. `None` for the whole
/// text and where the offsets are out of range.
pub fn surface<'t>(text: &'t str, index: &CharIndex, extent: &Extent) -> Option<Cow<'t, str>> {
    match extent {
        Extent::Text => None,
        Extent::Span { start, end } => index.slice(text, *start, *end).map(Cow::Borrowed),
        Extent::Fragments(pieces) => {
            let words = pieces.iter().map(|(start, end)| index.slice(text, *start, *end));
            words.collect::<Option<Vec<&str>>>().map(|words| Cow::Owned(words.join(" ")))
        }
    }
}

/// What the row of a text takes at most.
pub fn text_row_bytes(document: &Document) -> usize {
    // Six bytes for what JSON writes as an escape, sixty for the keys around.
    let token_bytes = |token: &Token| {
        let words = [&token.pos, &token.lemma, &token.chunk].into_iter().flatten();
        60 + words.map(|word| 6 * word.len()).sum::<usize>()
    };
    let json_bytes: usize = document.tokens.iter().flatten().map(token_bytes).sum();
    let metadata_bytes = document.metadata.as_ref().map_or(0, |json| json.as_str().len());
    document.text.len() + metadata_bytes + json_bytes
}

/// For each relation the positions of its two ends among the annotations; `None` for an end that is missing.
pub fn relation_ends(document: &Document) -> Vec<Option<(usize, usize)>> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    if !document.relations.is_empty() {
        for (place, annotation) in document.annotations.iter().enumerate() {
            places.entry(&annotation.id).or_insert(place);
        }
    }
    let place = |id: &str| places.get(id).copied();
    document.relations.iter().map(|relation| place(&relation.source).zip(place(&relation.target))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_read_back_as_they_were() {
        let tokens = vec![
            Token { start: 0, end: 3, pos: Some("NNP".into()), lemma: Some("\"é\"".into()), chunk: None },
            Token { start: 4, end: 7, ..Token::default() },
        ];
        let json = tokens_to_json(&tokens).unwrap();
        assert_eq!(json, r#"[{"start":0,"end":3,"pos":"NNP","lemma":"\"é\""},{"start":4,"end":7}]"#);
        assert_eq!(tokens_from_json(&json).unwrap(), tokens);
        assert_eq!(
            tokens_from_json(r#"[{"start": 0, "end": 1, "pos": null, "other": 1}]"#).unwrap().len(),
            1
        );
    }

    #[test]
    fn extents_read_back_as_they_were() {
        let pieces = Extent::Fragments(vec![(8, 10), (0, 3)]);
        let json = fragments_to_json(&pieces);
        assert_eq!(json.as_deref(), Some("[[8,10],[0,3]]"));
        assert_eq!(extent(Some(0), Some(10), json.as_deref()).unwrap(), pieces);
        assert_eq!(extent(Some(2), Some(1), None).unwrap(), Extent::Span { start: 2, end: 1 });
        assert_eq!(extent(Some(-1), Some(1), None).unwrap(), Extent::Span { start: u32::MAX, end: 1 });
        assert_eq!(extent(None, None, None).unwrap(), Extent::Text);
    }

    #[test]
    fn surfaces_count_code_points() {
        let text = "a😀bcd";
        let index = CharIndex::new(text);
        let check = |extent: &Extent, expected: Option<&str>| {
            assert_eq!(surface(text, &index, extent).as_deref(), expected);
        };
        check(&Extent::Span { start: 1, end: 3 }, Some("😀b"));
        check(&Extent::Fragments(vec![(4, 5), (0, 1)]), Some("d a"));
        check(&Extent::Span { start: 1, end: 9 }, None);
        check(&Extent::Text, None);
    }
}
