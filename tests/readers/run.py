"""Every format of the catalogue, exported by the real binary and read back by its real consumers.

`scripts/check-readers.sh` runs this. A format has one file `read_<format>.py` here with:

- `read(export)`: its documents, as the consumer reads them
- `KEEPS`: the fields of a document that the format holds beyond labels and their places
- `expected(document)`, where the format can't say some things as they are: how it says them
- `also(export, documents)`, where there are more consumers: asserts that they read the same
- `VARIANTS`: export parameters that are tried on the golden corpus
"""

import importlib
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

import export as exports
from corpus import anchor, differences, leaf, load, split_of
from export import ROOT, export, spanfleet

READERS = sorted(path.stem.removeprefix("read_") for path in Path(__file__).parent.glob("read_*.py"))
CATALOGUE = exports.formats()
CORPORA = Path(os.environ.get("SPANFLEET_CORPORA") or ROOT / "../shared/corpora")
SHARES = {"train": 0.7, "dev": 0.2, "test": 0.1}
SPLIT = ["--split", ",".join(f"{name}={share}" for name, share in SHARES.items())]


def reader(name: str):
    if name not in CATALOGUE:
        pytest.skip(f"this binary has no format {name}")
    return importlib.import_module(f"read_{name}")


@pytest.fixture(scope="session")
def golden(tmp_path_factory) -> Path:
    """The golden corpus without what no corpus file may hold: it has offsets outside the text and a dangling
    relation, which the import refuses."""
    path = tmp_path_factory.mktemp("golden") / "golden.jsonl"
    with open(ROOT / "tests/golden/corpus.jsonl", encoding="utf-8") as lines, open(path, "w", encoding="utf-8") as out:
        for line in lines:
            record = json.loads(line)
            annotations = [item for item in record["annotations"] if is_inside(item, record["text"])]
            ids = {item["id"] for item in annotations}
            relations = [item for item in record.get("relations", []) if {item["source"], item["target"]} <= ids]
            out.write(json.dumps(record | {"annotations": annotations, "relations": relations}) + "\n")
    return path


def is_inside(annotation: dict, text: str) -> bool:
    return annotation["start"] is None or annotation["start"] <= annotation["end"] <= len(text)


def compare(name: str, corpus: Path, folder: Path, arguments: list[str], original: Path | None = None) -> list[str]:
    """Exports, reads back, and says what is not as in the corpus (or in `original`)."""
    module = reader(name)
    made = export(corpus, name, folder, *arguments)
    spanfleet("verify", folder, "-q")
    read = module.read(made)
    source = sources(original or corpus, made, module)
    if hasattr(module, "also") and original is None:
        module.also(made, read)
    if read and read[0].words is not None:
        ledger = made.ledger()
        kept = [item for item in source if not ledger.named("losses", "text", item.id)]
        read = module.settle(made, anchor(read, kept), kept)
    return differences(source, read, made.ledger(), module.KEEPS)


def sources(corpus: Path, made, module) -> list:
    """The corpus as the format should tell it."""
    tell = getattr(module, "expected", lambda document: document)
    label = leaf if "hierarchy" not in made.options else lambda label: label
    shares = made.options.get("split")
    documents = []
    for document in load(corpus):
        annotations = [replace(item, label=label(item.label)) for item in document.annotations]
        split = split_of(document.id, shares) if shares else "train"
        documents.append(tell(replace(document, annotations=annotations, split=split)))
    return documents


def test_every_format_has_a_reader():
    assert set(CATALOGUE) <= set(READERS)


def variants() -> list:
    return [
        pytest.param(name, arguments, id=f"{name}-{' '.join(arguments).replace('--set ', '') or 'default'}")
        for name in READERS
        for arguments in [[], SPLIT, *getattr(importlib.import_module(f"read_{name}"), "VARIANTS", [])]
    ]


@pytest.mark.parametrize(("name", "arguments"), variants())
def test_golden_corpus(name, arguments, golden, tmp_path):
    assert compare(name, golden, tmp_path / "out", arguments) == []


@pytest.mark.skipif(not CORPORA.is_dir(), reason=f"there are no corpora in {CORPORA}")
@pytest.mark.parametrize("corpus", sorted(path.parent.name for path in CORPORA.glob("*/corpus.jsonl")))
@pytest.mark.parametrize("name", READERS)
def test_real_corpus(name, corpus, tmp_path):
    assert compare(name, CORPORA / corpus / "corpus.jsonl", tmp_path / "out", SPLIT) == []
