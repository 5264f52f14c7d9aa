"""Train a text classifier in scikit-learn on a CSV export (`rows=annotation`).

A row with a label and no `start` labels its whole text; a text stands in its first row. Texts may have several
labels, so that there is one logistic regression per label over TF-IDF.
"""

import csv
import gzip
import json
from pathlib import Path

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MultiLabelBinarizer

HERE = Path(__file__).resolve().parent
# Python's own limit is 131,072 characters for a cell.
csv.field_size_limit(1 << 30)


def load(path):
    """Texts and their labels, in order."""
    texts = {}
    opener = gzip.open if path.suffix == ".gz" else open
    # Without newline="" line breaks inside of texts would change.
    with opener(path, "rt", encoding="utf-8-sig", newline="") as lines:
        for row in csv.DictReader(lines):
            _, labels = texts.setdefault(row["text_id"], (row["text"], set()))
            if row["label"] and not row["start"]:
                labels.add(row["label"])
    return list(texts.values())


def main():
    files = json.loads((HERE / "manifest.json").read_text("utf-8"))["files"]
    splits = {file["split"]: load(HERE / file["path"]) for file in files}
    texts, labels = zip(*(splits.get("train") or next(iter(splits.values()))))
    encoder = MultiLabelBinarizer().fit(labels)
    if not len(encoder.classes_):
        raise SystemExit("no text of this export has a label of its own; label whole texts to classify them")
    model = make_pipeline(TfidfVectorizer(sublinear_tf=True), OneVsRestClassifier(LogisticRegression()))
    model.fit(texts, encoder.transform(labels))
    print("splits:", {split: len(rows) for split, rows in splits.items()})
    print("labels:", list(encoder.classes_))
    print("matrix:", model[0].transform(texts).shape)
    for split, rows in splits.items():
        known = [(text, own & set(encoder.classes_)) for text, own in rows]
        texts, labels = zip(*known)
        print(f"exact matches on {split}: {model.score(texts, encoder.transform(labels)):.3f}")


if __name__ == "__main__":
    main()
