"""Chat: conversations as trainers of chat models take them; the assistant's turn is JSON. Offsets are compared with the
text that stands in the user's turn."""

import json
from itertools import groupby

from corpus import Annotation, Document, Relation
from export import Export
from read_jsonl import rows

TASKS = ["sequence_classification", "relation_extraction", "question_answering"]
VARIANTS = [*[["--set", f"task_type={task}"] for task in TASKS], ["--set", "system_message=You label texts."],
            ["--compression", "gzip"], ["--set", "partitions=3"]]
KEEPS = {"text"}


def read(export: Export) -> list[Document]:
    task = export.options.get("task_type", "token_classification")
    documents = []
    for split, path in export.files:
        talks = [turns(row, export.options.get("system_message")) for row in rows(path)]
        documents += TELL[task](talks, split)
    return documents


def turns(row: dict, system: str | None) -> tuple[str, dict]:
    """What follows the instruction, and the answer."""
    assert set(row) == {"messages"} and all(set(turn) == {"role", "content"} for turn in row["messages"])
    roles = [turn["role"] for turn in row["messages"]]
    assert roles == [*(["system"] if system else []), "user", "assistant"]
    assert system is None or row["messages"][0]["content"] == system
    asked, answer = row["messages"][-2]["content"], row["messages"][-1]["content"]
    return asked.split("\n\n", 1)[1], json.loads(answer)


def spans(talks: list, split: str) -> list[Document]:
    found = []
    for text, answer in talks:
        annotations = [Annotation(item["label"], piece(text, item)) for item in answer["spans"]]
        relations = [Relation(item["head"], item["tail"], item["type"]) for item in answer.get("relations", [])]
        found.append(Document(text, annotations, relations, split=split))
    return found


def piece(text: str, item: dict) -> tuple:
    assert text[item["start"]:item["end"]] == item["text"]
    return ((item["start"], item["end"]),)


def labels(talks: list, split: str) -> list[Document]:
    return [Document(text, [Annotation(label, ()) for label in answer["labels"]], split=split) for text, answer in talks]


def questions(talks: list, split: str) -> list[Document]:
    found = []
    for text, group in groupby(talks, lambda talk: talk[0].split("\n\n", 1)[1]):
        answers = [item for _, answer in group for item in answer["answers"]]
        found.append(Document(text, [Annotation("answer", piece(text, item)) for item in answers], split=split))
    return found


TELL = {
    "token_classification": spans,
    "relation_extraction": spans,
    "sequence_classification": labels,
    "question_answering": questions,
}
