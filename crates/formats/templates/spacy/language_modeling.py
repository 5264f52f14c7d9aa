"""Pretrain spaCy's vectors of words on a JSON lines export.

`spacy pretrain` learns the `tok2vec` layer from texts without labels: it takes rows with a `text` as they are. This
writes a `pretrain.cfg` beside them and runs it over a few texts. For all of them:

    python -m spacy pretrain pretrain.cfg pretrained --paths.raw_text train.jsonl

Give `pretrained/model-last.bin` to `spacy train` as `--initialize.init_tok2vec`.
"""

import gzip
import json
import tempfile
from pathlib import Path

from spacy.cli.init_config import init_config
from spacy.training.pretrain import pretrain

HERE = Path(__file__).resolve().parent
# "xx" takes texts of any language; "en", "de" … split words better.
LANGUAGE = "xx"
MOST_TEXTS = 50


def load_splits():
    splits = {}
    for file in json.loads((HERE / "manifest.json").read_text("utf-8"))["files"]:
        path = HERE / file["path"]
        opener = gzip.open if path.suffix == ".gz" else open
        with opener(path, "rt", encoding="utf-8", newline="\n") as lines:
            splits.setdefault(file["split"], []).extend(json.loads(line)["text"] for line in lines)
    return splits


def main():
    config = init_config(lang=LANGUAGE, pipeline=["tok2vec", "ner"], pretraining=True)
    config["pretraining"]["max_epochs"] = 1
    config["pretraining"]["component"] = "tok2vec"
    config["pretraining"]["objective"]["n_characters"] = 4
    config.to_disk(HERE / "pretrain.cfg")
    splits = load_splits()
    train = splits.get("train") or next(iter(splits.values()))
    print("splits:", {split: len(texts) for split, texts in splits.items()})
    print("first text:", train[0][:60])

    with tempfile.TemporaryDirectory() as folder:
        some, output = Path(folder, "some.jsonl"), Path(folder, "pretrained")
        output.mkdir()
        some.write_text("".join(json.dumps({"text": text}) + "\n" for text in train[:MOST_TEXTS]), "utf-8")
        config["paths"]["raw_text"] = str(some)
        pretrain(config.interpolate(), output, silent=True)
        made = sorted(path.name for path in output.iterdir())
    print("pretrained:", made)


if __name__ == "__main__":
    main()
