"""Train a relation classifier in PyTorch on a JSON lines export with relations.

An example is a pair of spans of one text. Pairs that nothing is said of are `no_relation`, one for each related
pair. The text between and around the spans is marked: `[E1] Ada [/E1] met [E2] Bo [/E2]`.
"""

import gzip
import json
import random
import re
from pathlib import Path

import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader

HERE = Path(__file__).resolve().parent
PAD, UNKNOWN = 0, 1
NONE = "no_relation"
# How much of the text around both spans is looked at, in code points.
CONTEXT = 60


def load_splits():
    splits = {}
    for file in json.loads((HERE / "manifest.json").read_text("utf-8"))["files"]:
        path = HERE / file["path"]
        opener = gzip.open if path.suffix == ".gz" else open
        with opener(path, "rt", encoding="utf-8", newline="\n") as lines:
            splits.setdefault(file["split"], []).extend(map(json.loads, lines))
    return splits


def examples(record):
    """`(marked text, type)` of every related pair, and of as many others."""
    spans = {item["id"]: item for item in record["annotations"] if item["start"] is not None}
    related = {(item["source"], item["target"]): item["type"] for item in record["relations"]}
    related = {pair: kind for pair, kind in related.items() if set(pair) <= set(spans)}
    ids = list(spans)
    for _ in range(len(related)):
        pair = tuple(random.sample(ids, 2)) if len(ids) > 1 else None
        if pair and pair not in related:
            related[pair] = NONE
    for (source, target), kind in related.items():
        yield mark(record["text"], spans[source], spans[target]), kind


def mark(text, source, target):
    """Offsets are code points, as Python counts."""
    first = max(0, min(source["start"], target["start"]) - CONTEXT)
    last = max(source["end"], target["end"]) + CONTEXT
    marks = [(source["start"], " [E1] "), (source["end"], " [/E1] "), (target["start"], " [E2] "), (target["end"], " [/E2] ")]
    pieces, at = [], first
    for place, word in sorted(marks):
        pieces += [text[at:place], word]
        at = place
    return "".join([*pieces, text[at:last]])


def words_of(text):
    return re.findall(r"\[/?E[12]\]|\w+|[^\w\s]", text)


class Classifier(nn.Module):
    def __init__(self, words, types, size=32):
        super().__init__()
        self.embedding = nn.Embedding(words, size, padding_idx=PAD)
        self.lstm = nn.LSTM(size, size, batch_first=True)
        self.head = nn.Linear(size, types)

    def forward(self, words):
        return self.head(self.lstm(self.embedding(words))[1][0][-1])


def main():
    random.seed(0)
    torch.manual_seed(0)
    splits = {split: [pair for record in records for pair in examples(record)] for split, records in load_splits().items()}
    train = splits.get("train") or next(iter(splits.values()))
    if not train:
        raise SystemExit("no text of this export has a relation; export with --include-relations")
    types = [NONE, *sorted({kind for _, kind in train} - {NONE})]
    words = {word: at for at, word in enumerate(sorted({word for text, _ in train for word in words_of(text)}), start=2)}

    def collate(batch):
        texts = [torch.tensor([words.get(word, UNKNOWN) for word in words_of(text)]) for text, _ in batch]
        return pad_sequence(texts, batch_first=True, padding_value=PAD), torch.tensor([types.index(kind) for _, kind in batch])

    batch, targets = next(iter(DataLoader(train, batch_size=32, shuffle=True, collate_fn=collate)))
    print("splits:", {split: len(pairs) for split, pairs in splits.items()})
    print("types:", types)
    print("first batch:", tuple(batch.shape), tuple(targets.shape))

    model = Classifier(len(words) + 2, len(types))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    loss = nn.CrossEntropyLoss()(model(batch), targets)
    loss.backward()
    optimizer.step()
    print(f"one step: loss {loss.item():.3f}")


if __name__ == "__main__":
    main()
