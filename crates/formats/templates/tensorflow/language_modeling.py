"""Train a small language model in TensorFlow on a TFRecord export.

Texts become rows of words, and each word predicts the next one. Annotations are not looked at.
"""

import json
from pathlib import Path

import keras
import tensorflow as tf

HERE = Path(__file__).resolve().parent
MANIFEST = json.loads((HERE / "manifest.json").read_text("utf-8"))
SPEC = json.loads((HERE / "features.json").read_text("utf-8"))
BLOCK, MOST_WORDS = 32, 5000


def load(split):
    files = [str(HERE / file["path"]) for file in MANIFEST["files"] if file["split"] == split]
    records = tf.data.TFRecordDataset(files, compression_type=SPEC["compression_type"])
    # Features that are not asked for are skipped.
    text = {"text": tf.io.FixedLenFeature([], tf.string)}
    return records.map(lambda record: tf.io.parse_single_example(record, text)["text"])


def main():
    keras.utils.set_random_seed(0)
    names = list(dict.fromkeys(file["split"] for file in MANIFEST["files"]))
    splits = {split: load(split) for split in names}
    train = splits.get("train") or splits[names[0]]
    words = keras.layers.TextVectorization(MOST_WORDS, standardize=None, output_sequence_length=BLOCK + 1)
    words.adapt(train.batch(128))
    batches = train.batch(16).map(words).map(lambda rows: (rows[:, :-1], rows[:, 1:]))
    inputs, targets = next(iter(batches))
    print("splits:", {split: int(dataset.reduce(0, lambda count, _: count + 1)) for split, dataset in splits.items()})
    print("words:", words.vocabulary_size())
    print("first batch:", tuple(inputs.shape), tuple(targets.shape))

    model = keras.Sequential([
        keras.layers.Embedding(words.vocabulary_size(), 32),
        keras.layers.GRU(32, return_sequences=True),
        keras.layers.Dense(words.vocabulary_size()),
    ])
    # 0 is the padding.
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0))
    # `model.fit` takes the whole dataset.
    loss = model.train_on_batch(*next(iter(batches)))
    print(f"one step: loss {float(loss):.3f}")


if __name__ == "__main__":
    main()
