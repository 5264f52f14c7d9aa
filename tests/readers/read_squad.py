"""SQuAD: every question with its answers, as the evaluation script of SQuAD walks them. A span is told by its question,
or by its label where it has none, which is asked for then. Spanfleet's importer reads the same spans."""

import json
from dataclasses import replace

from back import imported
from corpus import Annotation, Document
from export import Export, content
from read_jsonl import refuse, without_doubles

KEEPS = {"text"}
VARIANTS = [["--set", "squad_version=2.0"], ["--compression", "gzip"], ["--set", "partitions=3"]]


def expected(document: Document) -> Document:
    annotations = [replace(item, label=(item.attributes or {}).get("question", item.label)) for item in document.annotations]
    return replace(document, annotations=annotations)


def read(export: Export) -> list[Document]:
    documents = []
    for split, path in export.files:
        squad = json.loads(content(path), object_pairs_hook=without_doubles, parse_constant=refuse)
        is_second = str(export.options.get("squad_version")) == "2.0"
        assert squad["version"] == ("v2.0" if is_second else "1.1")
        paragraphs = [paragraph for article in squad["data"] for paragraph in article["paragraphs"]]
        asked = [question["id"] for paragraph in paragraphs for question in paragraph["qas"]]
        assert len(set(asked)) == len(asked), "an id stands twice"
        documents += [Document(item["context"], answers(item, is_second), split=split) for item in paragraphs]
    return documents


def answers(paragraph: dict, is_second: bool) -> list[Annotation]:
    found = []
    for question in paragraph["qas"]:
        assert ("is_impossible" in question) == is_second
        assert question["answers"] or question["is_impossible"]
        if not question["answers"]:
            found.append(Annotation(question["question"], ()))
        for answer in question["answers"]:
            start, end = answer["answer_start"], answer["answer_start"] + len(answer["text"])
            assert answer["text"] and paragraph["context"][start:end] == answer["text"]
            found.append(Annotation(question["question"], ((start, end),)))
    return found


def also(export: Export, documents: list[Document]) -> None:
    for split, path in export.files:
        told = [document for document in documents if document.split == split]
        back = imported(export, path, "squad") if told else []
        assert [document.text for document in back] == [document.text for document in told]
        for one, other in zip(back, told):
            assert sorted(item.pieces for item in one.annotations) == sorted(item.pieces for item in other.annotations)
