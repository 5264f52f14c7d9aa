"""XML 1.0: lxml reads everything; ElementTree sees the same tree."""

import json
import re
from dataclasses import replace
from xml.etree import ElementTree

from lxml import etree

from corpus import Document, from_record
from export import Export, content
from read_jsonl import KEEPS as ALL

KEEPS = ALL
VARIANTS = [["--compression", "gzip"], ["--set", "partitions=3"]]
# What XML 1.0 can't hold, even escaped.
ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def expected(document: Document) -> Document:
    """Characters that XML can't hold are replaced one by one, so that offsets stay."""
    return replace(document, text=ILLEGAL.sub("\ufffd", document.text))


def read(export: Export) -> list[Document]:
    # The parser's limit is 10 MB for a text.
    parser = etree.XMLParser(huge_tree=True, resolve_entities=False)
    return [
        from_record(record(text), split)
        for split, path in export.files
        for text in etree.fromstring(content(path), parser)
    ]


def record(text) -> dict:
    tokens = text.find("tokens")
    return {
        "id": text.get("id"),
        "text": text.findtext("content"),
        "metadata": json.loads(text.findtext("metadata") or "null"),
        "annotations": [annotation(item) for item in text.findall("annotation")],
        "relations": [{**item.attrib, "confidence": number(item)} for item in text.findall("relation")],
        "tokens": None if tokens is None else [token(item) for item in tokens],
    }


def annotation(item) -> dict:
    pieces = [[int(piece.get("start")), int(piece.get("end"))] for piece in item.findall("fragment")]
    return {
        **item.attrib,
        "start": int(item.get("start")) if "start" in item.attrib else None,
        "end": int(item.get("end")) if "end" in item.attrib else None,
        "confidence": number(item),
        "attributes": json.loads(item.findtext("attributes") or "null"),
        "fragments": pieces or None,
    }


def number(item) -> float | None:
    return float(item.get("confidence")) if "confidence" in item.attrib else None


def token(item) -> dict:
    return {**item.attrib, "start": int(item.get("start")), "end": int(item.get("end"))}


def also(export: Export, documents: list[Document]) -> None:
    again = [
        from_record(record(text), split)
        for split, path in export.files
        for text in ElementTree.fromstring(content(path))
    ]
    assert again == documents
