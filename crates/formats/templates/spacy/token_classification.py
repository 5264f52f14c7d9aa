"""Train spaCy's entity recogniser on a DocBin export.

The folders `train/`, `dev/` … hold `.spacy` files as `spacy train` takes them. This writes a `config.cfg` beside
them and takes one step with it. For the whole training:

    python -m spacy train config.cfg --paths.train train --paths.dev dev --output model

Entities stand in `doc.ents`; all spans, overlapping ones too, in `doc.spans["sc"]`, where the `spancat` component
looks for them: put it in place of `ner` below.
"""

import json
from pathlib import Path

from spacy.cli.init_config import init_config
from spacy.training import Corpus
from spacy.util import load_model_from_config, minibatch

HERE = Path(__file__).resolve().parent
# "xx" takes texts of any language; "en", "de" … split words better.
LANGUAGE = "xx"


def main():
    config = init_config(lang=LANGUAGE, pipeline=["ner"], optimize="efficiency")
    config.to_disk(HERE / "config.cfg")
    nlp = load_model_from_config(config, auto_fill=True)
    splits = {file["split"]: HERE / file["split"] for file in json.loads((HERE / "manifest.json").read_text("utf-8"))["files"]}
    examples = {split: list(Corpus(folder)(nlp)) for split, folder in splits.items()}
    train = examples.get("train") or next(iter(examples.values()))
    first = train[0].reference
    print("splits:", {split: len(docs) for split, docs in examples.items()})
    print("first text:", len(first), "tokens,", [(span.text, span.label_) for span in first.ents])

    nlp.initialize(lambda: train)
    print("labels:", list(nlp.get_pipe("ner").labels))
    losses = nlp.update(next(minibatch(train, 16)))
    print(f"one step: loss {losses['ner']:.3f}")


if __name__ == "__main__":
    main()
