"""TFRecord: TensorFlow parses the examples by the specification that stands beside them."""

import json
import math
import os
import struct
from dataclasses import replace

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import tensorflow as tf

from corpus import Document, from_record
from export import Export
from read_jsonl import KEEPS as ALL

KEEPS = ALL
VARIANTS = [["--compression", "gzip"], ["--set", "partitions=3"]]


def expected(document: Document) -> Document:
    """Floats have 32 bits here."""
    return replace(
        document,
        annotations=[replace(item, confidence=short(item.confidence)) for item in document.annotations],
        relations=[replace(item, confidence=short(item.confidence)) for item in document.relations],
    )


def short(number: float | None) -> float | None:
    return None if number is None else struct.unpack("f", struct.pack("f", number))[0]


def read(export: Export) -> list[Document]:
    beside = json.loads((export.folder / "features.json").read_text("utf-8"))
    features = {
        key: tf.io.FixedLenFeature([], tf.dtypes.as_dtype(entry["dtype"])) if entry["shape"] == []
        else tf.io.RaggedFeature(tf.dtypes.as_dtype(entry["dtype"]), row_splits_dtype=tf.int64)
        for key, entry in beside["features"].items()
    }
    documents = []
    for split, path in export.files:
        records = tf.data.TFRecordDataset(str(path), compression_type=beside["compression_type"])
        for batch in records.batch(512):
            columns = {key: lists(value) for key, value in tf.io.parse_example(batch, features).items()}
            rows = (dict(zip(columns, row)) for row in zip(*columns.values()))
            documents += [from_record(record(row), split) for row in rows]
    return documents


def lists(column) -> list:
    return column.to_list() if isinstance(column, tf.RaggedTensor) else column.numpy().tolist()


def words(values) -> list[str]:
    return [value.decode("utf-8") for value in values]


def known(number: float) -> float | None:
    return None if math.isnan(number) else number


def record(row: dict) -> dict:
    ids = words(row["span/id"])
    return {
        "id": row["id"].decode("utf-8"),
        "text": row["text"].decode("utf-8"),
        "metadata": json.loads(row["metadata"] or "null"),
        "annotations": annotations(row, ids),
        "relations": [
            {"source": ids[source], "target": ids[target], "type": kind, "confidence": known(confidence)}
            for source, target, kind, confidence in zip(
                row["relation/source"], row["relation/target"], words(row["relation/type"]),
                row["relation/confidence"], strict=True)
        ],
        "tokens": [
            {"start": start, "end": end, "pos": pos or None, "lemma": lemma or None, "chunk": chunk or None}
            for start, end, pos, lemma, chunk in zip(
                row["token/start"], row["token/end"],
                *(words(row[f"token/{name}"]) for name in ("pos", "lemma", "chunk")), strict=True)
        ],
    }


def annotations(row: dict, ids: list[str]) -> list[dict]:
    found = [
        {
            "id": name,
            "start": None if start < 0 else start,
            "end": None if end < 0 else end,
            "label": label,
            "annotator": annotator or None,
            "confidence": known(confidence),
            "attributes": json.loads(attributes or "null"),
            "created_at": created_at or None,
            "fragments": [],
        }
        for name, start, end, label, annotator, confidence, attributes, created_at in zip(
            ids, row["span/start"], row["span/end"], words(row["span/label"]), words(row["span/annotator"]),
            row["span/confidence"], words(row["span/attributes"]), words(row["span/created_at"]), strict=True)
    ]
    for span, start, end in zip(row["fragment/span"], row["fragment/start"], row["fragment/end"], strict=True):
        found[span]["fragments"].append((start, end))
    return found
