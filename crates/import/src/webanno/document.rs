//! The rows of a file to one document.

use std::collections::{BTreeMap, HashMap};

use compact_str::{CompactString, format_compact};
use serde_json::{Map, Value};
use spanfleet_core::{Kind, Token};

use super::{
    cells::{Cell, parts, unescape, values},
    lines::{File, Holds, Layer, Row},
};
use crate::{
    draft::{Draft, Stated, Unit, Wanted},
    intern::Interner,
    made::Made,
    place::{Fault, FileNames},
};

/// Features that hold what others call the label.
const LABELS: [&str; 3] = ["value", "PosValue", "DependencyType"];

/// The document of a file.
pub(super) fn make(
    file: &File<'_>,
    names: &FileNames,
    interner: &mut Interner,
    made: &mut Made,
) -> Result<(), Fault> {
    let mut draft = Draft::new(file.text.clone(), Unit::Utf16, interner);
    for row in file.rows.iter().filter(|row| !row.id.contains('.')) {
        let token = draft.add_token(row.begin, row.end, Token::default());
        token.map_err(|reason| Fault::at(row.line, 1, reason))?;
    }
    for (nth, layer) in file.layers.iter().enumerate().filter(|(_, layer)| layer.holds != Holds::Relations) {
        add_spans(file, nth, layer, &mut draft);
    }
    for (nth, layer) in file.layers.iter().enumerate() {
        match layer.holds {
            Holds::Spans => add_slots(file, nth, layer, &mut draft),
            Holds::Relations => add_relations(file, layer, &mut draft),
            Holds::Chains => add_chains(file, nth, layer, &mut draft),
        }
    }
    let mut metadata = Map::new();
    metadata.insert("file".to_owned(), Value::from(&*names.name));
    draft.finish(format_compact!("{}-1", names.stem), metadata, made);
    Ok(())
}

/// What a reference means by an annotation: its number in its layer, or the row that it stands on alone.
fn key(layer: usize, row: &str, number: u32) -> CompactString {
    match number {
        0 => format_compact!("{layer}@{row}"),
        number => format_compact!("{layer}#{number}"),
    }
}

/// An annotation of a layer, gathered from its rows.
struct Gathered<'f> {
    first_line: u64,
    begin: u64,
    end: u64,
    rows: Vec<&'f str>,
    features: Vec<Option<Cell<'f>>>,
}

/// The annotations of a layer, in the order of their first rows.
fn gather<'f>(file: &'f File<'f>, nth: usize, layer: &Layer<'f>) -> Vec<(CompactString, Gathered<'f>)> {
    let mut order = Vec::new();
    let mut found: HashMap<CompactString, Gathered<'f>> = HashMap::new();
    for row in &file.rows {
        let columns = columns(row, layer);
        let stacked =
            columns.iter().zip(&layer.features).filter(|(_, feature)| !is_slot_part(layer, feature));
        let count = stacked.map(|(cells, _)| cells.len()).max();
        let count = count.unwrap_or_else(|| columns.iter().map(Vec::len).max().unwrap_or(0).min(1));
        for at in 0..count {
            let number = columns.iter().filter_map(|cells| cells.get(at)).map(|cell| cell.number).max();
            let link =
                columns.first().and_then(|cells| cells.get(at)).filter(|_| layer.holds == Holds::Chains);
            let own = match link.and_then(|link| link.raw.rsplit_once("->")) {
                // A link is known by its chain and place; its number only says which of the row it is.
                Some((_, place)) => format_compact!("{nth}->{place}"),
                None => key(nth, row.id, number.unwrap_or(0)),
            };
            // Stacked annotations of one row without numbers can't be told apart by a reference.
            let own = if number == Some(0) && at > 0 { format_compact!("{own}+{at}") } else { own };
            let gathered = found.entry(own.clone()).or_insert_with(|| {
                order.push(own);
                let features = columns.iter().map(|cells| cells.get(at).cloned()).collect();
                Gathered { first_line: row.line, begin: row.begin, end: row.end, rows: Vec::new(), features }
            });
            gathered.begin = gathered.begin.min(row.begin);
            gathered.end = gathered.end.max(row.end);
            gathered.rows.push(row.id);
        }
    }
    order.into_iter().filter_map(|own| found.remove_entry(&own)).collect()
}

fn columns<'f>(row: &Row<'f>, layer: &Layer<'_>) -> Vec<Vec<Cell<'f>>> {
    let cell = |at: usize| row.cells.get(layer.column + at).copied().unwrap_or("_");
    (0..layer.features.len()).map(|at| values(cell(at))).collect()
}

/// A slot takes two columns: the role, then what fills it, under the name of a type.
fn is_slot_part(layer: &Layer<'_>, feature: &str) -> bool {
    let after = |at: usize| at > 0 && layer.features[at - 1].starts_with("ROLE_");
    let at = layer.features.iter().position(|known| std::ptr::eq(*known, feature));
    feature.starts_with("ROLE_") || at.is_some_and(after)
}

fn add_spans(file: &File<'_>, nth: usize, layer: &Layer<'_>, draft: &mut Draft<'_>) {
    for (own, gathered) in gather(file, nth, layer) {
        let named = layer.features.iter().zip(&gathered.features);
        let plain = named.filter(|(feature, _)| !is_slot_part(layer, feature));
        let mut attributes = Map::new();
        let mut label = None;
        for (feature, cell) in plain {
            let Some(value) = cell.as_ref().and_then(Cell::value) else { continue };
            match (layer.holds, *feature) {
                (Holds::Chains, "referenceRelation") => continue,
                (Holds::Chains, "referenceType") => label = Some(value.clone()),
                (_, feature) if LABELS.contains(&feature) => label = Some(value.clone()),
                _ => {}
            }
            attributes.insert((*feature).to_owned(), Value::from(value));
        }
        attributes.insert("type".to_owned(), Value::from(layer.name));
        let label = label.filter(|label| !label.is_empty()).unwrap_or_else(|| layer.short().to_owned());
        let stated = Stated { attributes, ..Stated::new(Wanted::Span(gathered.begin, gathered.end), &label) };
        let before = draft.refused();
        let place = draft.add(stated, || format!("{} {label}", gathered.rows.join(" ")));
        draft.place_refusals(before, gathered.first_line);
        if let Some(place) = place {
            draft.also(place, own);
            // A reference without a number means what stands on the row, whatever its own number is.
            gathered.rows.iter().for_each(|row| draft.also(place, key(nth, row, 0)));
        }
    }
}

/// The slots of a layer: relations from the host.
fn add_slots(file: &File<'_>, nth: usize, layer: &Layer<'_>, draft: &mut Draft<'_>) {
    for (at, feature) in layer.features.iter().enumerate().filter(|(_, feature)| feature.starts_with("ROLE_"))
    {
        let kind = layer.features.get(at + 1).copied().unwrap_or_default();
        let filled = file.layers.iter().position(|other| other.name == kind);
        let own = feature.strip_prefix("ROLE_").unwrap_or_default();
        for (host, gathered) in gather(file, nth, layer) {
            let cell = |at: usize| gathered.features.get(at).cloned().flatten();
            let (Some(roles), Some(targets)) = (cell(at), cell(at + 1)) else { continue };
            // The last number of a list was taken for that of the cell.
            let targets = whole(&targets);
            let targets = parts(&targets, b';');
            for (role, target) in parts(roles.raw, b';').into_iter().zip(&targets) {
                let role = if role == "*" || role.is_empty() { "link".to_owned() } else { unescape(role) };
                let to = resolve(file, filled, target, draft);
                let source = || format!("{own} {role} {target}");
                let before = draft.refused();
                draft.relate(&host, &to, &role, source);
                draft.place_refusals(before, gathered.first_line);
            }
        }
    }
}

fn whole(cell: &Cell<'_>) -> String {
    if cell.number == 0 { cell.raw.to_owned() } else { format!("{}[{}]", cell.raw, cell.number) }
}

/// The name under which the draft knows what `1-2` or `1-2[1]` means.
fn resolve(file: &File<'_>, layer: Option<usize>, reference: &str, draft: &Draft<'_>) -> CompactString {
    let (row, number) = match reference.strip_suffix(']').and_then(|rest| rest.split_once('[')) {
        Some((row, number)) => (row, number.parse().unwrap_or(0)),
        None => (reference, 0),
    };
    let layers = layer.map_or(0..file.layers.len(), |layer| layer..layer + 1);
    let known = layers.map(|layer| key(layer, row, number)).find(|key| draft.place(key).is_some());
    known.unwrap_or_else(|| reference.into())
}

/// Relations stand on the row that they point to and name the row that they come from: `1-1[2_0]` from the second
/// annotation of that layer to the one without a number.
fn add_relations(file: &File<'_>, layer: &Layer<'_>, draft: &mut Draft<'_>) {
    let Some(base_at) = layer.features.iter().position(|feature| feature.starts_with("BT_")) else { return };
    let base = layer.features[base_at].trim_start_matches("BT_");
    let base_layer = file.layers.iter().position(|other| other.name == base);
    for row in &file.rows {
        let columns = columns(row, layer);
        for (at, reference) in references(row, layer.column + base_at).into_iter().enumerate() {
            let (source, numbers) = reference
                .strip_suffix(']')
                .and_then(|rest| rest.split_once('['))
                .unwrap_or((reference, "0_0"));
            let (from, to) = numbers.split_once('_').unwrap_or((numbers, "0"));
            let name = |row: &str, number: &str| match number {
                "0" => row.to_owned(),
                number => format!("{row}[{number}]"),
            };
            let kind = kind(layer, &columns, at);
            let before = draft.refused();
            if base_layer.is_none() {
                for id in [source, row.id] {
                    add_bare_word(file, id, base, draft);
                }
            }
            let from = resolve_base(file, base_layer, &name(source, from), draft);
            let to = resolve_base(file, base_layer, &name(row.id, to), draft);
            draft.relate(&from, &to, &kind, || format!("{} {kind} {reference}", row.id));
            draft.place_refusals(before, row.line);
        }
    }
}

/// The references of a cell; `_` is none.
fn references<'f>(row: &Row<'f>, column: usize) -> Vec<&'f str> {
    let cell = row.cells.get(column).copied().unwrap_or("_");
    if cell == "_" || cell.is_empty() { Vec::new() } else { parts(cell, b'|') }
}

fn kind(layer: &Layer<'_>, columns: &[Vec<Cell<'_>>], at: usize) -> String {
    let features = layer.features.iter().zip(columns);
    let label = features
        .filter(|(feature, _)| LABELS.contains(*feature))
        .find_map(|(_, cells)| cells.get(at)?.value());
    label.filter(|label| !label.is_empty()).unwrap_or_else(|| layer.short().to_owned())
}

/// A relation between words that no layer has annotated: they become annotations, by the name of their type.
fn add_bare_word(file: &File<'_>, id: &str, base: &str, draft: &mut Draft<'_>) {
    let name = format_compact!("word@{id}");
    let Some(row) = file.rows.iter().find(|row| row.id == id).filter(|_| draft.place(&name).is_none()) else {
        return;
    };
    let label = base.rsplit('.').next().unwrap_or(base);
    let mut stated = Stated::new(Wanted::Span(row.begin, row.end), label);
    stated.attributes.insert("type".to_owned(), Value::from(base));
    if let Some(place) = draft.add(stated, || id.to_owned()) {
        draft.also(place, name);
    }
}

fn resolve_base(file: &File<'_>, layer: Option<usize>, reference: &str, draft: &Draft<'_>) -> CompactString {
    if layer.is_some() {
        return resolve(file, layer, reference, draft);
    }
    format_compact!("word@{}", reference.split('[').next().unwrap_or(reference))
}

/// Links by chain and place: `*->2-3` is the third of the second chain.
fn add_chains(file: &File<'_>, nth: usize, layer: &Layer<'_>, draft: &mut Draft<'_>) {
    let mut links: BTreeMap<(u32, u32), (CompactString, String, u64)> = BTreeMap::new();
    for (own, gathered) in gather(file, nth, layer) {
        let Some(Some(cell)) = gathered.features.first() else { continue };
        let place = cell.raw.rsplit_once("->").and_then(|(kind, place)| {
            let (chain, link) = place.split_once('-')?;
            Some((kind, chain.parse().ok()?, link.parse().ok()?))
        });
        match place {
            Some((kind, chain, link)) => {
                let kind = if kind == "*" { "next".to_owned() } else { unescape(kind) };
                links.insert((chain, link), (own, kind, gathered.first_line));
            }
            None => {
                draft.refuse(Kind::Relation, cell.raw.to_owned(), "relation: no link of a chain".to_owned());
            }
        }
    }
    for ((chain, link), (from, kind, line)) in &links {
        let Some((to, ..)) = links.get(&(*chain, link.saturating_add(1))) else { continue };
        let before = draft.refused();
        draft.relate(from, to, kind, || format!("chain {chain}, link {link}"));
        draft.place_refusals(before, *line);
    }
}
