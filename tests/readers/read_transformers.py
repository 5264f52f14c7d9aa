"""Hugging Face's layout: `datasets.load_dataset("DIR")` opens the folder offline, with splits and label names.

Every `task_type` tells something else of a text; each is read back to annotations.
"""

import json
from dataclasses import replace
from itertools import groupby

import datasets

from corpus import Annotation, Document, Relation
from export import Export
from read_conll import entities

TASKS = ["sequence_classification", "relation_extraction", "question_answering", "language_modeling"]
VARIANTS = [
    *[["--set", f"task_type={task}"] for task in TASKS],
    ["--set", "data_files=jsonl"],
    ["--set", "data_files=jsonl", "--compression", "gzip"],
    ["--set", "label_scheme=BILOU"],
    ["--set", "tokenizer=gold", "--compression", "zstd"],
    ["--set", "partitions=3"],
]


def KEEPS(export: Export) -> set[str]:  # noqa: N802
    # A row of SQuAD has the id of its question.
    return {"text"} if task_of(export) == "question_answering" else {"id", "text"}


def task_of(export: Export) -> str:
    return export.options.get("task_type", "token_classification")


def read(export: Export) -> list[Document]:
    task = task_of(export)
    # `datasets` opens no folder without a row.
    splits = datasets.load_dataset(str(export.folder)) if export.manifest["counts"]["texts"] else {}
    assert set(splits) == {"validation" if split == "dev" else split for split, _ in export.files}
    documents = []
    for split, rows in splits.items():
        names = label_names(export.folder, rows, task)
        documents += TELL[task](rows, names, "dev" if split == "validation" else split, export)
    return documents


def label_names(folder, rows, task: str) -> list[str] | None:
    """ClassLabel's names, which are those of `labels.json`."""
    if task not in ("token_classification", "sequence_classification"):
        return None
    column = rows.features[{"token_classification": "ner_tags"}.get(task) or next(iter({"label", "labels"} & set(rows.features)))]
    names = getattr(column, "feature", column).names
    beside = json.loads((folder / "labels.json").read_text("utf-8"))
    assert beside["label_to_id"] == {name: at for at, name in enumerate(names)}
    assert beside["id_to_label"] == {str(at): name for at, name in enumerate(names)}
    return names


def tokens(rows, names: list[str], split: str, export: Export) -> list[Document]:
    scheme = export.options.get("label_scheme", "BIO")
    found = []
    for row in rows:
        offsets = [(item["start"], item["end"]) for item in row["offsets"]]
        assert [row["text"][start:end] for start, end in offsets] == row["tokens"]
        annotations = []
        for item in entities([names[tag] for tag in row["ner_tags"]], scheme):
            (first, end), = item.pieces
            annotations.append(replace(item, pieces=((offsets[first][0], offsets[end - 1][1]),)))
        found.append(Document(row["text"], annotations, id=row["id"], split=split))
    return found


def sequences(rows, names: list[str], split: str, _) -> list[Document]:
    return [
        Document(row["text"], [Annotation(names[label], ()) for label in row.get("labels", [row.get("label")]) if label >= 0],
                 id=row["id"], split=split)
        for row in rows
    ]


def relations(rows, _names, split: str, _export) -> list[Document]:
    labels, types = names_within(rows, "entities", "label"), names_within(rows, "relations", "type")
    return [
        Document(
            row["text"],
            [Annotation(labels[item["label"]], ((item["start"], item["end"]),)) for item in row["entities"]],
            [Relation(item["head"], item["tail"], types[item["type"]]) for item in row["relations"]],
            row["id"],
            split,
        )
        for row in rows
    ]


def names_within(rows, column: str, member: str) -> list[str]:
    feature = rows.features[column]
    return (feature[0] if isinstance(feature, list) else feature.feature)[member].names


def questions(rows, _names, split: str, _export) -> list[Document]:
    found = []
    for (_, context), group in groupby(rows, lambda row: (row["title"], row["context"])):
        answers = [pair for row in group for pair in zip(row["answers"]["text"], row["answers"]["answer_start"], strict=True)]
        assert all(context[start:start + len(text)] == text for text, start in answers)
        annotations = [Annotation("answer", ((start, start + len(text)),)) for text, start in answers]
        found.append(Document(context, annotations, split=split))
    return found


def texts(rows, _names, split: str, _export) -> list[Document]:
    return [Document(row["text"], [], id=row["id"], split=split) for row in rows]


TELL = {
    "token_classification": tokens,
    "sequence_classification": sequences,
    "relation_extraction": relations,
    "question_answering": questions,
    "language_modeling": texts,
}
