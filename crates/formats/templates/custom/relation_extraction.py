"""Name relations with nothing but Python's own library, on records that a jq filter makes: text and pairs of spans.

A place to begin for a framework of one's own: change the filter, keep the loader. The model here remembers the type
that two labels had most often.
"""

import gzip
import json
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


def pairs(rows):
    for record in rows:
        for pair in record["pairs"]:
            yield (pair["head"]["label"], pair["tail"]["label"]), pair["type"]


def main():
    splits, train = load()
    counts = defaultdict(Counter)
    for ends, kind in pairs(train):
        counts[ends][kind] += 1
    model = {ends: kinds.most_common(1)[0][0] for ends, kinds in counts.items()}
    print("splits:", {split: len(rows) for split, rows in splits.items()})
    print("first:", next(pairs(train), None))
    for split, rows in splits.items():
        known = list(pairs(rows))
        right = sum(model.get(ends) == kind for ends, kind in known)
        print(f"accuracy on {split}: {right / max(1, len(known)):.3f}")


if __name__ == "__main__":
    main()
