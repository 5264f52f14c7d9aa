"""Tag characters in TensorFlow on a TFRecord export.

An example holds a text and its spans in parallel lists, with offsets in code points; `features.json` beside it says
how to parse it. `tf.strings.unicode_decode` gives a text's code points, so that spans need no tokenizer: each
character gets a tag, `O`, `B-label` or `I-label`. Where spans overlap, the one with the later label wins.
"""

import json
from pathlib import Path

import keras
import tensorflow as tf

HERE = Path(__file__).resolve().parent
MANIFEST = json.loads((HERE / "manifest.json").read_text("utf-8"))
SPEC = json.loads((HERE / "features.json").read_text("utf-8"))
# Characters of a text that are looked at, and numbers that they are hashed to.
MOST_CHARACTERS, BUCKETS = 512, 4096
PADDING = -1


def parse(record):
    features = {}
    for key, feature in SPEC["features"].items():
        dtype = tf.dtypes.as_dtype(feature["dtype"])
        features[key] = tf.io.FixedLenFeature([], dtype) if feature["shape"] == [] else tf.io.RaggedFeature(dtype)
    return tf.io.parse_single_example(record, features)


def load(split):
    files = [str(HERE / file["path"]) for file in MANIFEST["files"] if file["split"] == split]
    return tf.data.TFRecordDataset(files, compression_type=SPEC["compression_type"]).map(parse)


def labels_of(dataset):
    labels = {label for example in dataset for label, start in zip(example["span/label"].numpy(), example["span/start"]) if start >= 0}
    return sorted(label.decode() for label in labels)


def tagger(labels):
    numbers = keras.layers.StringLookup(vocabulary=labels, num_oov_indices=1)

    def tag(example):
        characters = tf.strings.unicode_decode(example["text"], "UTF-8")[:MOST_CHARACTERS]
        places = tf.range(tf.size(characters), dtype=tf.int64)[:, None]
        starts, ends = example["span/start"][None, :], example["span/end"][None, :]
        # 0 is O; a label's number is at least 1, B is odd and I is even.
        number = tf.cast(numbers(example["span/label"]), tf.int64)[None, :]
        tags = 2 * number - tf.cast(places == starts, tf.int64)
        tags = tf.where((places >= starts) & (places < ends) & (number > 0), tags, 0)
        return characters % BUCKETS, tf.reduce_max(tf.concat([tf.zeros_like(places), tags], axis=1), axis=1)

    return tag


def main():
    keras.utils.set_random_seed(0)
    names = list(dict.fromkeys(file["split"] for file in MANIFEST["files"]))
    splits = {split: load(split) for split in names}
    train = splits.get("train") or splits[names[0]]
    labels = labels_of(train)
    if not labels:
        raise SystemExit("no text of this export has a span")
    batches = train.map(tagger(labels)).padded_batch(16, padding_values=(0, tf.constant(PADDING, tf.int64)))
    characters, tags = next(iter(batches))
    print("splits:", {split: int(dataset.reduce(0, lambda count, _: count + 1)) for split, dataset in splits.items()})
    print("labels:", labels)
    print("first batch:", tuple(characters.shape), tuple(tags.shape))

    model = keras.Sequential([
        keras.layers.Embedding(BUCKETS, 32),
        keras.layers.Conv1D(32, 7, padding="same", activation="relu"),
        keras.layers.Dense(2 * len(labels) + 1),
    ])
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=PADDING))
    # `model.fit` takes the whole dataset.
    loss = model.train_on_batch(*next(iter(batches)))
    print(f"one step: loss {float(loss):.3f}")


if __name__ == "__main__":
    main()
