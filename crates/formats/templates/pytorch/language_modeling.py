"""Train a small language model in PyTorch on a JSON lines export.

The texts of a split are joined, cut into blocks of words, and each word predicts the next one. Annotations are not
looked at.
"""

import gzip
import json
import re
from collections import Counter
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

HERE = Path(__file__).resolve().parent
UNKNOWN, END = 0, 1
BLOCK, MOST_WORDS = 32, 5000


def load_splits():
    splits = {}
    for file in json.loads((HERE / "manifest.json").read_text("utf-8"))["files"]:
        path = HERE / file["path"]
        opener = gzip.open if path.suffix == ".gz" else open
        with opener(path, "rt", encoding="utf-8", newline="\n") as lines:
            splits.setdefault(file["split"], []).extend(json.loads(line)["text"] for line in lines)
    return splits


def words_of(text):
    return re.findall(r"\w+|[^\w\s]", text)


def blocks(texts, words):
    """Rows of `BLOCK + 1` ids; a text ends with a word of its own. The rest of the last row is `END`."""
    ids = [at for text in texts for at in [*(words.get(word, UNKNOWN) for word in words_of(text)), END]]
    ids += [END] * (-len(ids) % (BLOCK + 1))
    return torch.tensor(ids).view(-1, BLOCK + 1)


class LanguageModel(nn.Module):
    def __init__(self, words, size=32):
        super().__init__()
        self.embedding = nn.Embedding(words, size)
        self.lstm = nn.LSTM(size, size, batch_first=True)
        self.head = nn.Linear(size, words)

    def forward(self, words):
        return self.head(self.lstm(self.embedding(words))[0])


def main():
    torch.manual_seed(0)
    splits = load_splits()
    train = splits.get("train") or next(iter(splits.values()))
    frequent = Counter(word for text in train for word in words_of(text)).most_common(MOST_WORDS)
    words = {word: at for at, (word, _) in enumerate(frequent, start=2)}
    loader = DataLoader(TensorDataset(blocks(train, words)), batch_size=16, shuffle=True)
    (batch,) = next(iter(loader))
    print("splits:", {split: len(texts) for split, texts in splits.items()})
    print("words:", len(words))
    print("first batch:", tuple(batch.shape))

    model = LanguageModel(len(words) + 2)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    logits = model(batch[:, :-1])
    loss = nn.functional.cross_entropy(logits.flatten(0, 1), batch[:, 1:].flatten())
    loss.backward()
    optimizer.step()
    print(f"one step: loss {loss.item():.3f}")


if __name__ == "__main__":
    main()
