"""Train an extractive question answerer in TensorFlow on a TFRecord export.

Each answer is a span with its question in `span/attributes`, a JSON object. Question and text are read as code
points, which is what offsets count; the model points at the answer's first and last character.
"""

import json
from pathlib import Path

import keras
import tensorflow as tf

HERE = Path(__file__).resolve().parent
MANIFEST = json.loads((HERE / "manifest.json").read_text("utf-8"))
SPEC = json.loads((HERE / "features.json").read_text("utf-8"))
# Characters that are looked at, and numbers that they are hashed to.
MOST_CHARACTERS, BUCKETS = 1024, 4096
SEPARATOR = "\n"


def parse(record):
    features = {}
    for key, feature in SPEC["features"].items():
        dtype = tf.dtypes.as_dtype(feature["dtype"])
        features[key] = tf.io.FixedLenFeature([], dtype) if feature["shape"] == [] else tf.io.RaggedFeature(dtype)
    return tf.io.parse_single_example(record, features)


def questions(split):
    """`(question and text, first and last character of the answer)`."""
    files = [str(HERE / file["path"]) for file in MANIFEST["files"] if file["split"] == split]
    records = tf.data.TFRecordDataset(files, compression_type=SPEC["compression_type"]).map(parse)
    for example in records.as_numpy_iterator():
        text = example["text"].decode()
        for attributes, start, end in zip(example["span/attributes"], example["span/start"], example["span/end"]):
            question = json.loads(attributes or "{}").get("question")
            if question and start >= 0:
                before = len(question) + len(SEPARATOR)
                if before + end <= MOST_CHARACTERS:
                    yield question + SEPARATOR + text, (before + start, before + end - 1)


def load(split):
    signature = (tf.TensorSpec([], tf.string), tf.TensorSpec([2], tf.int64))
    return tf.data.Dataset.from_generator(lambda: questions(split), output_signature=signature)


def characters(text, answer):
    codes = tf.strings.unicode_decode(text, "UTF-8")[:MOST_CHARACTERS]
    return tf.pad(codes % BUCKETS, [[0, MOST_CHARACTERS - tf.size(codes)]]), answer


def main():
    keras.utils.set_random_seed(0)
    names = list(dict.fromkeys(file["split"] for file in MANIFEST["files"]))
    splits = {split: load(split) for split in names}
    counts = {split: int(dataset.reduce(0, lambda count, *_: count + 1)) for split, dataset in splits.items()}
    name = "train" if "train" in names else names[0]
    if not counts[name]:
        raise SystemExit("no span of this export has a question; put it into `attributes.question`")
    batches = splits[name].map(characters).map(lambda codes, answer: (tf.ensure_shape(codes, [MOST_CHARACTERS]), answer)).batch(16)
    codes, answers = next(iter(batches))
    print("splits:", counts, "questions")
    print("first question:", next(questions(name))[0].split(SEPARATOR)[0])
    print("first batch:", tuple(codes.shape), tuple(answers.shape))

    model = keras.Sequential([
        keras.layers.Embedding(BUCKETS, 32),
        keras.layers.Conv1D(32, 7, padding="same", activation="relu"),
        # Two logits for every character: the answer begins here, it ends here.
        keras.layers.Dense(2),
        keras.layers.Permute((2, 1)),
    ])
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    # `model.fit` takes the whole dataset.
    loss = model.train_on_batch(*next(iter(batches)))
    print(f"one step: loss {float(loss):.3f}")


if __name__ == "__main__":
    main()
