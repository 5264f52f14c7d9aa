"""CSV: Python's `csv` reads everything, from a row per annotation or per text; pandas sees the same cells."""

import csv
import io
import json
from itertools import groupby

import pandas

from corpus import Document, from_record
from export import Export, content
from read_jsonl import KEEPS as ALL

KEEPS = ALL - {"tokens"}
VARIANTS = [["--set", "rows=text"], ["--set", "csv_bom=true"], ["--compression", "gzip"], ["--set", "partitions=3"]]
# A cell may hold a text of any length.
csv.field_size_limit(1 << 30)


def read(export: Export) -> list[Document]:
    by_text = export.options.get("rows") == "text"
    documents = []
    for split, path in export.files:
        cells = list(csv.DictReader(io.StringIO(plain(path), newline=""), strict=True))
        records = map(record_of_text, cells) if by_text else records_of_annotations(cells)
        documents += [from_record(record, split) for record in records]
    return documents


def plain(path) -> str:
    text = content(path).decode("utf-8-sig")
    assert text.endswith("\r\n"), "RFC 4180 ends every record with CR LF"
    return text


def record_of_text(row: dict) -> dict:
    names = ("metadata", "annotations", "relations")
    return {"id": row["text_id"], "text": row["text"], **{name: json.loads(row[name] or "null") for name in names}}


def records_of_annotations(rows: list[dict]):
    for text_id, group in groupby(rows, lambda row: row["text_id"]):
        group = list(group)
        first = group[0]
        yield {
            "id": text_id,
            "text": first["text"],
            "metadata": json.loads(first["metadata"] or "null"),
            "relations": json.loads(first["relations"] or "[]"),
            "annotations": [annotation(row, first["text"]) for row in group if row["annotation_id"]],
        }


def annotation(row: dict, text: str) -> dict:
    fragments = json.loads(row["fragments"] or "null")
    start, end = (int(row[name]) if row[name] else None for name in ("start", "end"))
    pieces = fragments or ([] if start is None else [(start, end)])
    assert row["selected_text"] == " ".join(text[start:end] for start, end in pieces)
    return {
        "id": row["annotation_id"],
        "start": start,
        "end": end,
        "label": row["label"],
        "annotator": row["annotator"] or None,
        "confidence": float(row["confidence"]) if row["confidence"] else None,
        "attributes": json.loads(row["attributes"] or "null"),
        "created_at": row["created_at"] or None,
        "fragments": fragments,
    }


def also(export: Export, documents: list[Document]) -> None:
    for _, path in export.files:
        frame = pandas.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
        cells = list(csv.reader(io.StringIO(plain(path), newline=""), strict=True))
        assert [list(frame.columns), *frame.values.tolist()] == cells
