"""The best that Python does for one format: `peer.py WAY DATABASE TEXTS FILE` writes the first texts of the bench's
corpus and prints its peak memory in bytes.

Rows come by binary COPY, two connections merged by text; everything is written as the library's own documentation
advises for speed.
"""

import itertools
import os
import re
import resource
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import psycopg

TOKENS = re.compile(r"[A-Za-z0-9]+|[^A-Za-z0-9\s]")
TEXTS_OF_A_BATCH = 1000


def documents(database: str, most: int):
    """(id, text, [(id, label, start, end, annotator, confidence, created_at), …]) of every text."""
    with psycopg.connect(database) as one, psycopg.connect(database) as other:
        last = one.execute("SELECT max(id) FROM (SELECT id FROM texts ORDER BY id LIMIT %s) AS chosen", [most]).fetchone()[0]
        labels = dict(one.execute("SELECT id, name FROM labels").fetchall())
        people = dict(one.execute("SELECT id, name FROM users").fetchall())
        texts = f"SELECT id, external_id, content FROM texts WHERE id <= {last} ORDER BY id"
        columns = "text_id, external_id, label_id, start_char, end_char, annotator_id, confidence_score, created_at"
        spans = f"SELECT {columns} FROM annotations WHERE text_id <= {last} ORDER BY text_id, id"
        with one.cursor() as first, other.cursor() as second:
            with first.copy(f"COPY ({texts}) TO STDOUT (FORMAT BINARY)") as left, \
                    second.copy(f"COPY ({spans}) TO STDOUT (FORMAT BINARY)") as right:
                left.set_types(["int8", "text", "text"])
                right.set_types(["int8", "text", "int4", "int4", "int4", "int4", "float8", "timestamptz"])
                groups = itertools.groupby(right.rows(), key=lambda row: row[0])
                for (number, name, content), (of, rows) in zip(left.rows(), groups, strict=True):
                    assert number == of
                    yield name, content, [
                        (row[1], labels[row[2]], row[3], row[4], people[row[5]], row[6], row[7]) for row in rows
                    ]


def labels_of(database: str) -> list[str]:
    with psycopg.connect(database) as connection:
        return [name for name, in connection.execute("SELECT name FROM labels ORDER BY name")]


def batches(items):
    while batch := list(itertools.islice(items, TEXTS_OF_A_BATCH)):
        yield batch


def spacy_pipeline(database: str, most: int, path: str):
    """As spaCy's own documentation converts training data."""
    import spacy
    from spacy.tokens import DocBin

    english, store = spacy.blank("en"), DocBin()
    for _, content, spans in documents(database, most):
        doc = english.make_doc(content)
        found = (doc.char_span(start, end, label=label) for _, label, start, end, *_ in spans)
        doc.ents = [span for span in found if span is not None]
        store.add(doc)
    store.to_disk(path)


def spacy_words(database: str, most: int, path: str):
    """Without spaCy's tokenizer: words are cut by a regular expression and tags given as BIO."""
    from spacy.tokens import Doc, DocBin
    from spacy.vocab import Vocab

    vocab, store = Vocab(), DocBin(attrs=["ORTH", "SPACY", "ENT_IOB", "ENT_TYPE"])
    for _, content, spans in documents(database, most):
        found = list(TOKENS.finditer(content))
        words = [match.group() for match in found]
        spaces = [content[match.end():match.end() + 1] == " " for match in found]
        store.add(Doc(vocab, words=words, spaces=spaces, ents=tags(found, spans)))
    store.to_disk(path)


def tags(found: list[re.Match], spans: list[tuple]) -> list[str]:
    """BIO tags of the tokens."""
    starts = {match.start(): at for at, match in enumerate(found)}
    out = ["O"] * len(found)
    for _, label, start, end, *_ in spans:
        at = starts[start]
        out[at] = "B-" + label
        at += 1
        while at < len(found) and found[at].start() < end:
            out[at] = "I-" + label
            at += 1
    return out


def tokens_and_tags(database: str, most: int):
    names = ["O"] + [prefix + label for label in labels_of(database) for prefix in ("B-", "I-")]
    numbers = {name: number for number, name in enumerate(names)}
    for name, content, spans in documents(database, most):
        found = list(TOKENS.finditer(content))
        yield {
            "id": name,
            "text": content,
            "tokens": [match.group() for match in found],
            "ner_tags": [numbers[tag] for tag in tags(found, spans)],
            "offsets": [{"start": match.start(), "end": match.end()} for match in found],
        }


def parquet_pyarrow(database: str, most: int, path: str):
    """Columns gathered as lists, a record batch for every thousand texts."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    offset = pa.struct([("start", pa.int32()), ("end", pa.int32())])
    schema = pa.schema([
        ("id", pa.string()), ("text", pa.string()), ("tokens", pa.list_(pa.string())),
        ("ner_tags", pa.list_(pa.int64())), ("offsets", pa.list_(offset)),
    ])
    with pq.ParquetWriter(path, schema, compression="snappy") as writer:
        for batch in batches(tokens_and_tags(database, most)):
            columns = {name: [row[name] for row in batch] for name in schema.names}
            writer.write_table(pa.table(columns, schema=schema))


def parquet_datasets(database: str, most: int, path: str):
    """As the Hugging Face documentation makes a dataset of rows."""
    import datasets

    made = datasets.Dataset.from_generator(
        tokens_and_tags, gen_kwargs={"database": database, "most": most}, cache_dir=path + ".cache", keep_in_memory=False
    )
    made.to_parquet(path)


def records(database: str, most: int):
    for name, content, spans in documents(database, most):
        keys = ("id", "label", "start", "end", "annotator", "confidence", "created_at")
        yield {"id": name, "text": content, "annotations": [dict(zip(keys, span)) for span in spans]}


def arrow_pyarrow(database: str, most: int, path: str):
    """Nested records, a batch for every thousand texts."""
    import pyarrow as pa

    span = pa.struct([
        ("id", pa.string()), ("start", pa.int32()), ("end", pa.int32()), ("label", pa.string()),
        ("annotator", pa.string()), ("confidence", pa.float64()), ("created_at", pa.timestamp("us", tz="UTC")),
    ])
    schema = pa.schema([("id", pa.string()), ("text", pa.string()), ("annotations", pa.list_(span))])
    with pa.OSFile(path, "wb") as file, pa.ipc.new_file(file, schema) as writer:
        for batch in batches(records(database, most)):
            writer.write_batch(pa.RecordBatch.from_pylist(batch, schema=schema))


def tfrecord(database: str, most: int, path: str):
    """TensorFlow's own writer and messages."""
    import tensorflow as tf

    def texts(values):
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value.encode() for value in values]))

    def integers(values):
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values))

    with tf.io.TFRecordWriter(path) as writer:
        for name, content, spans in documents(database, most):
            ids, labels, starts, ends, people, confidences, times = zip(*spans)
            feature = {
                "id": texts([name]), "text": texts([content]), "metadata": texts([""]),
                "span/id": texts(ids), "span/label": texts(labels), "span/annotator": texts(people),
                "span/start": integers(starts), "span/end": integers(ends),
                "span/confidence": tf.train.Feature(float_list=tf.train.FloatList(value=confidences)),
                "span/created_at": texts([time.isoformat() for time in times]),
                "span/attributes": texts([""] * len(spans)),
            }
            example = tf.train.Example(features=tf.train.Features(feature=feature))
            writer.write(example.SerializeToString())


def conll(database: str, most: int, path: str):
    """Lines gathered, ISA-L's fastest gzip."""
    from isal import igzip

    with igzip.open(path, "wb", compresslevel=1) as out:
        for _, content, spans in documents(database, most):
            found = list(TOKENS.finditer(content))
            lines = [f"{match.group()}\t{tag}\n" for match, tag in zip(found, tags(found, spans))]
            out.write(("".join(lines) + "\n").encode())


def jsonl(database: str, most: int, path: str):
    """orjson, ISA-L's fastest gzip."""
    import orjson
    from isal import igzip

    with igzip.open(path, "wb", compresslevel=1) as out:
        for record in records(database, most):
            out.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))


if __name__ == "__main__":
    way, database, texts, path = sys.argv[1:]
    globals()[way](database, int(texts), path)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
