"""doccano: entities and relations, offsets in UTF-16 units. Spanfleet's importer of doccano reads the same."""

from back import same
from corpus import Annotation, Document, Relation
from export import Export
from read_jsonl import rows

KEEPS = {"id", "text", "metadata"}
VARIANTS = [["--compression", "gzip"], ["--set", "hierarchy=path"], ["--set", "partitions=3"]]


def read(export: Export) -> list[Document]:
    return [document(example, split) for split, path in export.files for example in rows(path)]


def document(example: dict, split: str) -> Document:
    text, entities = example["text"], example["entities"]
    places = {entity["id"]: at for at, entity in enumerate(entities)}
    assert len(places) == len(entities)
    annotations = [
        Annotation(entity["label"], ((points(text, entity["start_offset"]), points(text, entity["end_offset"])),))
        for entity in entities
    ]
    annotations += [Annotation(label, ()) for label in example.get("cats", [])]
    relations = [
        Relation(places[item["from_id"]], places[item["to_id"]], item["type"]) for item in example["relations"]
    ]
    return Document(text, annotations, relations, example["id"], split, example.get("meta"))


def points(text: str, units: int) -> int:
    """Code points before a place that is counted in UTF-16 units."""
    return len(text.encode("utf-16-le")[:2 * units].decode("utf-16-le"))


def also(export: Export, documents: list[Document]) -> None:
    same(export, documents, "doccano", "label")
