"""CoNLL: columns as Python's `str.split()` finds them, entities as seqeval reads the scheme; conllu finds the same
columns, and reads CoNLL-U; `spacy convert` the same entities."""

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
    ["--set", "conll_style=conll2002", "--set", "include_pos=true"],
    ["--set", "conll_style=conll2002", "--set", "label_scheme=BILOU", "--set", "docstart=true"],
    ["--set", "conll_style=conll2003", "--set", "tokenizer=gold"],
    ["--set", "conll_style=conll2003", "--set", "label_scheme=IOB1", "--set", "partitions=3"],
    ["--set", "conll_style=conllu", "--set", "tokenizer=gold"],
    ["--set", "conll_style=conllu", "--set", "label_scheme=IOBES", "--set", "docstart=true"],
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
    style = export.options.get("conll_style", "plain")
    if style == "conll2003":
        return ["token", "pos", "chunk", "label"], 3
    if style == "conll2002":
        names = ["token", "pos", "label"] if export.options.get("include_pos") else ["token", "label"]
        return names, names.index("label")
    names = list(export.options.get("columns", ["token", "label"]))
    for name in ("pos", "lemma"):
        if export.options.get(f"include_{name}"):
            names.append(name)
    return names, names.index("label")


def sentences(export: Export, path) -> list[tuple[list[str], list[str]]]:
    if is_universal(export):
        return universal(path)
    names, label = columns(export)
    parting = "\t" if export.options.get("conll_style", "plain") == "plain" else " "
    found, rows = [], []
    for line in content(path).decode("utf-8").split("\n"):
        if line:
            cells = line.split()
            is_start = line == "-DOCSTART- -X- O O"
            assert (is_start or cells == line.split(parting)) and len(cells) == len(names), f"{names} are not in `{line}`"
            rows.append(cells)
        elif rows:
            if rows[0][0] != "-DOCSTART-":
                found.append(([row[0] for row in rows], [row[label] for row in rows]))
            rows = []
    assert not rows, "the last sentence does not end"
    return found


def is_universal(export: Export) -> bool:
    return export.options.get("conll_style") == "conllu"


def universal(path) -> list[tuple[list[str], list[str]]]:
    """CoNLL-U as conllu reads it: ten columns, numbers from 1, a text that the tokens make."""
    found, names = [], set()
    text = content(path).decode("utf-8")
    assert all(line.startswith("# ") or len(line.split("\t")) == 10 for line in text.split("\n") if line)
    for sentence in conllu.parse(text):
        assert [token["id"] for token in sentence] == list(range(1, len(sentence) + 1))
        assert sentence.metadata["sent_id"] not in names, "a sent_id stands twice"
        names.add(sentence.metadata["sent_id"])
        misc = [token["misc"] or {} for token in sentence]
        spaces = ["" if facts.get("SpaceAfter") == "No" else " " for facts in misc]
        words = [token["form"] for token in sentence]
        made = "".join(word + space for word, space in zip(words, spaces))
        # conllu takes the edges of a comment's value off.
        assert made.strip() == sentence.metadata["text"].strip()
        found.append((words, [facts.get("NER", "O") for facts in misc]))
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
    if is_universal(export):
        return
    names, _ = columns(export)
    for split, path in export.files:
        text = content(path).decode("utf-8")
        own = sentences(export, path)
        # conllu takes a line that begins with `#` for a comment, and parts by TAB.
        text = text.replace("-DOCSTART- -X- O O", "-DOCSTART-\t-X-\tO\tO")
        if export.options.get("conll_style", "plain") != "plain":
            text = text.replace(" ", "\t")
        parsed = [[token["token"] for token in sentence] for sentence in conllu.parse(text, fields=names)]
        spared = [[word for word in words if word[0] != "#"] for words, _ in own]
        assert [words for words in parsed if words != ["-DOCSTART-"]] == [words for words in spared if words]
        if "label" == names[-1] and export.options.get("label_scheme", "BIO") in ("BIO", "BILOU", "IOB1"):
            converted(content(path).decode("utf-8"), [document for document in documents if document.split == split])


def converted(text: str, documents: list[Document]) -> None:
    found, words = 0, 0
    for document in conll_ner_to_docs(text, n_sents=1, no_print=True):
        found += len(document.ents)
        words += sum(token.text != "-DOCSTART-" for token in document)
    assert words == sum(len(document.words) for document in documents)
    assert found == sum(len(document.annotations) for document in documents)
