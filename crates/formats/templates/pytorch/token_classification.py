"""Train a token classifier in PyTorch on a CoNLL export.

Every sentence is a list of words with a BIO tag each. Words and tags become ids, a `DataLoader` pads them, and
the loss skips the padding (`ignore_index=-100`). Replace the small LSTM by your own model.
"""

import gzip
import json
from pathlib import Path

import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, Dataset

HERE = Path(__file__).resolve().parent
PAD, UNKNOWN, IGNORED = 0, 1, -100


def sentences(path):
    """Lists of `(word, tag)`; the columns stand in the order that was asked for, here word and tag."""
    opener = gzip.open if path.suffix == ".gz" else open
    rows = []
    with opener(path, "rt", encoding="utf-8", newline="\n") as lines:
        for line in lines:
            columns = line.split()
            if columns and columns[0] != "-DOCSTART-":
                rows.append((columns[0], columns[-1]))
            elif rows:
                yield rows
                rows = []


def load_splits():
    files = json.loads((HERE / "manifest.json").read_text("utf-8"))["files"]
    return {file["split"]: list(sentences(HERE / file["path"])) for file in files}


class Tagged(Dataset):
    """Sentences as tensors of word ids and tag ids."""

    def __init__(self, sentences, words, tags):
        self.sentences, self.words, self.tags = sentences, words, tags

    def __len__(self):
        return len(self.sentences)

    def __getitem__(self, at):
        # A tag that the training split has not is skipped by the loss.
        ids = [(self.words.get(word, UNKNOWN), self.tags.get(tag, IGNORED)) for word, tag in self.sentences[at]]
        return tuple(torch.tensor(column) for column in zip(*ids))


def collate(batch):
    words, tags = zip(*batch)
    return (pad_sequence(words, batch_first=True, padding_value=PAD),
            pad_sequence(tags, batch_first=True, padding_value=IGNORED))


class Tagger(nn.Module):
    def __init__(self, words, tags, size=32):
        super().__init__()
        self.embedding = nn.Embedding(words, size, padding_idx=PAD)
        self.lstm = nn.LSTM(size, size, batch_first=True, bidirectional=True)
        self.head = nn.Linear(2 * size, tags)

    def forward(self, words):
        return self.head(self.lstm(self.embedding(words))[0])


def main():
    torch.manual_seed(0)
    splits = load_splits()
    train = splits.get("train") or next(iter(splits.values()))
    words = {word: at for at, word in enumerate(sorted({word for rows in train for word, _ in rows}), start=2)}
    tags = {tag: at for at, tag in enumerate(sorted({tag for rows in train for _, tag in rows} | {"O"}))}
    loader = DataLoader(Tagged(train, words, tags), batch_size=32, shuffle=True, collate_fn=collate)
    batch, labels = next(iter(loader))
    print("splits:", {split: len(rows) for split, rows in splits.items()})
    print("tags:", list(tags))
    print("first batch:", tuple(batch.shape), tuple(labels.shape))

    model = Tagger(len(words) + 2, len(tags))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    loss_of = nn.CrossEntropyLoss(ignore_index=IGNORED)
    loss = loss_of(model(batch).flatten(0, 1), labels.flatten())
    loss.backward()
    optimizer.step()
    print(f"one step: loss {loss.item():.3f}")


if __name__ == "__main__":
    main()
