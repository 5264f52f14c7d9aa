"""Parquet: pyarrow reads everything; DuckDB, pandas and `datasets` see the same rows."""

import datasets
import duckdb
import pandas
from pyarrow import parquet

from corpus import Document
from export import Export
from read_arrow import KEEPS, documents

__all__ = ["KEEPS"]
VARIANTS = [["--compression", "gzip"], ["--compression", "zstd"], ["--set", "partitions=3"], ["--set", "batch_size=2"]]


def read(export: Export) -> list[Document]:
    return [
        document for split, path in export.files for document in documents(parquet.ParquetFile(path).read(), split)
    ]


def also(export: Export, read: list[Document]) -> None:
    for split in sorted({split for split, _ in export.files}):
        texts = [document.text for document in read if document.split == split]
        labels = [item.label for document in read if document.split == split for item in document.annotations]
        paths = [str(path) for of, path in export.files if of == split]
        assert list(pandas.concat(map(pandas.read_parquet, paths))["text"]) == texts
        query = "from read_parquet($1) select unnest(annotations).label"
        assert sorted(row[0] for row in duckdb.execute(query, [paths]).fetchall()) == sorted(labels)
        if texts:
            assert datasets.load_dataset("parquet", data_files=paths, split="train")["text"][:] == texts
