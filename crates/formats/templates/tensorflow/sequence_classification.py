"""Train a text classifier in TensorFlow on a TFRecord export.

The labels of a text are the spans whose `span/start` is -1. A text may have several, so the target is a row of
zeros and ones and the loss is a binary one per label.
"""

import json
from pathlib import Path

import keras
import tensorflow as tf

HERE = Path(__file__).resolve().parent
MANIFEST = json.loads((HERE / "manifest.json").read_text("utf-8"))
SPEC = json.loads((HERE / "features.json").read_text("utf-8"))


def parse(record):
    features = {}
    for key, feature in SPEC["features"].items():
        dtype = tf.dtypes.as_dtype(feature["dtype"])
        features[key] = tf.io.FixedLenFeature([], dtype) if feature["shape"] == [] else tf.io.RaggedFeature(dtype)
    return tf.io.parse_single_example(record, features)


def load(split):
    """Texts and the labels of each."""
    files = [str(HERE / file["path"]) for file in MANIFEST["files"] if file["split"] == split]
    examples = tf.data.TFRecordDataset(files, compression_type=SPEC["compression_type"]).map(parse)
    return examples.map(lambda it: (it["text"], it["span/label"][it["span/start"] < 0]))


def main():
    keras.utils.set_random_seed(0)
    names = list(dict.fromkeys(file["split"] for file in MANIFEST["files"]))
    splits = {split: load(split) for split in names}
    train = splits.get("train") or splits[names[0]]
    labels = sorted({label.decode() for _, own in train for label in own.numpy()})
    if not labels:
        raise SystemExit("no text of this export has a label of its own; label whole texts to classify them")

    known = tf.constant(labels)
    batches = train.map(lambda text, own: (text, tf.reduce_any(own[:, None] == known[None, :], axis=0))).batch(32)
    texts, targets = next(iter(batches))
    print("splits:", {split: int(dataset.reduce(0, lambda count, *_: count + 1)) for split, dataset in splits.items()})
    print("labels:", labels)
    print("first batch:", tuple(texts.shape), tuple(targets.shape))

    words = keras.layers.TextVectorization(max_tokens=20_000)
    words.adapt(train.map(lambda text, own: text).batch(128))
    model = keras.Sequential([
        keras.layers.Embedding(words.vocabulary_size(), 32, mask_zero=True),
        keras.layers.GlobalAveragePooling1D(),
        keras.layers.Dense(len(labels)),
    ])
    model.compile("adam", keras.losses.BinaryCrossentropy(from_logits=True))
    # `model.fit` takes the whole dataset.
    loss = model.train_on_batch(*next(iter(batches.map(lambda text, target: (words(text), target)))))
    print(f"one step: loss {float(loss):.3f}")


if __name__ == "__main__":
    main()
