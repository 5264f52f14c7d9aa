"""Fine-tune a relation classifier with Hugging Face on a `transformers` export.

A row is a text with its `entities` and `relations`, which name their ends by places in `entities`. An example is a
pair, with the spans marked in the text: `[E1] Ada [/E1] met [E2] Bo [/E2]`. As many other pairs are `no_relation`.
A tiny BERT is made here from a configuration: put `from_pretrained("…")` in place of it and its tokenizer for a
real one, and add the marks to that tokenizer.
"""

import random
from pathlib import Path

import torch
from datasets import Dataset, load_dataset
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from torch.utils.data import DataLoader
from transformers import BertConfig, BertForSequenceClassification, DataCollatorWithPadding, PreTrainedTokenizerFast

HERE = Path(__file__).resolve().parent
NONE = "no_relation"
MARKS = ["[E1]", "[/E1]", "[E2]", "[/E2]"]
# Code points around both spans, and pieces of words, that are looked at.
CONTEXT, MOST_PIECES = 100, 256


def examples(row, types):
    """Texts with marks and the place of the type among `types`."""
    related = {(item["head"], item["tail"]): item["type"] + 1 for item in row["relations"]}
    places = range(len(row["entities"]))
    for _ in range(len(related) if len(places) > 1 else 0):
        related.setdefault(tuple(random.sample(places, 2)), types.index(NONE))
    for (head, tail), kind in related.items():
        yield {"text": mark(row["text"], row["entities"][head], row["entities"][tail]), "labels": kind}


def mark(text, head, tail):
    """Offsets are code points, as Python counts."""
    at = first = max(0, min(head["start"], tail["start"]) - CONTEXT)
    last = max(head["end"], tail["end"]) + CONTEXT
    places = [head["start"], head["end"], tail["start"], tail["end"]]
    marked = ""
    for place, word in sorted(zip(places, MARKS)):
        marked += f"{text[at:place]} {word} "
        at = max(place, first)
    return marked + text[at:last]


def make_tokenizer(texts):
    pieces = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    pieces.normalizer = normalizers.BertNormalizer(lowercase=False)
    pieces.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", *MARKS]
    pieces.train_from_iterator(texts, trainers.WordPieceTrainer(vocab_size=2000, special_tokens=special))
    return PreTrainedTokenizerFast(
        tokenizer_object=pieces, pad_token="[PAD]", unk_token="[UNK]", additional_special_tokens=MARKS
    )


def main():
    random.seed(0)
    torch.manual_seed(0)
    splits = load_dataset(str(HERE))
    train = splits["train"] if "train" in splits else next(iter(splits.values()))
    # A list of structs is a list in one version of `datasets` and a `List` in the next.
    entry = train.features["relations"]
    entry = entry[0] if isinstance(entry, list) else entry.feature
    types = [NONE, *entry["type"].names]
    pairs = [pair for row in train for pair in examples(row, types)]
    if not pairs:
        raise SystemExit("no text of this export has a relation")
    print("splits:", {split: len(rows) for split, rows in splits.items()})
    print("types:", types)
    print("first pair:", types[pairs[0]["labels"]], "in", pairs[0]["text"][:80])

    tokenizer = make_tokenizer(pair["text"] for pair in pairs)
    encoded = Dataset.from_list(pairs).map(
        lambda row: tokenizer(row["text"], truncation=True, max_length=MOST_PIECES), remove_columns=["text"]
    )
    loader = DataLoader(encoded, batch_size=8, shuffle=True, collate_fn=DataCollatorWithPadding(tokenizer))
    batch = next(iter(loader))
    print("first batch:", {name: tuple(column.shape) for name, column in batch.items()})

    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64,
        id2label=dict(enumerate(types)), label2id={name: at for at, name in enumerate(types)},
    )
    model = BertForSequenceClassification(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    loss = model(**batch).loss
    loss.backward()
    optimizer.step()
    print(f"one step: loss {loss.item():.3f}")


if __name__ == "__main__":
    main()
