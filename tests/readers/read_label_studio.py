"""Label Studio: tasks with an annotation per annotator, offsets in UTF-16 units, and the configuration that declares
their labels. Spanfleet's importer of Label Studio reads the same."""

import json
from xml.etree import ElementTree

from back import same
from corpus import Annotation, Document, Relation
from export import Export, content
from read_doccano import points
from read_jsonl import refuse, without_doubles

KEEPS = {"id", "text", "metadata", "annotator"}
VARIANTS = [["--compression", "zstd"], ["--set", "hierarchy=path"], ["--set", "partitions=3"]]


def read(export: Export) -> list[Document]:
    declared = configuration(export)
    return [
        document(task, split, declared)
        for split, path in export.files
        for task in json.loads(content(path), object_pairs_hook=without_doubles, parse_constant=refuse)
    ]


def configuration(export: Export) -> dict[str, set[str]]:
    """What may be chosen, by the kind of result."""
    view = ElementTree.parse(export.folder / "config.xml").getroot()
    assert view.find("Text").attrib == {"name": "text", "value": "$text"}
    tags = {"labels": "Label", "choices": "Choice", "relation": "Relation"}
    return {kind: {item.get("value") for item in view.iter(tag)} for kind, tag in tags.items()}


def document(task: dict, split: str, declared: dict[str, set[str]]) -> Document:
    text, annotations, relations = task["data"]["text"], [], []
    for completed in task["annotations"]:
        annotator, places = completed.get("completed_by", {}).get("email"), {}
        for result in completed["result"]:
            kind = result["type"]
            words = result["labels"] if kind == "relation" else result["value"][kind]
            assert set(words) <= declared[kind]
            if kind == "relation":
                relations.append(Relation(places[result["from_id"]], places[result["to_id"]], words[0]))
                continue
            assert result["to_name"] == "text" and result["id"] not in places
            places[result["id"]] = len(annotations)
            annotations += [Annotation(word, pieces(text, result["value"]), annotator=annotator) for word in words]
    return Document(text, annotations, relations, task["id"], split, task.get("meta"))


def pieces(text: str, value: dict) -> tuple:
    if "start" not in value:
        return ()
    start, end = points(text, value["start"]), points(text, value["end"])
    assert text[start:end] == value["text"]
    return ((start, end),)


def also(export: Export, documents: list[Document]) -> None:
    same(export, documents, "label-studio", "label", "annotator", refuses=is_address)


def is_address(document: Document) -> bool:
    """A task that holds nothing but an address has its text elsewhere, for all that its importer can know."""
    return document.text.startswith(("http://", "https://")) and not any(map(str.isspace, document.text))
