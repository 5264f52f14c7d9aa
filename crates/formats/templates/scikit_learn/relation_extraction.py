"""Train a relation classifier in scikit-learn on a JSON lines export with relations.

An example is a pair of spans of one text, with features of both labels, the distance and the words between. Pairs
that nothing is said of are `no_relation`, one for each related pair.
"""

import gzip
import json
import random
from pathlib import Path

from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

HERE = Path(__file__).resolve().parent
NONE = "no_relation"
# Words between two spans that are looked at.
MOST_BETWEEN = 8


def records(path):
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", newline="\n") as lines:
        yield from map(json.loads, lines)


def examples(record):
    spans = {item["id"]: item for item in record["annotations"] if item["start"] is not None}
    related = {(item["source"], item["target"]): item["type"] for item in record["relations"]}
    related = {pair: kind for pair, kind in related.items() if set(pair) <= set(spans)}
    for _ in range(len(related) if len(spans) > 1 else 0):
        related.setdefault(tuple(random.sample(list(spans), 2)), NONE)
    for (source, target), kind in related.items():
        yield features(record["text"], spans[source], spans[target]), kind


def features(text, source, target):
    """Offsets are code points, as Python counts."""
    first, last = sorted((source, target), key=lambda item: item["start"])
    between = text[first["end"]:last["start"]].lower().split()
    return {
        "source": source["label"],
        "target": target["label"],
        "labels": f"{source['label']} {target['label']}",
        "is forward": source is first,
        "distance": min(len(between), 50),
        **{f"between {word}": 1 for word in between[:MOST_BETWEEN]},
    }


def main():
    random.seed(0)
    files = json.loads((HERE / "manifest.json").read_text("utf-8"))["files"]
    splits = {
        file["split"]: [pair for record in records(HERE / file["path"]) for pair in examples(record)] for file in files
    }
    train = splits.get("train") or next(iter(splits.values()))
    if len({kind for _, kind in train}) < 2:
        raise SystemExit("this export has no relations to tell apart; export with --include-relations")
    x, y = zip(*train)
    model = make_pipeline(DictVectorizer(), LogisticRegression(max_iter=50))
    model.fit(x, y)
    print("splits:", {split: len(pairs) for split, pairs in splits.items()})
    print("types:", sorted(set(y)))
    print("matrix:", model[0].transform(x).shape)
    for split, pairs in splits.items():
        if pairs:
            print(f"accuracy on {split}: {model.score(*zip(*pairs)):.3f}")


if __name__ == "__main__":
    main()
