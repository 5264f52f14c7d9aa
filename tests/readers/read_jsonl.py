"""JSON lines: `json` reads everything; pandas and `datasets` see the same rows."""

import json

import datasets
import pandas

from corpus import Document, from_record
from export import Export, content

KEEPS = {"id", "text", "metadata", "tokens", "annotation_id", "annotator", "confidence", "attributes", "created_at",
         "relation_confidence"}
VARIANTS = [["--compression", "gzip"], ["--compression", "zstd"], ["--set", "partitions=3"]]


def read(export: Export) -> list[Document]:
    return [from_record(row, split) for split, path in export.files for row in rows(path)]


def rows(path) -> list[dict]:
    found = []
    for line in content(path).decode("utf-8").split("\n")[:-1]:
        found.append(json.loads(line, object_pairs_hook=without_doubles, parse_constant=refuse))
    return found


def without_doubles(pairs: list[tuple]) -> dict:
    assert len(dict(pairs)) == len(pairs), f"a key stands twice in {pairs}"
    return dict(pairs)


def refuse(word: str):
    raise AssertionError(f"{word} is not JSON")


def also(export: Export, documents: list[Document]) -> None:
    for split, path in export.files:
        texts = [document.text for document in documents if document.split == split]
        frame = pandas.read_json(path, lines=True, dtype=False)
        assert list(frame["text"]) == texts
        if path.suffix == ".zst":
            # Whose objects differ from row to row, `datasets` reads whole, and a zstd file it can't.
            continue
        dataset = datasets.load_dataset("json", data_files=str(path), split="train")
        assert dataset["text"][:] == texts
        assert [len(row) for row in dataset["annotations"]] == [
            len(document.annotations) for document in documents if document.split == split
        ]
