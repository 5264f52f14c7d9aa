"""Train spaCy's text classifier on a DocBin export.

The labels of a text stand in `doc.cats`, every label with 1.0 or 0.0. A text may have several, which is what
`textcat_multilabel` is for; where every text has exactly one, use `textcat`. For the whole training:

    python -m spacy train config.cfg --paths.train train --paths.dev dev --output model
"""

import json
from pathlib import Path

from spacy.cli.init_config import init_config
from spacy.training import Corpus
from spacy.util import load_model_from_config, minibatch

HERE = Path(__file__).resolve().parent
# "xx" takes texts of any language; "en", "de" … split words better.
LANGUAGE = "xx"
COMPONENT = "textcat_multilabel"


def main():
    config = init_config(lang=LANGUAGE, pipeline=[COMPONENT], optimize="efficiency")
    config.to_disk(HERE / "config.cfg")
    nlp = load_model_from_config(config, auto_fill=True)
    splits = {file["split"]: HERE / file["split"] for file in json.loads((HERE / "manifest.json").read_text("utf-8"))["files"]}
    examples = {split: list(Corpus(folder)(nlp)) for split, folder in splits.items()}
    train = examples.get("train") or next(iter(examples.values()))
    if not any(example.reference.cats for example in train):
        raise SystemExit("no text of this export has a label of its own; label whole texts to classify them")
    first = train[0].reference
    print("splits:", {split: len(docs) for split, docs in examples.items()})
    print("first text:", len(first), "tokens,", [label for label, value in first.cats.items() if value])

    nlp.initialize(lambda: train)
    print("labels:", list(nlp.get_pipe(COMPONENT).labels))
    losses = nlp.update(next(minibatch(train, 16)))
    print(f"one step: loss {losses[COMPONENT]:.3f}")


if __name__ == "__main__":
    main()
