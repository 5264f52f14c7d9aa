"""Train a relation classifier in TensorFlow on a TFRecord export with relations.

`relation/source` and `relation/target` are places in `span/…`. An example is a pair of spans: both labels and the
text from the first to the second. For each related pair there is one with another target; where nothing is said of
it, it is `no_relation`.
"""

import json
from pathlib import Path

import keras
import tensorflow as tf

HERE = Path(__file__).resolve().parent
MANIFEST = json.loads((HERE / "manifest.json").read_text("utf-8"))
SPEC = json.loads((HERE / "features.json").read_text("utf-8"))
NONE = "no_relation"
# Characters between two spans that are looked at.
MOST_CHARACTERS = 200


def parse(record):
    features = {}
    for key, feature in SPEC["features"].items():
        dtype = tf.dtypes.as_dtype(feature["dtype"])
        features[key] = tf.io.FixedLenFeature([], dtype) if feature["shape"] == [] else tf.io.RaggedFeature(dtype)
    return tf.io.parse_single_example(record, features)


def pairs(example):
    """A dataset of `(words, type)`; offsets are code points."""
    sources, targets = example["relation/source"], example["relation/target"]
    others = tf.roll(targets, 1, axis=0)
    is_related = tf.reduce_any((sources[:, None] == sources[None, :]) & (others[:, None] == targets[None, :]), axis=1)
    others, their_sources = others[~is_related], sources[~is_related]
    types = tf.concat([example["relation/type"], tf.fill(tf.shape(others), NONE)], axis=0)
    sources, targets = tf.concat([sources, their_sources], axis=0), tf.concat([targets, others], axis=0)

    def of(name, places):
        return tf.gather(example[f"span/{name}"], places)

    starts = tf.maximum(tf.minimum(of("start", sources), of("start", targets)), 0)
    ends = tf.maximum(of("end", sources), of("end", targets))
    lengths = tf.clip_by_value(ends - starts, 0, MOST_CHARACTERS)
    between = tf.strings.substr(tf.fill(tf.shape(starts), example["text"]), starts, lengths, unit="UTF8_CHAR")
    words = tf.strings.join([of("label", sources), of("label", targets), between], separator=" ")
    return tf.data.Dataset.from_tensor_slices((words, types))


def load(split):
    files = [str(HERE / file["path"]) for file in MANIFEST["files"] if file["split"] == split]
    return tf.data.TFRecordDataset(files, compression_type=SPEC["compression_type"]).map(parse).flat_map(pairs)


def main():
    keras.utils.set_random_seed(0)
    names = list(dict.fromkeys(file["split"] for file in MANIFEST["files"]))
    splits = {split: load(split) for split in names}
    train = splits.get("train") or splits[names[0]]
    types = sorted({kind.decode() for kind in train.map(lambda words, kind: kind).as_numpy_iterator()} - {NONE})
    if not types:
        raise SystemExit("no text of this export has a relation; export with --include-relations")
    types = [NONE, *types]

    # A type that the training split has not counts as none.
    number = keras.layers.StringLookup(vocabulary=types[1:], num_oov_indices=1)
    batches = train.map(lambda words, kind: (words, number(kind))).batch(32)
    words, targets = next(iter(batches))
    print("splits:", {split: int(dataset.reduce(0, lambda count, *_: count + 1)) for split, dataset in splits.items()}, "pairs")
    print("types:", types)
    print("first batch:", tuple(words.shape), tuple(targets.shape))

    vectorize = keras.layers.TextVectorization(max_tokens=20_000)
    vectorize.adapt(train.map(lambda words, kind: words).batch(128))
    model = keras.Sequential([
        keras.layers.Embedding(vectorize.vocabulary_size(), 32, mask_zero=True),
        keras.layers.GlobalAveragePooling1D(),
        keras.layers.Dense(len(types)),
    ])
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    # `model.fit` takes the whole dataset.
    loss = model.train_on_batch(*next(iter(batches.map(lambda words, target: (vectorize(words), target)))))
    print(f"one step: loss {float(loss):.3f}")


if __name__ == "__main__":
    main()
