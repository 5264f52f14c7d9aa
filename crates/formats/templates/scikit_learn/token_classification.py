"""Train a token classifier in scikit-learn on a CoNLL export.

Every word becomes a dictionary of features: the word, its shape, its neighbours. `DictVectorizer` makes a sparse
matrix of them, and a linear model predicts the BIO tag of each word.
"""

import gzip
import json
from pathlib import Path

from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

HERE = Path(__file__).resolve().parent
# A sample is enough for an example.
MOST_WORDS = 20_000


def sentences(path):
    """Lists of `(word, tag)`; the columns stand in the order that was asked for, here word and tag."""
    opener = gzip.open if path.suffix == ".gz" else open
    rows = []
    with opener(path, "rt", encoding="utf-8", newline="\n") as lines:
        for line in lines:
            columns = line.split()
            if columns and columns[0] != "-DOCSTART-":
                rows.append((columns[0], columns[-1]))
            elif rows:
                yield rows
                rows = []


def features(rows, at):
    word = rows[at][0]
    return {
        "word": word.lower(),
        "end": word[-3:],
        "is title": word.istitle(),
        "is upper": word.isupper(),
        "has digit": any(character.isdigit() for character in word),
        "before": rows[at - 1][0].lower() if at else "<start>",
        "after": rows[at + 1][0].lower() if at + 1 < len(rows) else "<end>",
    }


def main():
    files = json.loads((HERE / "manifest.json").read_text("utf-8"))["files"]
    splits = {}
    for file in files:
        words = [(features(rows, at), tag) for rows in sentences(HERE / file["path"]) for at, (_, tag) in enumerate(rows)]
        splits[file["split"]] = words
    train = (splits.get("train") or next(iter(splits.values())))[:MOST_WORDS]
    x, y = zip(*train)
    model = make_pipeline(DictVectorizer(), LogisticRegression(max_iter=50))
    model.fit(x, y)
    print("splits:", {split: len(words) for split, words in splits.items()}, "words")
    print("tags:", sorted(set(y)))
    print("matrix:", model[0].transform(x).shape)
    for split, words in splits.items():
        print(f"accuracy on {split}: {model.score(*zip(*words[:MOST_WORDS])):.3f}")


if __name__ == "__main__":
    main()
