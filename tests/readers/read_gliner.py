"""GLiNER: words and spans of words, the last one included, as its trainer loads them."""

import json

from corpus import Annotation, Document
from export import Export, content
from read_jsonl import refuse, without_doubles

KEEPS: set[str] = set()
VARIANTS = [
    ["--set", "tokenizer=gold"],
    ["--set", "tokenizer=whitespace", "--set", "alignment=contract"],
    ["--set", "alignment=strict", "--compression", "gzip"],
    ["--set", "partitions=3"],
]


def read(export: Export) -> list[Document]:
    found, texts = [], 0
    for split, path in export.files:
        for example in json.loads(content(path), object_pairs_hook=without_doubles, parse_constant=refuse):
            assert set(example) == {"tokenized_text", "ner"}
            words, texts = example["tokenized_text"], texts + 1
            assert all(word.strip() for word in words)
            assert all(0 <= first <= last < len(words) for first, last, _ in example["ner"])
            spans = [Annotation(label, ((first, last + 1),)) for first, last, label in example["ner"]]
            # A text without words stands there all the same, and no word of it can be found.
            if words:
                found.append(Document(None, spans, words=words, split=split))
    assert texts == export.manifest["counts"]["texts"]
    return found


def settle(_: Export, read: list[Document], __: list[Document]) -> list[Document]:
    return read
