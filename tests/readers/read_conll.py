"""CoNLL: columns as Python's `str.split()` finds them, entities as seqeval reads the scheme; conllu finds the same
columns, and `spacy convert` the same entities."""

from dataclasses import replace
from urllib.parse import unquote

import conllu
from seqeval.scheme import BILOU, IOB1, IOB2, IOBES, Entities
from spacy.training.converters import conll_ner_to_docs

from corpus import Annotation, Document
from export import Export, content

KEEPS: set[str] = set()
VARIANTS = [
    ["--set", "label_scheme=BILOU"],
    ["--set", "label_scheme=IOBES", "--set", "docstart=false", "--set", "include_lemma=true"],
    ["--set", "label_scheme=IOB1", "--set", 'columns=["token","pos","chunk","label"]', "--set", "tokenizer=gold"],
    ["--set", "label_scheme=IO"],
    ["--set", "alignment=contract", "--set", "overlap=first"],
    ["--set", "alignment=strict", "--set", "overlap=confidence", "--set", "tokenizer=whitespace"],
    ["--compression", "gzip"],
    ["--set", "partitions=3"],
]
SCHEMES = {"BIO": IOB2, "BILOU": BILOU, "IOBES": IOBES, "IOB1": IOB1}


def read(export: Export) -> list[Document]:
    scheme = export.options.get("label_scheme", "BIO")
    return [
        Document(None, entities(tags, scheme), words=words, split=split)
        for split, path in export.files
        for words, tags in sentences(export, path)
    ]


def columns(export: Export) -> tuple[list[str], int]:
    names = list(export.options.get("columns", ["token", "label"]))
    for name in ("pos", "lemma"):
        if export.options.get(f"include_{name}"):
            names.append(name)
    return names, names.index("label")


def sentences(export: Export, path) -> list[tuple[list[str], list[str]]]:
    names, label = columns(export)
    found, rows = [], []
    for line in content(path).decode("utf-8").split("\n"):
        if line:
            cells = line.split()
            assert cells == line.split("\t") and len(cells) == len(names), f"{names} are not in `{line}`"
            rows.append(cells)
        elif rows:
            if rows[0][0] != "-DOCSTART-":
                found.append(([row[0] for row in rows], [row[label] for row in rows]))
            rows = []
    assert not rows, "the last sentence does not end"
    return found


def entities(tags: list[str], scheme: str) -> list[Annotation]:
    """Under a strict reading of the scheme; `IO` is none of seqeval's, and its runs are told by their labels."""
    if scheme == "IO":
        return runs(tags)
    found = Entities([tags], SCHEMES[scheme]).entities[0]
    return [Annotation(unquote(entity.tag), ((entity.start, entity.end),)) for entity in found]


def runs(tags: list[str]) -> list[Annotation]:
    found, start = [], 0
    for at in range(1, len(tags) + 1):
        if at == len(tags) or tags[at] != tags[start]:
            if tags[start] != "O":
                found.append(Annotation(unquote(tags[start].removeprefix("I-")), ((start, at),)))
            start = at
    return found


def settle(export: Export, read: list[Document], expected: list[Document]) -> list[Document]:
    """Under `IO` a span right after one of the same label is lost: both read as one, which is cut here to what it
    was written for."""
    if export.options.get("label_scheme") != "IO":
        return read
    ledger = export.ledger()
    found = []
    for one, other in zip(read, expected, strict=True):
        lost = {
            (item.label, *item.pieces[0]) for item in other.annotations if item.pieces
            and "unrepresentable" in ledger.named("losses", "annotation", other.id, item.id)
        }
        found.append(replace(one, annotations=[cut(item, lost) for item in one.annotations]))
    return found


def cut(annotation: Annotation, lost: set) -> Annotation:
    (start, end), = annotation.pieces
    after = [begin for label, begin, last in lost if label == annotation.label and start < begin and last == end]
    if not after:
        return annotation
    return cut(replace(annotation, pieces=((start, max(after) - 1),)), lost)


def also(export: Export, documents: list[Document]) -> None:
    names, _ = columns(export)
    for split, path in export.files:
        text = content(path).decode("utf-8")
        own = sentences(export, path)
        # conllu takes a line that begins with `#` for a comment.
        parsed = [[token["token"] for token in sentence] for sentence in conllu.parse(text, fields=names)]
        spared = [[word for word in words if word[0] != "#"] for words, _ in own]
        assert [words for words in parsed if words != ["-DOCSTART-"]] == [words for words in spared if words]
        if "label" == names[-1] and export.options.get("label_scheme", "BIO") in ("BIO", "BILOU", "IOB1"):
            converted(text, [document for document in documents if document.split == split])


def converted(text: str, documents: list[Document]) -> None:
    found, words = 0, 0
    for document in conll_ner_to_docs(text, n_sents=1, no_print=True):
        found += len(document.ents)
        words += sum(token.text != "-DOCSTART-" for token in document)
    assert words == sum(len(document.words) for document in documents)
    assert found == sum(len(document.annotations) for document in documents)
