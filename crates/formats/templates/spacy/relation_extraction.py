"""Train a relation classifier on spaCy's vectors of words, on a DocBin export with relations.

spaCy has no component for relations. `doc.user_data["relations"]` holds them, by the places of their spans in
`doc.spans["sc"]`; `doc._.rel` holds them by the first tokens of their spans, as the tutorial project
`rel_component` reads it. The model here averages the vectors of both spans and tells the type of each pair; pairs
that nothing is said of are `no_relation`.
"""

import json
import random
from pathlib import Path

import numpy
import spacy
from spacy.ml.models.tok2vec import build_hash_embed_cnn_tok2vec
from spacy.tokens import Doc, DocBin
from thinc.api import Adam, Softmax, fix_random_seed

HERE = Path(__file__).resolve().parent
NONE = "no_relation"
WIDTH = 32


def load_splits(nlp):
    splits = {}
    for file in json.loads((HERE / "manifest.json").read_text("utf-8"))["files"]:
        docs = DocBin().from_disk(HERE / file["path"]).get_docs(nlp.vocab)
        splits.setdefault(file["split"], []).extend(docs)
    return splits


def pairs(doc):
    """`(source, target, type)` of every related pair, and of as many others."""
    spans = list(doc.spans.get("sc", []))
    related = {(item["source"], item["target"]): item["type"] for item in doc.user_data.get("relations", [])}
    for _ in range(len(related) if len(spans) > 1 else 0):
        related.setdefault(tuple(random.sample(range(len(spans)), 2)), NONE)
    return [(spans[source], spans[target], kind) for (source, target), kind in related.items()]


def features(tok2vec, doc, found):
    vectors = tok2vec.predict([doc])[0]
    mean = [[vectors[span.start:span.end].mean(axis=0) for span in (source, target)] for source, target, _ in found]
    return numpy.asarray(mean, dtype="f").reshape(len(found), 2 * WIDTH)


def main():
    fix_random_seed(0)
    Doc.set_extension("rel", default={})
    nlp = spacy.blank("xx")
    splits = load_splits(nlp)
    train = [(doc, pairs(doc)) for doc in splits.get("train") or next(iter(splits.values()))]
    train = [(doc, found) for doc, found in train if found]
    if not train:
        raise SystemExit("no text of this export has a relation; export with --include-relations")
    types = [NONE, *sorted({kind for _, found in train for _, _, kind in found} - {NONE})]
    tok2vec = build_hash_embed_cnn_tok2vec(
        width=WIDTH, depth=1, embed_size=1000, window_size=1, maxout_pieces=2, subword_features=True,
        pretrained_vectors=None,
    )
    tok2vec.initialize([train[0][0]])
    x = numpy.concatenate([features(tok2vec, doc, found) for doc, found in train])
    y = numpy.eye(len(types), dtype="f")[[types.index(kind) for _, found in train for _, _, kind in found]]
    print("splits:", {split: sum(len(pairs(doc)) for doc in docs) for split, docs in splits.items()}, "pairs")
    print("types:", types)
    print("first relation:", [(one.text, kind, other.text) for one, other, kind in train[0][1]][0], "rel:", train[0][0]._.rel)
    print("matrix:", x.shape)

    model = Softmax(len(types), 2 * WIDTH)
    model.initialize(x[:2], y[:2])
    optimizer = Adam(0.01)
    for _ in range(10):
        guesses, backprop = model.begin_update(x)
        backprop((guesses - y) / len(y))
        model.finish_update(optimizer)
    print(f"ten steps: loss {-(y * numpy.log(guesses + 1e-9)).sum(axis=1).mean():.3f}")


if __name__ == "__main__":
    main()
