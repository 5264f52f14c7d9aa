"""Model language with nothing but Python's own library, on records that a jq filter makes: the text alone.

A place to begin for a framework of one's own: change the filter, keep the loader. The model here is a chain of
characters, three deep.
"""

import gzip
import json
import math
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


DEPTH = 3


def steps(record):
    """What stands before each character, and the character."""
    text = "\0" * DEPTH + record["text"]
    return ((text[at - DEPTH:at], text[at]) for at in range(DEPTH, len(text)))


def main():
    splits, train = load()
    counts = defaultdict(Counter)
    for record in train:
        for before, character in steps(record):
            counts[before][character] += 1
    letters = len({character for following in counts.values() for character in following}) + 1
    totals = {before: sum(following.values()) for before, following in counts.items()}
    print("splits:", {split: len(rows) for split, rows in splits.items()})
    print("first:", train[0]["text"][:60])
    for split, rows in splits.items():
        # A character that was never seen keeps a small chance.
        chances = [(counts[before][character] + 0.1) / (totals.get(before, 0) + 0.1 * letters) if before in counts
                   else 1 / letters for record in rows for before, character in steps(record)]
        print(f"loss on {split}: {-sum(map(math.log, chances)) / max(1, len(chances)):.3f} for a character")


if __name__ == "__main__":
    main()
