"""Train a text classifier in PyTorch on a JSON lines export.

The labels of a text are its annotations without a place (`start` is null). A text may have several, so the target
is a row of zeros and ones and the loss is a binary one per label.
"""

import gzip
import json
import re
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

HERE = Path(__file__).resolve().parent
UNKNOWN = 0


def load_splits():
    splits = {}
    for file in json.loads((HERE / "manifest.json").read_text("utf-8"))["files"]:
        path = HERE / file["path"]
        opener = gzip.open if path.suffix == ".gz" else open
        with opener(path, "rt", encoding="utf-8", newline="\n") as lines:
            splits.setdefault(file["split"], []).extend(map(json.loads, lines))
    return splits


def labels_of(record):
    return {item["label"] for item in record["annotations"] if item["start"] is None}


def words_of(text):
    return re.findall(r"\w+|[^\w\s]", text.lower())


class Texts(Dataset):
    """Texts as tensors of word ids, with a target of zeros and ones."""

    def __init__(self, records, words, labels):
        self.records, self.words, self.labels = records, words, labels

    def __len__(self):
        return len(self.records)

    def __getitem__(self, at):
        record = self.records[at]
        ids = [self.words.get(word, UNKNOWN) for word in words_of(record["text"])] or [UNKNOWN]
        own = labels_of(record)
        return torch.tensor(ids), torch.tensor([float(label in own) for label in self.labels])


def collate(batch):
    """One long row of words with the place where each text begins, as `nn.EmbeddingBag` takes it."""
    texts, targets = zip(*batch)
    offsets = torch.tensor([0, *map(len, texts)]).cumsum(0)[:-1]
    return torch.cat(texts), offsets, torch.stack(targets)


class Classifier(nn.Module):
    def __init__(self, words, labels, size=32):
        super().__init__()
        self.embedding = nn.EmbeddingBag(words, size)
        self.head = nn.Linear(size, labels)

    def forward(self, words, offsets):
        return self.head(self.embedding(words, offsets))


def main():
    torch.manual_seed(0)
    splits = load_splits()
    train = splits.get("train") or next(iter(splits.values()))
    labels = sorted({label for record in train for label in labels_of(record)})
    if not labels:
        raise SystemExit("no text of this export has a label of its own; label whole texts to classify them")
    words = {word for record in train for word in words_of(record["text"])}
    words = {word: at for at, word in enumerate(sorted(words), start=1)}
    loader = DataLoader(Texts(train, words, labels), batch_size=32, shuffle=True, collate_fn=collate)
    batch, offsets, targets = next(iter(loader))
    print("splits:", {split: len(records) for split, records in splits.items()})
    print("labels:", labels)
    print("first batch:", tuple(batch.shape), tuple(offsets.shape), tuple(targets.shape))

    model = Classifier(len(words) + 1, len(labels))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    loss = nn.BCEWithLogitsLoss()(model(batch, offsets), targets)
    loss.backward()
    optimizer.step()
    print(f"one step: loss {loss.item():.3f}")


if __name__ == "__main__":
    main()
