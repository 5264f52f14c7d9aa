"""Find the sentence that answers a question, in scikit-learn, on a JSON lines export.

scikit-learn has no model that points into a text; its users rank sentences. Each answer is a span with its
question in `attributes.question`; an example is a pair of question and sentence, and the target is whether the
sentence holds the answer.
"""

import gzip
import json
import re
from pathlib import Path

import numpy
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

HERE = Path(__file__).resolve().parent
SENTENCE = re.compile(r"[^.!?。！？؟]+[.!?。！？؟]*")


def examples(record):
    """`(question, sentence, whether the answer begins in it)`. Offsets are code points, as Python counts."""
    found = list(SENTENCE.finditer(record["text"]))
    for item in record["annotations"]:
        question = (item["attributes"] or {}).get("question")
        if question and item["start"] is not None:
            yield from ((question, one[0], one.start() <= item["start"] < one.end()) for one in found)


def load(path):
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", newline="\n") as lines:
        return [example for line in lines for example in examples(json.loads(line))]


def features(vectorizer, pairs):
    """How alike question and sentence are, and how long both."""
    questions, sentences, _ = zip(*pairs)
    one, other = vectorizer.transform(questions), vectorizer.transform(sentences)
    likeness = numpy.asarray(one.multiply(other).sum(axis=1)).ravel()
    lengths = [[len(question) / 100, len(sentence) / 100] for question, sentence in zip(questions, sentences)]
    return numpy.column_stack([likeness, lengths])


def main():
    files = json.loads((HERE / "manifest.json").read_text("utf-8"))["files"]
    splits = {file["split"]: load(HERE / file["path"]) for file in files}
    train = splits.get("train") or next(iter(splits.values()))
    if not train:
        raise SystemExit("no span of this export has a question; put it into `attributes.question`")
    # Pieces of words do for any language.
    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4)).fit(sentence for _, sentence, _ in train)
    x, y = features(vectorizer, train), [holds for _, _, holds in train]
    model = LogisticRegression(class_weight="balanced").fit(x, y)
    print("splits:", {split: len(pairs) for split, pairs in splits.items()})
    print("first question:", train[0][0])
    print("matrix:", x.shape, "answers:", sum(y))
    for split, pairs in splits.items():
        if pairs:
            score = model.score(features(vectorizer, pairs), [holds for _, _, holds in pairs])
            print(f"accuracy on {split}: {score:.3f}")


if __name__ == "__main__":
    main()
