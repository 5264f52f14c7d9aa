"""Find answers with nothing but Python's own library, on records that a jq filter makes: context, question, answers.

A place to begin for a framework of one's own: change the filter, keep the loader. The model here looks for the words
that stood before answers to a question of the same words.
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


def before(context, start):
    """The word before a place."""
    return (re.findall(r"\w+", context[:start].lower()) or ["<start>"])[-1]


def answer(model, record):
    """The capitalised words, or the number, behind the likeliest word."""
    found = re.finditer(r"\d+|[A-Z]\w*(?: [A-Z]\w*)*", record["context"])
    weight = model[record["question"]]
    best = max(found, key=lambda match: weight[before(record["context"], match.start())], default=None)
    return best.group() if best else ""


def main():
    splits, train = load()
    model = defaultdict(Counter)
    for record in train:
        model[record["question"]][before(record["context"], record["start"])] += 1
    print("splits:", {split: len(rows) for split, rows in splits.items()})
    print("first:", train[0]["question"], "->", train[0]["answer"])
    for split, rows in splits.items():
        right = sum(answer(model, record) == record["answer"] for record in rows)
        print(f"exact matches on {split}: {right / max(1, len(rows)):.3f}")


if __name__ == "__main__":
    main()
