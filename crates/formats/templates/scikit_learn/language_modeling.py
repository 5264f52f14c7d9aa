"""Learn a representation of texts without labels, in scikit-learn, on a JSON lines export.

scikit-learn has no language model; its users learn what words go together: TF-IDF and a truncated singular value
decomposition (latent semantic analysis). Texts that are alike then have vectors that are alike.
"""

import gzip
import json
from pathlib import Path

from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer

HERE = Path(__file__).resolve().parent


def texts(path):
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", newline="\n") as lines:
        return [json.loads(line)["text"] for line in lines]


def main():
    files = json.loads((HERE / "manifest.json").read_text("utf-8"))["files"]
    splits = {file["split"]: texts(HERE / file["path"]) for file in files}
    train = splits.get("train") or next(iter(splits.values()))
    vectorizer = TfidfVectorizer(sublinear_tf=True, max_features=20_000)
    words = vectorizer.fit_transform(train).shape[1]
    size = max(1, min(50, words - 1, len(train) - 1))
    model = make_pipeline(vectorizer, TruncatedSVD(size, random_state=0), Normalizer(copy=False))
    vectors = model.fit_transform(train)
    print("splits:", {split: len(rows) for split, rows in splits.items()})
    print("words:", words)
    print("vectors:", vectors.shape, f"explain {model[1].explained_variance_ratio_.sum():.3f} of the variance")
    likeness = vectors @ vectors[0]
    nearest = sorted(range(1, len(train)), key=lambda at: -likeness[at])[:1]
    print("most like the first text:", [train[at][:60] for at in nearest])


if __name__ == "__main__":
    main()
