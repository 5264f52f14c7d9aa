"""spaCy's JSON: every line through `Doc.from_json`, which refuses what doesn't fit its tokens."""

from spacy.tokens import Doc

from corpus import Annotation, Document, Relation, number
from export import Export
from read_jsonl import rows
from read_spacy import BLANK, check_entities

KEEPS = {"id", "text", "metadata", "relation_confidence"}
VARIANTS = [
    ["--set", "tokenizer=gold"],
    ["--set", "tokenizer=whitespace", "--set", "alignment=contract"],
    ["--set", "alignment=strict", "--compression", "zstd"],
    ["--set", "partitions=3"],
]


def read(export: Export) -> list[Document]:
    return [document(row, split) for split, path in export.files for row in rows(path)]


def document(row: dict, split: str) -> Document:
    doc = Doc(BLANK.vocab).from_json(row, validate=True)
    spans = list(doc.spans["sc"])
    assert [(token.idx, token.idx + len(token)) for token in doc] == [(item["start"], item["end"]) for item in row["tokens"]]
    check_entities(doc, spans)
    annotations = [Annotation(span.label_, ((span.start_char, span.end_char),)) for span in spans]
    annotations += [Annotation(label, ()) for label, value in doc.cats.items() if value == 1.0]
    relations = [
        Relation(item["source"], item["target"], item["type"], number(item["confidence"])) for item in row["relations"]
    ]
    return Document(doc.text, annotations, relations, row["id"], split, row.get("metadata"))
