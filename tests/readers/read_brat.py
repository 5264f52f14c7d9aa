"""brat: a strict parser of standoff by the rules of brat's own (`annotation.py`), over the zip."""

import json
import re
import zipfile
from dataclasses import replace

from corpus import Annotation, Document, Relation
from export import Export

KEEPS = {"text", "annotator", "confidence", "attributes"}
VARIANTS = [["--set", "hierarchy=path"], ["--set", "partitions=3"]]
# Where Python's `splitlines()` ends a line, as brat reads `.ann` files.
BREAKS = re.compile("[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
TYPE = re.compile(r"[A-Za-z0-9_/-]+")


def expected(document: Document) -> Document:
    """Line breaks are LF, of a span there is a fragment per line, and labels of whole texts have no place."""
    text, places = normalized(document.text)
    annotations = [
        replace(item, pieces=fragments(text, [(places[start], places[end]) for start, end in item.pieces]))
        if item.pieces else item
        for item in document.annotations
    ]
    return replace(document, text=text, annotations=annotations)


def normalized(text: str) -> tuple[str, list[int]]:
    """The text with LF alone, and the new place of every old one."""
    kept, places, length = [], [], 0
    for at, character in enumerate(text):
        places.append(length)
        if character == "\r" and text[at + 1:at + 2] == "\n":
            continue
        kept.append("\n" if character == "\r" else character)
        length += 1
    return "".join(kept), [*places, length]


def fragments(text: str, pieces: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    found = []
    for start, end in sorted(pieces):
        lines = BREAKS.split(text[start:end])
        for nth, line in enumerate(lines):
            # White space goes where a line ends, and nowhere else.
            begin = start + len(line) - len(line.lstrip() if nth else line)
            last = start + len(line.rstrip() if nth + 1 < len(lines) else line)
            if line.strip():
                found.append((begin, last))
            start += len(line) + 1
    return tuple(found) or tuple(pieces)


def read(export: Export) -> list[Document]:
    documents = []
    for split, path in export.files:
        with zipfile.ZipFile(path) as bundle:
            assert bundle.testzip() is None
            names = {name: bundle.read(name).decode("utf-8") for name in bundle.namelist()}
            assert len(names) == len(bundle.namelist()), "a name stands twice in the zip"
        labels = declared(names.pop("annotation.conf"), names.pop("visual.conf", ""))
        stems = [name.removesuffix(".txt") for name in names if name.endswith(".txt")]
        assert {f"{stem}.{ending}" for stem in stems for ending in ("txt", "ann")} == set(names)
        documents += [document(names[f"{stem}.txt"], names[f"{stem}.ann"], labels, split) for stem in stems]
    return documents


def declared(annotation_conf: str, visual_conf: str) -> dict[str, str]:
    """The label of every type that may stand in `.ann` files."""
    sections, section = {}, None
    for line in annotation_conf.splitlines():
        if line.startswith("["):
            section = sections.setdefault(line, [])
        elif line:
            section.append(line.split("\t")[0])
    assert list(sections) == ["[entities]", "[relations]", "[events]", "[attributes]"]
    shown = dict(line.split(" | ", 1) for line in visual_conf.splitlines() if " | " in line)
    assert all(decoded(name) == label for name, label in shown.items())
    return {name: decoded(name) for names in sections.values() for name in names}


def decoded(name: str) -> str:
    """A type's label: what brat can't hold in a type stands there by its number."""
    return re.sub("_u([0-9a-f]+)_", lambda found: chr(int(found[1], 16)), name)


def document(text: str, lines: str, labels: dict[str, str], split: str) -> Document:
    assert "\r" not in text
    spans, relations, facts = {}, [], {}
    assert lines == "" or lines.endswith("\n")
    for line in lines.splitlines():
        number, rest = line.split("\t", 1)
        assert re.fullmatch(r"[TERAN#][1-9][0-9]*", number) and number not in facts, f"id `{number}`"
        facts[number] = rest
        if number[0] == "T":
            spans[number] = span(rest, text, labels)
    # An event leads to its trigger.
    triggers = {number: trigger(rest, spans, labels) for number, rest in facts.items() if number[0] == "E"}
    places = {number: list(spans).index(triggers.get(number, number)) for number in [*spans, *triggers]}
    about = {number: {} for number in facts if number[0] in "TER"}
    for number, rest in facts.items():
        if number[0] == "R":
            kind, (_, source), (_, target) = arguments(rest.rstrip("\t"))
            relations.append(Relation(places[source], places[target], labels[kind]))
        elif number[0] == "E":
            (_, source), *roles = (part.split(":") for part in rest.split(" "))
            relations += [Relation(places[source], places[target], decoded(role)) for role, target in roles]
        elif number[0] != "T":
            tell(number[0], rest, about, labels)
    annotations = [told(spans[number], about[number]) for number in spans]
    return Document(text, annotations, relations, split=split)


def arguments(rest: str) -> tuple:
    kind, first, second = rest.split(" ")
    first, second = first.split(":"), second.split(":")
    assert first[0] != second[0], f"both ends of `{rest}` have one role"
    return kind, first, second


def trigger(rest: str, spans: dict[str, Annotation], labels: dict[str, str]) -> str:
    kind, number = rest.split(" ")[0].split(":")
    assert spans[number].label == labels[kind], f"the trigger of `{rest}` has another type"
    return number


def span(rest: str, text: str, labels: dict[str, str]) -> Annotation:
    head, stated = rest.split("\t", 1)
    kind, offsets = head.split(" ", 1)
    assert TYPE.fullmatch(kind), f"type `{kind}`"
    pieces = tuple(tuple(map(int, piece.split(" "))) for piece in offsets.split(";"))
    covered = [text[start:end] for start, end in pieces]
    assert all(covered) and " ".join(covered) == stated, f"`{stated}` is not at {offsets}"
    assert not any(BREAKS.search(piece) for piece in covered), f"a line ends within {offsets}"
    assert all(one[1] <= other[0] for one, other in zip(pieces, pieces[1:])), f"fragments overlap: {offsets}"
    return Annotation(labels[kind], pieces)


def tell(letter: str, rest: str, about: dict[str, dict], labels: dict[str, str]) -> None:
    """An A, N or # line, added to what is known of its span."""
    head, _, note = rest.partition("\t")
    kind, target, *more = head.split(" ", 2)
    facts = about[target]
    attributes = facts.setdefault("attributes", {})
    if letter == "A":
        attributes[labels[kind]] = more[0] if more else True
    elif letter == "N":
        attributes.setdefault("normalizations", []).append([kind, more[0], note])
    elif kind == "AnnotatorNotes" and note.startswith("{"):
        known = json.loads(note)
        attributes.update(known.pop("attributes", {}))
        facts.update(known)
    else:
        attributes.setdefault("notes", []).append([kind, note])


def told(annotation: Annotation, facts: dict) -> Annotation:
    return replace(annotation, attributes=facts.get("attributes") or None, annotator=facts.get("annotator"),
                   confidence=facts.get("confidence"))


def lines_of(ann: str) -> set:
    """What a file says, whatever its ids: spans by place and text, everything else by what it points to."""
    facts = dict(line.split("\t", 1) for line in ann.splitlines() if line.strip() and line[0] != "*")

    def name(number: str) -> tuple:
        rest = facts[number].rstrip("\t")
        if number[0] == "T":
            return ("T", rest)
        kind, *roles = rest.split("\t")[0].split()
        if number[0] == "E":
            kind, own = kind.split(":")
            # Two events may point to each other: what fills a role is told by its span.
            return ("E", kind, name(own), *sorted((role, span_of(filler)) for role, filler in pairs(roles)))
        return ("R", kind, *((role, name(filler)) for role, filler in pairs(roles)))

    def pairs(roles: list[str]) -> list[list[str]]:
        return [role.split(":") for role in roles]

    def span_of(number: str) -> tuple:
        return number[0], facts[facts[number].split()[0].split(":")[1] if number[0] == "E" else number]

    said = []
    for number, rest in facts.items():
        if number[0] in "TER":
            said.append(name(number))
        else:
            head, _, tail = rest.partition("\t")
            kind, target, *more = head.split(" ", 2)
            said.append((number[0], kind, name(target), *more, tail))
    # Several lines may say the same.
    return {(said.count(one), one) for one in said}
