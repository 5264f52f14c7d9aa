"""One JSON array: `json` reads everything; pandas and `datasets` see the same rows."""

import json

import datasets
import pandas

from corpus import Document, from_record
from export import Export, content
from read_jsonl import KEEPS, VARIANTS, refuse, without_doubles

__all__ = ["KEEPS", "VARIANTS"]


def read(export: Export) -> list[Document]:
    return [
        from_record(row, split)
        for split, path in export.files
        for row in json.loads(content(path), object_pairs_hook=without_doubles, parse_constant=refuse)
    ]


def also(export: Export, documents: list[Document]) -> None:
    for split, path in export.files:
        texts = [document.text for document in documents if document.split == split]
        assert list(pandas.read_json(path, dtype=False)["text"]) == texts
        if path.suffix != ".zst":
            assert datasets.load_dataset("json", data_files=str(path), split="train")["text"][:] == texts
