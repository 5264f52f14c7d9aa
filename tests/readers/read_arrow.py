"""Arrow IPC: pyarrow reads file and stream; pandas and `datasets` see the same rows."""

import json

import datasets
import pandas
import pyarrow

from corpus import Document, from_record
from export import Export
from read_jsonl import KEEPS as ALL

KEEPS = ALL
VARIANTS = [["--set", "arrow_ipc=stream"], ["--compression", "zstd"], ["--set", "partitions=3"], ["--set", "batch_size=2"]]


def read(export: Export) -> list[Document]:
    return [document for split, path in export.files for document in documents(table(path), split)]


def table(path) -> pyarrow.Table:
    opened = pyarrow.ipc.open_stream if path.suffix == ".arrows" else pyarrow.ipc.open_file
    with pyarrow.memory_map(str(path)) as source, opened(source) as reader:
        return reader.read_all()


def documents(rows: pyarrow.Table, split: str) -> list[Document]:
    # Finds wrong UTF-8 and wrong offsets, which plain reading does not.
    rows.validate(full=True)
    return [from_record(record(row), split) for row in rows.to_pylist()]


def record(row: dict) -> dict:
    """The neutral record: metadata and attributes are JSON, times are Arrow's, fragments are structs."""
    annotations = [
        item
        | {
            "attributes": json.loads(item["attributes"] or "null"),
            "created_at": item["created_at"] and item["created_at"].isoformat(),
            "fragments": item["fragments"] and [(piece["start"], piece["end"]) for piece in item["fragments"]],
        }
        for item in row["annotations"]
    ]
    return row | {"metadata": json.loads(row["metadata"] or "null"), "annotations": annotations}


def also(export: Export, read: list[Document]) -> None:
    for split in sorted({split for split, _ in export.files}):
        texts = [document.text for document in read if document.split == split]
        paths = [path for of, path in export.files if of == split]
        if paths[0].suffix == ".arrow":
            assert list(pandas.concat(map(pandas.read_feather, paths))["text"]) == texts
        if texts:
            rows = datasets.load_dataset("arrow", data_files=list(map(str, paths)), split="train")
            assert rows["text"][:] == texts
