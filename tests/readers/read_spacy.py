"""spaCy: DocBin files as `spacy train` loads them. Spans stand in `spans["sc"]`, those that don't overlap in `ents`
too, labels of whole texts in `cats`, relations in `user_data`."""

import json
from pathlib import Path

import spacy
from spacy.tokens import DocBin
from spacy.training import Corpus
from spacy.util import filter_spans

from corpus import Annotation, Document, Relation
from export import Export

KEEPS = {"id", "text", "metadata", "relation_confidence"}
VARIANTS = [
    ["--set", "tokenizer=gold"],
    ["--set", "tokenizer=whitespace", "--set", "alignment=contract"],
    ["--set", "alignment=strict"],
    ["--set", "partitions=3"],
]
BLANK = spacy.blank("xx")


def read(export: Export) -> list[Document]:
    return [
        document(doc, split)
        for split, path in export.files
        for doc in DocBin().from_disk(path).get_docs(BLANK.vocab)
    ]


def document(doc, split: str) -> Document:
    spans = list(doc.spans["sc"]) if "sc" in doc.spans else []
    annotations = [Annotation(span.label_, ((span.start_char, span.end_char),)) for span in spans]
    annotations += [Annotation(label, ()) for label, value in doc.cats.items() if value == 1.0]
    for span in spans:
        assert doc.text[span.start_char:span.end_char] == span.text
    check_entities(doc, spans)
    relations = [
        Relation(item["source"], item["target"], item["type"], item["confidence"])
        for item in doc.user_data.get("relations", [])
    ]
    pairs = doc.user_data.get(("._.", "rel", None, None), {})
    ends = {(spans[tie.source].start, spans[tie.target].start, tie.type) for tie in relations}
    assert {(*pair, kind) for pair, kinds in pairs.items() for kind in kinds} == ends
    # MessagePack gives lists back as tuples.
    metadata = json.loads(json.dumps(doc.user_data.get("metadata")))
    return Document(doc.text, annotations, relations, doc.user_data["id"], split, metadata)


def check_entities(doc, spans) -> None:
    """`ents` are what spaCy itself would keep of the spans, and a text without any is annotated all the same."""
    assert doc.has_annotation("ENT_IOB") or not len(doc)
    kept = {(span.start, span.end) for span in filter_spans(spans)}
    assert {(span.start, span.end) for span in doc.ents} == kept
    assert {(span.start, span.end, span.label_) for span in doc.ents} <= {
        (span.start, span.end, span.label_) for span in spans
    }


def also(export: Export, documents: list[Document]) -> None:
    """The trainer's own reader takes the folder, and skips texts without tokens alone."""
    for split in {split for split, _ in export.files}:
        examples = list(Corpus(Path(export.folder / split))(BLANK))
        texts = [document.text for document in documents if document.split == split and document.text]
        assert [example.reference.text for example in examples] == texts
