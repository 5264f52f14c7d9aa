"""Prodigy: accepted tasks, every span checked against the tokens that it names. Spanfleet's importer reads the same."""

from back import same
from corpus import Annotation, Document, Relation
from export import Export
from read_jsonl import rows

KEEPS = {"id", "text", "metadata"}
VARIANTS = [["--set", "tokenizer=gold"], ["--set", "tokenizer=whitespace"], ["--compression", "gzip"],
            ["--set", "partitions=3"]]


def read(export: Export) -> list[Document]:
    return [document(task, split) for split, path in export.files for task in rows(path)]


def document(task: dict, split: str) -> Document:
    assert task["answer"] == "accept"
    text, tokens = task["text"], task["tokens"]
    assert [token["id"] for token in tokens] == list(range(len(tokens)))
    assert "".join(token["text"] + " " * token["ws"] for token in tokens) == text
    assert all(text[token["start"]:token["end"]] == token["text"] for token in tokens)
    places = {place(span, tokens): at for at, span in enumerate(task["spans"])}
    assert len(places) == len(task["spans"]), "a span stands twice"
    assert all(text[span["start"]:span["end"]] == span["text"] for span in task["spans"])
    annotations = [Annotation(label, ((start, end),)) for start, end, label in places]
    assert set(task.get("accept", [])) <= {option["id"] for option in task.get("options", [])}
    annotations += [Annotation(label, ()) for label in task.get("accept", [])]
    relations = []
    for item in task["relations"]:
        head, child = item["head_span"], item["child_span"]
        assert (item["head"], item["child"]) == (head["token_end"], child["token_end"])
        relations.append(Relation(places[place(head, tokens)], places[place(child, tokens)], item["label"]))
    return Document(text, annotations, relations, task["id"], split, task.get("meta"))


def place(span: dict, tokens: list[dict]) -> tuple[int, int, str]:
    assert tokens[span["token_start"]]["start"] == span["start"]
    assert tokens[span["token_end"]]["end"] == span["end"]
    return span["start"], span["end"], span["label"]


def also(export: Export, documents: list[Document]) -> None:
    # Of several spans in one place, the importer gives a relation to the first.
    same(export, documents, "prodigy", "label", relations=False)
