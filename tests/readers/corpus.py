"""Documents as every reader returns them, and the law that they are held against.

Offsets count code points, end exclusive. A corpus file, and whatever a format's consumer read back, become
`Document`s; `differences` says where the two tell different things. What is missing must be a loss that the
export counted and, up to the examples it keeps, named; what was moved must stand in its list of changes.
"""

import hashlib
import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

# Of each reason, an export names the first thousand (EXAMPLES_KEPT).
EXAMPLES_KEPT = 1000
MOVES = {"expanded", "contracted", "trimmed"}


@dataclass(frozen=True)
class Annotation:
    label: str
    # Pieces `(start, end)` in their order; none for a label of the whole text.
    pieces: tuple[tuple[int, int], ...]
    id: str | None = None
    annotator: str | None = None
    confidence: float | None = None
    attributes: dict | None = None
    created_at: float | None = None


@dataclass(frozen=True)
class Relation:
    # Places in the document's `annotations`.
    source: int
    target: int
    type: str
    confidence: float | None = None


@dataclass
class Document:
    text: str | None
    annotations: list[Annotation]
    relations: list[Relation] = field(default_factory=list)
    id: str | None = None
    split: str = "train"
    metadata: dict | None = None
    tokens: list[dict] | None = None
    # The words of a format that holds tokens and no text; spans then count words.
    words: list[str] | None = None


def from_record(record: dict, split: str = "train") -> Document:
    """A document from the neutral record, which `jsonl` and its relatives are written in too."""
    annotations = [annotation_of(item) for item in record.get("annotations") or []]
    place = {annotation.id: at for at, annotation in enumerate(annotations)}
    relations = [
        Relation(place[item["source"]], place[item["target"]], item["type"], number(item.get("confidence")))
        for item in record.get("relations") or []
    ]
    return Document(
        record["text"],
        annotations,
        relations,
        id=record.get("id"),
        split=split,
        metadata=record.get("metadata") or None,
        tokens=tokens_of(record.get("tokens")),
    )


def annotation_of(item: dict) -> Annotation:
    fragments = item.get("fragments")
    if fragments:
        pieces = tuple((start, end) for start, end in fragments)
    else:
        pieces = () if item.get("start") is None else ((item["start"], item["end"]),)
    return Annotation(
        item["label"],
        pieces,
        item.get("id"),
        item.get("annotator"),
        number(item.get("confidence")),
        item.get("attributes") or None,
        utc(item.get("created_at")),
    )


def tokens_of(tokens: list[dict] | None) -> list[dict] | None:
    names = ("start", "end", "pos", "lemma", "chunk")
    return [{name: token.get(name) or (0 if name == "start" else None) for name in names} for token in tokens or []] or None


def number(value: float | None) -> float | None:
    return None if value is None else float(value)


def utc(time: str | None) -> float | None:
    return datetime.fromisoformat(time).timestamp() if time else None


def load(path: Path) -> list[Document]:
    # Texts hold U+2028 and its like: nothing but \n ends a line.
    return [from_record(json.loads(line)) for line in path.read_text("utf-8").split("\n") if line]


def split_of(text_id: str, shares: dict[str, float]) -> str:
    """The split of a text by the stable hash of its id."""
    point = (int.from_bytes(hashlib.sha256(text_id.encode()).digest()[:8], "big") >> 11) / (1 << 53)
    end = 0.0
    for name, share in shares.items():
        end += share
        if point < end:
            return name
    return list(shares)[-1]


def leaf(label: str) -> str:
    """A hierarchical label as exports write it when nothing else is asked for."""
    parts = label.split("/")
    return parts[-1] if all(parts) else label


class Ledger:
    """What an export says about itself: counts, losses and changes."""

    def __init__(self, manifest: dict, examples: list[dict]):
        self.counts = manifest["counts"]
        self.totals = {
            (which, entry["kind"], entry["reason"]): entry["count"]
            for which in ("losses", "changes")
            for entry in manifest.get(which) or []
        }
        self.reasons = defaultdict(set)
        self.lost_relations = Counter()
        for example in examples:
            about = example.get("annotation") or example.get("relation")
            self.reasons[example["list"], example["kind"], example["text"], about].add(example["reason"])
            if example["list"] == "losses" and example["kind"] == "relation":
                self.lost_relations[example["text"], about] += 1

    def lost(self, kind: str) -> int:
        return sum(count for (which, of, _), count in self.totals.items() if (which, of) == ("losses", kind))

    def named(self, which: str, kind: str, text: str, about: str | None = None) -> set[str]:
        return self.reasons.get((which, kind, text, about), set())

    def unnamed(self, which: str, kind: str) -> set[str]:
        """Reasons of which not every case is named."""
        return {
            reason for (of, about, reason), count in self.totals.items()
            if (of, about) == (which, kind) and count > EXAMPLES_KEPT
        }

    def law(self, kind: str) -> list[str]:
        noun = kind + "s"
        written = self.counts["texts" if kind == "text" else noun + "_written"]
        selected, lost = self.counts[noun + "_selected"], self.lost(kind)
        return [] if selected == written + lost else [f"{noun}: {selected} selected, {written} written, {lost} lost"]


def anchor(sentences: list[Document], expected: list[Document]) -> list[Document]:
    """Finds the words of a format without texts in the texts they were cut from; every word in its order, with
    nothing but white space between two."""
    rest = {split: iter([item for item in sentences if item.split == split]) for split in splits(sentences, expected)}
    found = [anchor_text(document, rest[document.split]) for document in expected]
    left = [sentence for sentences in rest.values() for sentence in sentences]
    assert not left, f"no text holds `{left[0].words}`"
    return found


def splits(*sides: list[Document]) -> list[str]:
    return sorted({document.split for side in sides for document in side})


def anchor_text(document: Document, rest) -> Document:
    text, at, annotations = document.text, 0, []
    while text[at:].strip():
        sentence = next(rest, None)
        assert sentence is not None, f"text `{document.id}`: no words for `{text[at:at + 40]}`"
        places = []
        for word in sentence.words:
            start = len(text) - len(text[at:].lstrip()) if text[at:at + 1].isspace() else at
            assert text.startswith(word, start), f"text `{document.id}`: `{word}` for `{text[start:start + 40]}`"
            at = start + len(word)
            places.append((start, at))
        for annotation in sentence.annotations:
            (first, end), = annotation.pieces
            annotations.append(replace(annotation, pieces=((places[first][0], places[end - 1][1]),)))
    return replace(document, annotations=annotations, relations=[])


def differences(expected: list[Document], read: list[Document], ledger: Ledger, keeps: set[str]) -> list[str]:
    """Where what was read is not what was exported. `keeps`: the fields that the format holds."""
    found = [line for kind in ("text", "annotation", "relation") for line in ledger.law(kind)]
    found += totals(expected, read, ledger)
    kept = [document for document in expected if not ledger.named("losses", "text", document.id)]
    for split in splits(kept, read):
        pairs = [[document for document in side if document.split == split] for side in (kept, read)]
        if len(pairs[0]) != len(pairs[1]):
            found.append(f"split {split}: {len(pairs[1])} texts for {len(pairs[0])}")
        for one, other in zip(*pairs):
            found += [f"text `{one.id}`: {line}" for line in text_differences(one, other, ledger, keeps)]
    return found


def totals(expected: list[Document], read: list[Document], ledger: Ledger) -> list[str]:
    counts, found = ledger.counts, []
    for noun, selected, written in (
        ("texts", len(expected), len(read)),
        ("annotations", *(sum(len(document.annotations) for document in side) for side in (expected, read))),
        ("relations", *(sum(len(document.relations) for document in side) for side in (expected, read))),
    ):
        if counts[noun + "_selected"] != selected:
            found.append(f"{noun}: the corpus has {selected}, the manifest selected {counts[noun + '_selected']}")
        claimed = counts["texts" if noun == "texts" else noun + "_written"]
        if claimed != written:
            found.append(f"{noun}: {written} read, the manifest wrote {claimed}")
    return found


def text_differences(one: Document, other: Document, ledger: Ledger, keeps: set[str]) -> list[str]:
    found = []
    for name in ("id", "text", "metadata", "tokens"):
        if name in keeps and getattr(one, name) != getattr(other, name):
            found.append(f"{name} `{getattr(other, name)}` for `{getattr(one, name)}`"[:200])
    homes, lines = match(one, other, ledger, keeps)
    return found + lines + relation_differences(one, other, homes, ledger, keeps)


def match(one: Document, other: Document, ledger: Ledger, keeps: set[str]) -> tuple[dict[int, int], list[str]]:
    """The place of every annotation among those read, and what does not fit."""
    free = defaultdict(list)
    for at, annotation in enumerate(other.annotations):
        free[key_of(annotation, keeps)].append(at)
    homes, found, moved = {}, [], []
    for at, annotation in enumerate(one.annotations):
        lost = ledger.named("losses", "annotation", one.id, annotation.id)
        moves = ledger.named("changes", "annotation", one.id, annotation.id) & MOVES
        if lost:
            continue
        if moves or not free[key_of(annotation, keeps)]:
            moved.append((at, annotation, moves or ledger.unnamed("changes", "annotation") & MOVES))
        else:
            homes[at] = free[key_of(annotation, keeps)].pop(0)
    for at, annotation, moves in moved:
        home = next((key for key in free if free[key] and may_be(one.text, annotation, key, moves, keeps)), None)
        if home is not None:
            homes[at] = free[home].pop(0)
        elif not ledger.unnamed("losses", "annotation"):
            found.append(f"{show(annotation)} is missing")
    found += [f"{show(other.annotations[at])} is too much" for places in free.values() for at in places]
    return homes, found


def key_of(annotation: Annotation, keeps: set[str]) -> tuple:
    """What two annotations must share to be the same one."""
    fields = [json.dumps(getattr(annotation, name), sort_keys=True) for name in
              ("annotator", "confidence", "attributes", "created_at") if name in keeps]
    return (annotation.id if "annotation_id" in keeps else None, annotation.label, annotation.pieces, *fields)


def may_be(text: str, annotation: Annotation, key: tuple, moves: set[str], keeps: set[str]) -> bool:
    """Whether a span that was read is this one after the moves that are stated of it."""
    pieces = key[2]
    if key_of(replace(annotation, pieces=pieces), keeps) != key or len(pieces) != len(annotation.pieces):
        return False
    for (start, end), (new_start, new_end) in zip(annotation.pieces, pieces):
        widened, narrowed = new_start < start or new_end > end, new_start > start or new_end < end
        blank = not (text[start:new_start] + text[new_end:end]).strip()
        # A stretch that is added holds no white space: it belongs to a token that was cut.
        joined = not any(character.isspace() for character in text[new_start:start] + text[end:new_end])
        if widened and not ("expanded" in moves and joined):
            return False
        if narrowed and not ("contracted" in moves or "trimmed" in moves and blank):
            return False
    return True


def relation_differences(one: Document, other: Document, homes: dict[int, int], ledger: Ledger,
                         keeps: set[str]) -> list[str]:
    def told(source: Annotation, target: Annotation, relation: Relation) -> tuple:
        confidence = relation.confidence if "relation_confidence" in keeps else None
        return key_of(source, keeps), key_of(target, keeps), relation.type, confidence

    known = Counter(
        told(other.annotations[relation.source], other.annotations[relation.target], relation)
        for relation in other.relations
    )
    lost = Counter({about: count for (text, about), count in ledger.lost_relations.items() if text == one.id})
    found = []
    for relation in one.relations:
        source, target = one.annotations[relation.source], one.annotations[relation.target]
        about = f"{source.id} {relation.type} {target.id}"
        if lost[about]:
            lost[about] -= 1
            continue
        ends = [home_of(one, other, at, homes) for at in (relation.source, relation.target)]
        key = None if None in ends else told(*ends, relation)
        if key is not None and known[key]:
            known[key] -= 1
        elif not ledger.unnamed("losses", "relation"):
            found.append(f"relation `{about}` is missing")
    return found + [f"relation `{key}` is too much" for key, count in known.items() if count]


def home_of(one: Document, other: Document, at: int, homes: dict[int, int]) -> Annotation | None:
    """What an annotation was read as. One that was lost as a duplicate is what its twin was read as."""
    if at in homes:
        return other.annotations[homes[at]]
    annotation = one.annotations[at]
    twins = (twin for twin, other_one in enumerate(one.annotations)
             if twin in homes and other_one.label == annotation.label
             and overlaps(other_one.pieces, annotation.pieces))
    twin = next(twins, None)
    return None if twin is None else other.annotations[homes[twin]]


def overlaps(one: tuple, other: tuple) -> bool:
    return any(start < other_end and other_start < end for start, end in one for other_start, other_end in other)


def show(annotation: Annotation) -> str:
    name = f"annotation `{annotation.id}`" if annotation.id else "annotation"
    return f"{name} `{annotation.label}` at {list(annotation.pieces)}"
