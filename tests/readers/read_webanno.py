"""WebAnno TSV: a strict parser by the format's own description, over the zip. `run.py` also reads it back with our
own importer, which reads what WebAnno itself writes."""

import re
import zipfile
from dataclasses import replace

from corpus import Annotation, Document, Relation
from export import Export

KEEPS = {"text"}
VARIANTS = [
    ["--set", "hierarchy=path"],
    ["--set", "partitions=3", "--set", "tokenizer=whitespace"],
    ["--set", "tokenizer=spacy"],
]
LAYER = "de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity"
SPANS, RELATIONS = f"#T_SP={LAYER}|value", f"#T_RL=webanno.custom.Relation|value|BT_{LAYER}"
CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "b": "\b", "f": "\f"}


def read(export: Export) -> list[Document]:
    documents = []
    for split, path in export.files:
        with zipfile.ZipFile(path) as bundle:
            assert bundle.testzip() is None
            names = bundle.namelist()
            assert len({name.lower() for name in names}) == len(names), "a name stands twice in the zip"
            assert all(name.endswith(".tsv") for name in names)
            documents += [replace(document(bundle.read(name).decode("utf-8")), split=split) for name in names]
    return documents


def plain(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: CONTROLS.get(found[1], found[1]), text, flags=re.DOTALL)


def parts(cell: str, separator: str = "|") -> list[str]:
    """What stands between separators that are not escaped."""
    found = re.findall(rf"((?:\\.|[^\\{separator}])*)(?:\{separator}|$)", cell, re.DOTALL)
    return found[:-1] if found[-1] == "" else found


def numbered(value: str) -> tuple[str, int]:
    """A value and its number; brackets of the value itself are escaped."""
    found = re.fullmatch(r"((?:\\.|[^\\\[\]])*)(?:\[(\d+)\])?", value, re.DOTALL)
    assert found, f"`{value}` is no value"
    return found[1], int(found[2] or 0)


def document(content: str) -> Document:
    head, _, body = content.partition("\n\n")
    first, spans, *relations = head.split("\n")
    assert (first, spans) == ("#FORMAT=WebAnno TSV 3.3", SPANS) and relations in ([], [RELATIONS])
    text, rows = "", {}
    for nth, block in enumerate(body.split("\n\n") if body else []):
        lines = block.strip("\n").split("\n")
        own = [plain(line.removeprefix("#Text=")) for line in lines if line.startswith("#Text=")]
        assert own and all(line.startswith("#Text=") for line in lines[:len(own)])
        text += ("\n" if nth else "") + "\n".join(own)
        for line in lines[len(own):]:
            number, place, word, *cells, end = line.split("\t")
            assert end == "" and len(cells) == (3 if relations else 1), f"columns of `{line}`"
            assert number not in rows and number.startswith(f"{nth + 1}-")
            rows[number] = (*map(int, place.split("-")), plain(word), cells)
    return told(text, rows)


def told(text: str, rows: dict) -> Document:
    # Offsets count UTF-16 units.
    places, units = {}, 0
    for at, character in enumerate(text):
        places[units] = at
        units += 2 if ord(character) > 0xFFFF else 1
    places[units] = len(text)
    spans = {}
    for number, (start, end, word, cells) in rows.items():
        start, end = places[start], places[end]
        assert text[start:end] == word, f"`{word}` is not at {start} to {end}"
        for value in [] if cells[0] == "_" else parts(cells[0]):
            label, own = numbered(value)
            label, extent = spans.setdefault(own or number, (label, []))
            assert label == numbered(value)[0], f"annotation {own} has two labels"
            extent.append((start, end))
    order = list(spans)
    annotations = [Annotation("" if label == "*" else plain(label), ((min(extent)[0], max(end for _, end in extent)),))
                   for label, extent in spans.values()]
    relations = []
    for number, (*_, cells) in rows.items():
        if len(cells) == 1 or cells[2] == "_":
            continue
        for kind, reference in zip(parts(cells[1]), cells[2].split("|"), strict=True):
            source, one, other = re.fullmatch(r"([\d.-]+)(?:\[(\d+)_(\d+)\])?", reference).groups()
            ends = [order.index(int(own or 0) or row) for own, row in ((one, source), (other, number))]
            relations.append(Relation(*ends, "" if kind == "*" else plain(kind)))
    return Document(text, annotations, relations)
