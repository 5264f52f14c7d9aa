"""Tag words with nothing but Python's own library, on records that a jq filter makes: text and spans.

A place to begin for a framework of one's own: change the filter, keep the loader. The model here remembers the tag
that each word had most often.
"""

import gzip
import json
import re
from collections import Counter, defaultdict
from pathlib import Path


HERE = Path(__file__).resolve().parent


def records(path):
    """The records of a file, each what the template's jq filter makes of a text."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", newline="\n") as lines:
        return [json.loads(line) for line in lines]


def load():
    """The records of every split."""
    files = json.loads((HERE / "manifest.json").read_text("utf-8"))["files"]
    splits = {file["split"]: records(HERE / file["path"]) for file in files}
    return splits, splits.get("train") or next(iter(splits.values()))


def tagged(record):
    """Pairs of a word and its BIO tag; of spans that overlap, the first and longest counts."""
    spans, end = [], 0
    for span in sorted(record["spans"], key=lambda span: (span["start"], -span["end"])):
        if span["start"] >= end:
            spans.append(span)
            end = span["end"]
    for word in re.finditer(r"\w+|[^\w\s]", record["text"]):
        span = next((span for span in spans if span["start"] <= word.start() < span["end"]), None)
        begins = span and word.start() == span["start"]
        yield word.group().lower(), f"{'B' if begins else 'I'}-{span['label']}" if span else "O"


def main():
    splits, train = load()
    counts = defaultdict(Counter)
    for record in train:
        for word, tag in tagged(record):
            counts[word][tag] += 1
    model = {word: tags.most_common(1)[0][0] for word, tags in counts.items()}
    print("splits:", {split: len(rows) for split, rows in splits.items()})
    print("first:", list(tagged(train[0]))[:8])
    for split, rows in splits.items():
        pairs = [pair for record in rows for pair in tagged(record)]
        right = sum(model.get(word, "O") == tag for word, tag in pairs)
        print(f"accuracy on {split}: {right / max(1, len(pairs)):.3f}")


if __name__ == "__main__":
    main()
