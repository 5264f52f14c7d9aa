"""Every format of the catalogue, exported by the real binary and read back by its real consumers.

`scripts/check-readers.sh` runs this. A format has one file `read_<format>.py` here, `_` for each `-`, with:

- `read(export)`: its documents, as the consumer reads them
- `KEEPS`: the fields of a document that the format holds beyond labels and their places (or a function of the
  export, where it depends on its parameters)
- `expected(document)`, where the format can't say some things as they are: how it says them
- `also(export, documents)`, where there are more consumers: asserts that they read the same
- `VARIANTS`: export parameters that are tried on the golden corpus
"""

import importlib
import json
import os
import zipfile
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import datasets
import pytest
import spacy
import tokenizers
from spacy.cli.debug_data import debug_data
from spacy.cli.init_config import init_config

import export as exports
from back import imported, told
from corpus import anchor, differences, leaf, load, split_of
from export import ROOT, export, spanfleet

READERS = sorted(path.stem.removeprefix("read_").replace("_", "-") for path in Path(__file__).parent.glob("read_*.py"))
CATALOGUE = exports.formats()
CORPORA = Path(os.environ.get("SPANFLEET_CORPORA") or ROOT / "../shared/corpora")
SHARES = {"train": 0.7, "dev": 0.2, "test": 0.1}
SPLIT = ["--split", ",".join(f"{name}={share}" for name, share in SHARES.items())]


def reader(name: str):
    if name not in CATALOGUE:
        pytest.skip(f"this binary has no format {name}")
    return module_of(name)


def module_of(name: str):
    return importlib.import_module(f"read_{name.replace('-', '_')}")


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
    if read and read[0].text is None:
        ledger = made.ledger()
        kept = [item for item in source if not ledger.named("losses", "text", item.id)]
        read = module.settle(made, anchor(read, kept), kept)
    keeps = module.KEEPS(made) if callable(module.KEEPS) else module.KEEPS
    return differences(source, read, made.ledger(), keeps)


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
        for arguments in [[], SPLIT, *getattr(module_of(name), "VARIANTS", [])]
    ]


@pytest.mark.parametrize(("name", "arguments"), variants())
def test_golden_corpus(name, arguments, golden, tmp_path):
    assert compare(name, golden, tmp_path / "out", arguments) == []


@pytest.mark.skipif(not CORPORA.is_dir(), reason=f"there are no corpora in {CORPORA}")
@pytest.mark.parametrize("corpus", sorted(path.parent.name for path in CORPORA.glob("*/corpus.jsonl")))
@pytest.mark.parametrize("name", READERS)
def test_real_corpus(name, corpus, tmp_path):
    assert compare(name, CORPORA / corpus / "corpus.jsonl", tmp_path / "out", SPLIT) == []


TASK_CORPORA = {
    "sequence_classification": ["cooking-multilabel", "labelstudio-examples", "prodigy-emerson"],
    "relation_extraction": ["wetlab-dev", "litbank-coref", "webanno-curation-suite"],
    "question_answering": ["xquad-ar", "xquad-en", "xquad-zh"],
    "language_modeling": ["btc-en-f"],
}


@pytest.mark.skipif(not CORPORA.is_dir(), reason=f"there are no corpora in {CORPORA}")
@pytest.mark.parametrize(("task", "corpus"), [(task, name) for task, names in TASK_CORPORA.items() for name in names])
@pytest.mark.parametrize("name", ["transformers", "chat"])
def test_real_task(name, task, corpus, tmp_path):
    if (name, task) == ("chat", "language_modeling"):
        pytest.skip("there is no conversation without a question")
    path = CORPORA / corpus / "corpus.jsonl"
    assert compare(name, path, tmp_path / "out", [*SPLIT, "--set", f"task_type={task}"]) == []


SMALL = [
    {"id": "one", "text": "Ada Lovelace met Bo Li in York .",
     "annotations": [{"id": "a", "start": 0, "end": 12, "label": "PER"}, {"id": "b", "start": 17, "end": 22, "label": "PER"},
                     {"id": "c", "start": 26, "end": 30, "label": "LOC"}],
     "relations": [{"source": "a", "target": "b", "type": "met"}]},
    {"id": "two", "text": "No one 😀 saw Cy go .", "annotations": [{"id": "d", "start": 13, "end": 15, "label": "PER"}]},
    {"id": "three", "text": "Nothing here .", "annotations": []},
]
PLANTS = {
    "a shifted offset": lambda texts: texts[1]["annotations"][0].update(start=9, end=12),
    "a swapped label": lambda texts: texts[0]["annotations"][2].update(label="PER"),
    "a dropped annotation": lambda texts: texts[0]["annotations"].pop(),
    "a dropped row": lambda texts: texts.pop(),
    "another character": lambda texts: texts[2].update(text="Nothing herе ."),
    "swapped ends": lambda texts: texts[0]["relations"][0].update(source="b", target="a"),
}


def write(path: Path, records: list[dict]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
    return path


@pytest.mark.parametrize("plant", PLANTS)
@pytest.mark.parametrize("name", READERS)
def test_the_comparison_finds(name, plant, tmp_path):
    """An artifact that tells something else than the corpus it is held against."""
    records = json.loads(json.dumps(SMALL))
    PLANTS[plant](records)
    honest, planted = write(tmp_path / "honest.jsonl", SMALL), write(tmp_path / "planted.jsonl", records)
    if plant == "swapped ends" and not export_keeps_relations(name, honest, tmp_path / "probe"):
        pytest.skip(f"{name} has no relations, and says so")
    try:
        found = compare(name, planted, tmp_path / "out", [], original=honest)
    except AssertionError as error:
        found = [str(error)]
    assert found


def export_keeps_relations(name: str, corpus: Path, folder: Path) -> bool:
    reader(name)
    return export(corpus, name, folder).manifest["counts"]["relations_written"] > 0


def flip(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1:]


@pytest.mark.parametrize("name", READERS)
def test_verify_finds(name, golden, tmp_path):
    """One bit, an end cut off, one byte more, and a file that is gone."""
    reader(name)
    made = export(golden, name, tmp_path / "out")
    for path in [made.folder / file["path"] for file in made.manifest["files"] + made.manifest.get("beside", [])]:
        content = path.read_bytes()
        for planted in (flip(content), content[:-1], content + b"\n"):
            path.write_bytes(planted)
            spanfleet("verify", made.folder, "-q", status=1)
        path.unlink()
        spanfleet("verify", made.folder, "-q", status=1)
        path.write_bytes(content)
    spanfleet("verify", made.folder, "-q")


def test_doccano_has_the_same_spans_without_relations(golden, tmp_path):
    """`[start, end, label]` and entities with relations, read by the importer of doccano."""
    module = reader("doccano")
    related = export(golden, "doccano", tmp_path / "related")
    spanfleet("export", golden, "--format", "doccano", "--out", tmp_path / "alone", "-q")
    alone = [json.loads(line) for line in (tmp_path / "alone/train.jsonl").read_text("utf-8").split("\n") if line]
    assert all("label" in example and "entities" not in example for example in alone)
    found = imported(related, tmp_path / "alone/train.jsonl", "doccano")
    expected = [replace(document, relations=[]) for document in module.read(related)]
    assert [told(document, ("label",)) for document in found] == [told(document, ("label",)) for document in expected]


@pytest.mark.skipif(not CORPORA.is_dir(), reason=f"there are no corpora in {CORPORA}")
def test_spacy_debug_data(tmp_path):
    """spaCy's own check of training data, which fails on what it can't train with, and on fewer than 100 texts."""
    reader("spacy")
    made = export(CORPORA / "multileg-en/corpus.jsonl", "spacy", tmp_path / "out", "--split", "train=0.7,dev=0.3")
    config = tmp_path / "config.cfg"
    init_config(lang="xx", pipeline=["ner", "spancat"]).to_disk(config)
    paths = {f"paths.{split}": str(made.folder / split) for split in ("train", "dev")}
    # Ends the process where something is wrong.
    debug_data(config, config_overrides=paths, silent=True, no_format=True)


@pytest.mark.parametrize("asked", ['columns=["token","pos","chunk","label"]', "conll_style=conll2003"])
def test_spacy_convert_tells_documents_apart(asked, golden, tmp_path):
    module = reader("conll")
    made = export(golden, "conll", tmp_path / "out", "--set", asked)
    text = exports.content(made.files[0][1]).decode("utf-8")
    documents = [[token.text for token in document] for document in module.conll_ner_to_docs(text, no_print=True)]
    assert documents[0][0] == "Ada" and len(documents) > 1
    assert not any("-DOCSTART-" in words for words in documents)


@pytest.mark.skipif(not CORPORA.is_dir(), reason=f"there are no corpora in {CORPORA}")
@pytest.mark.parametrize("corpus", ["wetlab-dev", "litbank-coref", "litbank-entities", "turku-fi-brat"])
def test_brat_goes_back(corpus, tmp_path):
    """From brat to brat: texts byte for byte, annotations as sets."""
    module, original = reader("brat"), CORPORA / corpus / "original"
    made = export(original, "brat", tmp_path / "out", "--input-format", "brat")
    assert not made.manifest["losses"] and not made.manifest["changes"]
    with zipfile.ZipFile(made.files[0][1]) as bundle:
        names = {name for name in bundle.namelist() if not name.endswith(".conf")}
        assert names == {path.name for path in original.iterdir() if path.suffix in (".txt", ".ann")}
        for name in names:
            own, theirs = bundle.read(name), (original / name).read_bytes()
            if name.endswith(".txt"):
                assert own == theirs
            else:
                assert module.lines_of(own.decode()) == module.lines_of(theirs.decode()), name


WEBANNO = ["webanno-tsv3-suite", "webanno-curation-suite", "btc-en-f", "litbank-coref", "xquad-zh", "wetlab-dev"]


@pytest.mark.skipif(not CORPORA.is_dir(), reason=f"there are no corpora in {CORPORA}")
@pytest.mark.parametrize("corpus", WEBANNO)
def test_webanno_is_imported(corpus, tmp_path):
    """Our own importer, which reads what WebAnno writes, finds the same texts, spans and relations."""
    module = reader("webanno")
    made = export(CORPORA / corpus / "corpus.jsonl", "webanno", tmp_path / "out")
    with zipfile.ZipFile(made.files[0][1]) as bundle:
        bundle.extractall(tmp_path / "files")
    again = export(tmp_path / "files", "jsonl", tmp_path / "again", "--input-format", "webanno")
    found = {document.id.removesuffix("-1"): document for document in load(again.files[0][1])}
    with zipfile.ZipFile(made.files[0][1]) as bundle:
        names = [name.removesuffix(".tsv") for name in bundle.namelist()]
    assert set(names) == set(found)
    for name, own in zip(names, module.read(made), strict=True):
        theirs = found[name]
        assert own.text == theirs.text
        assert spans_and_relations(own) == spans_and_relations(theirs)


def spans_and_relations(document) -> tuple:
    spans = [(item.label, item.pieces) for item in document.annotations]
    relations = [(spans[item.source], item.type, spans[item.target]) for item in document.relations]
    return sorted(spans), sorted(relations)


ENGLISH = ["btc-en-f", "cooking-multilabel", "doccano-fixtures", "labelstudio-examples", "litbank-coref",
           "litbank-entities", "multileg-en", "prodigy-emerson", "pubannotation-en", "spacy-json-demos",
           "webanno-tsv3-suite", "wetlab-dev", "wnut17-en", "xquad-en"]


@pytest.mark.skipif(not CORPORA.is_dir(), reason=f"there are no corpora in {CORPORA}")
@pytest.mark.parametrize("corpus", ENGLISH)
def test_tokens_are_those_of_spacy(corpus, tmp_path):
    """`tokenizer=spacy` against spaCy itself: in 99 of 100 texts all tokens are the same."""
    module, path = reader("conll"), CORPORA / corpus / "corpus.jsonl"
    made = export(path, "conll", tmp_path / "out", "--set", "tokenizer=spacy")
    words = iter([word for document in module.read(made) for word in document.words])
    tokenizer, same, texts = spacy.blank("en").tokenizer, 0, 0
    for document in load(path):
        expected = [token.text for token in tokenizer(document.text) if not token.is_space]
        length, own = len("".join(document.text.split())), []
        while length:
            own.append(next(words))
            length -= len(own[-1])
        texts += 1
        same += own == expected
    print(f"{corpus}: {same} of {texts} texts")
    assert next(words, None) is None and same >= 0.99 * texts


def model(kind: str, texts: list[str], path: Path) -> tokenizers.Tokenizer:
    """A small model of its own kind, trained on the texts, with special tokens around each of them."""
    special = ["[UNK]", "[CLS]", "[SEP]"]
    if kind == "wordpiece":
        made = tokenizers.Tokenizer(tokenizers.models.WordPiece(unk_token="[UNK]"))
        made.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=True)
        made.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
        trainer = tokenizers.trainers.WordPieceTrainer(vocab_size=400, special_tokens=special, show_progress=False)
    else:
        made = tokenizers.Tokenizer(tokenizers.models.BPE())
        made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
        trainer = tokenizers.trainers.BpeTrainer(
            vocab_size=400, special_tokens=special, show_progress=False,
            initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet())
    made.train_from_iterator(texts, trainer)
    made.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", made.token_to_id("[CLS]")), ("[SEP]", made.token_to_id("[SEP]"))])
    made.save(str(path))
    # What a file says, and not what training left in memory.
    return tokenizers.Tokenizer.from_file(str(path))


SUBWORDS = ["golden", *(["wnut17-en", "turku-fi-conll", "xquad-ar", "uner-zh"] if CORPORA.is_dir() else [])]


@pytest.mark.parametrize("corpus", SUBWORDS)
@pytest.mark.parametrize("kind", ["wordpiece", "bytelevel"])
def test_subwords_are_those_of_the_model(kind, corpus, golden, tmp_path):
    """`tokenizer={"file": …}` against the tokenizers library itself: tokens, windows, offsets, and where labels stand."""
    path = golden if corpus == "golden" else CORPORA / corpus / "corpus.jsonl"
    texts = {document.id: document.text for document in load(path)}
    made = model(kind, list(texts.values()), tmp_path / "tokenizer.json")
    made.enable_truncation(32, stride=8)
    export(path, "transformers", tmp_path / "out", "--set", f'tokenizer={{"file": "{tmp_path / "tokenizer.json"}"}}',
           "--set", "max_length=32", "--set", "stride=8")
    rows = datasets.load_dataset(str(tmp_path / "out"), split="train").to_list()
    assert {row["id"] for row in rows} == set(texts)
    for number, of_text in groupby(rows, key=lambda row: row["id"]):
        first = made.encode(texts[number])
        for row, expected in zip(of_text, [first, *first.overflowing], strict=True):
            assert row["input_ids"] == expected.ids
            assert row["attention_mask"] == expected.attention_mask
            is_special = [bool(mask) for mask in expected.special_tokens_mask]
            offsets = [(0, 0) if special else offset for offset, special in zip(expected.offsets, is_special, strict=True)]
            assert [(offset["start"], offset["end"]) for offset in row["offsets"]] == offsets
            # A label stands on the first token of each word, and nowhere else.
            before = None
            for word, label, special in zip(row["word_ids"], row["labels"], is_special, strict=True):
                assert not (special and word is not None)
                if word is None or word == before:
                    assert label == -100
                elif before is not None:
                    assert label >= 0
                before = word
