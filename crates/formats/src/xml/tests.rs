use base64::{Engine, engine::general_purpose::STANDARD};
use proptest::prelude::*;
use roxmltree::{Document as Tree, Node};
use spanfleet_core::{Json, Timestamp};

use super::*;
use crate::laws::documents;
use crate::testing::{document, export_text, order};

fn everything() -> Order {
    let mut order = order("xml", r#"{"hierarchy":"path"}"#);
    order.include.relations = true;
    order
}

fn value(node: Node<'_, '_>, name: &str) -> Option<String> {
    let original = node.attribute(format!("{name}-base64").as_str());
    let original = original.map(|text| String::from_utf8(STANDARD.decode(text).unwrap()).unwrap());
    original.or_else(|| node.attribute(name).map(str::to_owned))
}

fn offset(node: Node<'_, '_>, name: &str) -> Option<u32> {
    node.attribute(name).map(|offset| offset.parse().unwrap())
}

fn children<'a>(node: Node<'a, 'a>, name: &'static str) -> impl Iterator<Item = Node<'a, 'a>> {
    node.children().filter(move |child| child.has_tag_name(name))
}

fn child<'a>(node: Node<'a, 'a>, name: &'static str) -> Option<&'a str> {
    children(node, name).next().map(|child| child.text().unwrap_or_default())
}

fn confidence(node: Node<'_, '_>) -> Option<f64> {
    node.attribute("confidence").map(|number| number.parse().unwrap())
}

fn read_annotation(node: Node<'_, '_>) -> Annotation {
    let span = |node| Some((offset(node, "start")?, offset(node, "end")?));
    let pieces: Vec<_> = children(node, "fragment").filter_map(span).collect();
    let extent = match span(node) {
        None => Extent::Text,
        Some(_) if !pieces.is_empty() => Extent::Fragments(pieces),
        Some((start, end)) => Extent::Span { start, end },
    };
    Annotation {
        id: value(node, "id").unwrap().into(),
        extent,
        label: value(node, "label").unwrap().into(),
        annotator: value(node, "annotator").map(Into::into),
        confidence: confidence(node),
        attributes: child(node, "attributes").map(|json| Json::parse(json).unwrap()),
        created_at: node.attribute("created_at").map(|time| Timestamp::parse(time).unwrap()),
    }
}

fn read_text(node: Node<'_, '_>) -> Document {
    let original = child(node, "original").map(|text| STANDARD.decode(text).unwrap());
    let original = original.map(|bytes| String::from_utf8(bytes).unwrap());
    let relation = |node| Relation {
        source: value(node, "source").unwrap().into(),
        target: value(node, "target").unwrap().into(),
        kind: value(node, "type").unwrap().into(),
        confidence: confidence(node),
    };
    let token = |node| Token {
        start: offset(node, "start").unwrap(),
        end: offset(node, "end").unwrap(),
        pos: value(node, "pos").map(Into::into),
        lemma: value(node, "lemma").map(Into::into),
        chunk: value(node, "chunk").map(Into::into),
    };
    let tokens = children(node, "tokens").next();
    Document {
        id: value(node, "id").unwrap().into(),
        text: original.or_else(|| child(node, "content").map(str::to_owned)).unwrap(),
        metadata: child(node, "metadata").map(|json| Json::parse(json).unwrap()),
        annotations: children(node, "annotation").map(read_annotation).collect(),
        relations: children(node, "relation").map(relation).collect(),
        tokens: tokens.map(|tokens| children(tokens, "token").map(token).collect()),
    }
}

fn read(xml: &str) -> Vec<Document> {
    let tree = Tree::parse(xml).unwrap_or_else(|error| panic!("{error}: {xml}"));
    children(tree.root_element(), "text").map(read_text).collect()
}

proptest! {
    #[test]
    fn what_is_read_back_is_what_was_selected(mut documents in documents::documents()) {
        let (xml, _) = export_text(&everything(), &documents);
        for document in &mut documents {
            let ids: Vec<_> = document.annotations.iter().map(|annotation| annotation.id.clone()).collect();
            document.relations.retain(|relation| ids.contains(&relation.source) && ids.contains(&relation.target));
        }
        // NaN is not equal to itself.
        prop_assert_eq!(format!("{:?}", read(&xml)), format!("{documents:?}"));
    }
}

#[test]
fn characters_that_xml_forbids_are_replaced_and_kept_beside() {
    let odd = document(
        r#"{"id":"a\u0001","text":"x\u0000y\uffff","annotations":[{"id":"1","start":0,"end":1,"label":"L\u0002"}],
            "metadata":{"k":"\u0003"}}"#,
    );
    let (xml, ledger) = export_text(&everything(), std::slice::from_ref(&odd));
    assert!(xml.contains(">x\u{fffd}y\u{fffd}</content>"), "{xml}");
    assert_eq!(read(&xml), [odd]);
    let changes: Vec<_> = ledger.changes(0).iter().map(|change| (change.reason, change.count)).collect();
    assert_eq!(changes, [(Change::Cleaned, 1), (Change::Cleaned, 1)]);
}

#[test]
fn an_empty_file_has_a_root() {
    assert!(read(&export_text(&everything(), &[]).0).is_empty());
}
