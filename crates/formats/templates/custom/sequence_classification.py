"""Classify texts with nothing but Python's own library, on records that a jq filter makes: text and labels.

A place to begin for a framework of one's own: change the filter, keep the loader. The model here is naive Bayes; of
several labels it learns and finds each.
"""

import gzip
import json
import math
import re
from collections import Counter
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


def words(record):
    return set(re.findall(r"\w+", record["text"].lower()))


def main():
    splits, train = load()
    labels = sorted({label for record in train for label in record["labels"]})
    texts_with = {label: [words(record) for record in train if label in record["labels"]] for label in labels}
    counts = {label: Counter(word for text in texts for word in text) for label, texts in texts_with.items()}

    def likelihood(label, record):
        texts = len(texts_with[label])
        return math.log(texts / len(train)) + sum(
            math.log((counts[label][word] + 0.1) / (texts + 0.2)) for word in words(record))

    print("splits:", {split: len(rows) for split, rows in splits.items()})
    print("first:", train[0]["labels"], train[0]["text"][:60])
    for split, rows in splits.items():
        labelled = [record for record in rows if record["labels"] and labels]
        right = sum(max(labels, key=lambda label: likelihood(label, record)) in record["labels"] for record in labelled)
        print(f"accuracy on {split}: {right / max(1, len(labelled)):.3f}")


if __name__ == "__main__":
    main()
