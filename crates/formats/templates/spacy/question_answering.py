"""Find answers with spaCy's span finder, on a JSON lines export.

spaCy has no component that reads a question. Its users find what may be an answer and rank that by the question:
`span_finder` learns here which spans of a text were answers (`attributes.question`). The questions stand in
`doc.user_data["questions"]`, one for each span of `doc.spans["sc"]`.
"""

import gzip
import json
from pathlib import Path

import spacy
from spacy.training import Example
from spacy.util import minibatch

HERE = Path(__file__).resolve().parent
# "xx" takes texts of any language; "en", "de" … split words better.
LANGUAGE = "xx"


def load(nlp, path):
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", newline="\n") as lines:
        return [document(nlp, json.loads(line)) for line in lines]


def document(nlp, record):
    """Offsets are code points, as spaCy counts. A span that cuts a token takes all of it."""
    doc = nlp.make_doc(record["text"])
    spans, questions = [], []
    for item in record["annotations"]:
        question = (item["attributes"] or {}).get("question")
        if question and item["start"] is not None:
            span = doc.char_span(item["start"], item["end"], label=item["label"], alignment_mode="expand")
            if span is not None:
                spans.append(span)
                questions.append(question)
    doc.spans["sc"] = spans
    doc.user_data["questions"] = questions
    return doc


def main():
    nlp = spacy.blank(LANGUAGE)
    finder = nlp.add_pipe("span_finder", config={"max_length": 20})
    files = json.loads((HERE / "manifest.json").read_text("utf-8"))["files"]
    splits = {file["split"]: load(nlp, HERE / file["path"]) for file in files}
    train = splits.get("train") or next(iter(splits.values()))
    train = [doc for doc in train if doc.spans["sc"]]
    if not train:
        raise SystemExit("no span of this export has a question; put it into `attributes.question`")
    print("splits:", {split: sum(len(doc.spans["sc"]) for doc in docs) for split, docs in splits.items()}, "questions")
    print("first question:", train[0].user_data["questions"][0], "answer:", train[0].spans["sc"][0].text)

    examples = [Example(nlp.make_doc(doc.text), doc) for doc in train]
    nlp.initialize(lambda: examples[:16])
    losses = nlp.update(next(minibatch(examples, 8)))
    print(f"one step: loss {losses[finder.name]:.3f}")


if __name__ == "__main__":
    main()
