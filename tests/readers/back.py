"""Exports for annotation tools, read back by Spanfleet's own importers of these tools."""

from collections import Counter
from pathlib import Path

from corpus import Document, load
from export import Export, spanfleet


def imported(export: Export, path: Path, input_format: str, *arguments: object) -> list[Document]:
    """A data file as the importer takes it, which ends with an error where it refuses anything."""
    folder = export.folder.parent / f"back-{path.name}"
    spanfleet("export", path, "--input-format", input_format, "--format", "jsonl", "--out", folder,
              "--include-relations", "--set", "hierarchy=path", "-q", *arguments)
    return load(folder / "train.jsonl")


def same(export: Export, documents: list[Document], input_format: str, *fields: str, relations: bool = True,
         refuses=lambda document: False) -> None:
    """Asserts that the importer reads what the reader read: texts, ids, spans with those fields, and relations. Of
    whole texts it sets aside those that it `refuses`."""
    for split, path in export.files:
        told_here = [document for document in documents if document.split == split]
        expected = [document for document in told_here if not refuses(document)]
        if not expected:
            continue
        rejects = export.folder.parent / f"rejects-{path.name}"
        skips = ["--skip-invalid", rejects] if len(expected) < len(told_here) else []
        found = imported(export, path, input_format, *skips)
        if skips:
            assert len(rejects.read_text("utf-8").splitlines()) == len(told_here) - len(expected)
        for one, other in zip(found, expected, strict=True):
            end = None if relations else 3
            assert told(one, fields)[:end] == told(other, fields)[:end]


def told(document: Document, fields: tuple[str, ...]) -> tuple:
    keys = [(item.pieces, *(getattr(item, name) for name in fields)) for item in document.annotations]
    ties = Counter((keys[tie.source], keys[tie.target], tie.type) for tie in document.relations)
    return document.text, document.id, Counter(keys), ties
