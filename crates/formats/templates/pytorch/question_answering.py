"""Train an extractive question answerer in PyTorch on a JSON lines export.

Each answer is a span with its question in `attributes.question`. Question and text are cut into words with their
offsets; the model points at the answer's first and last word.
"""

import gzip
import json
import re
from pathlib import Path

import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader

HERE = Path(__file__).resolve().parent
PAD, UNKNOWN, SEPARATOR = 0, 1, 2


def load_splits():
    splits = {}
    for file in json.loads((HERE / "manifest.json").read_text("utf-8"))["files"]:
        path = HERE / file["path"]
        opener = gzip.open if path.suffix == ".gz" else open
        with opener(path, "rt", encoding="utf-8", newline="\n") as lines:
            splits.setdefault(file["split"], []).extend(map(json.loads, lines))
    return splits


def words_of(text):
    """`(word, start, end)`: offsets are code points, as Python counts."""
    return [(found[0].lower(), *found.span()) for found in re.finditer(r"\w+|[^\w\s]", text)]


def examples(record):
    """`(words of the question, words of the text, first and last word of the answer)`."""
    context = words_of(record["text"])
    for item in record["annotations"]:
        question = (item["attributes"] or {}).get("question")
        held = [at for at, (_, start, end) in enumerate(context)
                if item["start"] is not None and start < item["end"] and end > item["start"]]
        if question and held:
            yield [word for word, _, _ in words_of(question)], [word for word, _, _ in context], (held[0], held[-1])


class Reader(nn.Module):
    def __init__(self, words, size=32):
        super().__init__()
        self.embedding = nn.Embedding(words, size, padding_idx=PAD)
        self.lstm = nn.LSTM(size, size, batch_first=True, bidirectional=True)
        self.head = nn.Linear(2 * size, 2)

    def forward(self, words):
        """Two logits for every word: the answer begins here, it ends here."""
        return self.head(self.lstm(self.embedding(words))[0]).unbind(-1)


def main():
    torch.manual_seed(0)
    splits = {split: [pair for record in records for pair in examples(record)] for split, records in load_splits().items()}
    train = splits.get("train") or next(iter(splits.values()))
    if not train:
        raise SystemExit("no span of this export has a question; put it into `attributes.question`")
    known = sorted({word for question, context, _ in train for word in question + context})
    words = {word: at for at, word in enumerate(known, start=3)}

    def collate(batch):
        rows, answers = [], []
        for question, context, (first, last) in batch:
            ids = [[words.get(word, UNKNOWN) for word in part] for part in (question, context)]
            rows.append(torch.tensor([*ids[0], SEPARATOR, *ids[1]]))
            answers.append([len(question) + 1 + first, len(question) + 1 + last])
        return pad_sequence(rows, batch_first=True, padding_value=PAD), torch.tensor(answers)

    batch, answers = next(iter(DataLoader(train, batch_size=16, shuffle=True, collate_fn=collate)))
    print("splits:", {split: len(pairs) for split, pairs in splits.items()})
    print("first question:", " ".join(train[0][0]))
    print("first batch:", tuple(batch.shape), tuple(answers.shape))

    model = Reader(len(words) + 3)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    first, last = model(batch)
    loss = nn.functional.cross_entropy(first, answers[:, 0]) + nn.functional.cross_entropy(last, answers[:, 1])
    loss.backward()
    optimizer.step()
    print(f"one step: loss {loss.item():.3f}")


if __name__ == "__main__":
    main()
