"""Parquet that `datasets` wrote itself, read by Spanfleet's importer."""

import json
from pathlib import Path

import datasets
import pytest
from datasets import ClassLabel, Dataset, Features, Sequence, Value

from export import spanfleet


def imported(path: Path, folder: Path) -> list[dict]:
    spanfleet("export", path, "--format", "jsonl", "--out", folder, "-q")
    return [json.loads(line) for line in (folder / "train.jsonl").read_text("utf-8").split("\n") if line]


def bones(records: list[dict]) -> list:
    return [(record["text"], [(it["start"], it["end"], it["label"]) for it in record["annotations"]]) for record in records]


TAGS = ClassLabel(names=["O", "B-PER", "I-PER", "B-LOC"])
CASES = {
    "tokens": (
        {"id": ["a", "b"], "tokens": [["Ada", "😀", "met", "Oslo"], []], "ner_tags": [[1, 2, 0, 3], []]},
        Features({"id": Value("string"), "tokens": Sequence(Value("string")), "ner_tags": Sequence(TAGS)}),
        [("Ada 😀 met Oslo", [(0, 5, "PER"), (10, 14, "LOC")]), ("", [])],
    ),
    "one label": (
        {"text": ["schön", "no"], "label": [1, -1]},
        Features({"text": Value("string"), "label": ClassLabel(names=["bad", "good"])}),
        [("schön", [(None, None, "good")]), ("no", [])],
    ),
    "several labels": (
        {"text": ["x"], "labels": [[0, 1]]},
        Features({"text": Value("string"), "labels": Sequence(ClassLabel(names=["a", "b"]))}),
        [("x", [(None, None, "a"), (None, None, "b")])],
    ),
    "spans": (
        {"text": ["😀 Ada"], "spans": [[{"start": 2, "end": 5, "label": 1}]]},
        Features({"text": Value("string"), "spans": [{"start": Value("int64"), "end": Value("int64"), "label": TAGS}]}),
        [("😀 Ada", [(2, 5, "B-PER")])],
    ),
    "strings for labels": (
        {"text": ["Ada"], "entities": [[{"start": 0, "end": 3, "label": "PER"}]]},
        None,
        [("Ada", [(0, 3, "PER")])],
    ),
    "answers": (
        {"id": ["q"], "title": ["t"], "context": ["Ada met Bo"], "question": ["Who?"],
         "answers": [{"text": ["Bo"], "answer_start": [8]}]},
        None,
        [("Ada met Bo", [(8, 10, "answer")])],
    ),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("options", [{}, {"batch_size": 1}], ids=str)
def test_what_datasets_writes_is_imported(case: str, options: dict, tmp_path: Path) -> None:
    columns, features, expected = CASES[case]
    Dataset.from_dict(columns, features=features).to_parquet(tmp_path / "x.parquet", **options)
    assert bones(imported(tmp_path / "x.parquet", tmp_path / "out")) == expected


def test_a_folder_of_shards_is_imported(tmp_path: Path) -> None:
    columns, features, _ = CASES["one label"]
    whole = Dataset.from_dict({key: values * 50 for key, values in columns.items()}, features=features)
    (tmp_path / "shards").mkdir()
    for at in range(4):
        whole.shard(4, at, contiguous=True).to_parquet(tmp_path / "shards" / f"train-{at:05}-of-00004.parquet")
    found = imported(tmp_path / "shards", tmp_path / "out")
    assert [record["text"] for record in found] == whole["text"][:]
    assert len({record["id"] for record in found}) == 100


def test_what_spanfleet_wrote_and_datasets_wrote_again_is_the_same(tmp_path: Path) -> None:
    harbour = Path(__file__).resolve().parents[2] / "examples/harbour/harbour.jsonl"
    spanfleet("export", harbour, "--format", "transformers", "--out", tmp_path / "first", "-q")
    rows = datasets.load_dataset(str(tmp_path / "first"), cache_dir=tmp_path / "cache", split="train")
    rows.to_parquet(tmp_path / "again.parquet")
    first = imported(tmp_path / "first/data", tmp_path / "one")
    again = imported(tmp_path / "again.parquet", tmp_path / "two")
    assert bones(again) == bones(first) and first
