"""Fine-tune a text classifier with Hugging Face on a `transformers` export.

`load_dataset` opens the folder offline, with splits and label names. Where texts have several labels the column is
`labels` and the target a row of zeros and ones; else it is `label`, -1 for a text without one. A tiny BERT is made
here from a configuration: put `from_pretrained("…")` in place of it and its tokenizer for a real one.
"""

from pathlib import Path

import torch
from datasets import load_dataset
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from torch.utils.data import DataLoader
from transformers import BertConfig, BertForSequenceClassification, DataCollatorWithPadding, PreTrainedTokenizerFast

HERE = Path(__file__).resolve().parent
MOST_PIECES = 256


def make_tokenizer(texts):
    pieces = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    pieces.normalizer = normalizers.BertNormalizer()
    pieces.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]"]
    pieces.train_from_iterator(texts, trainers.WordPieceTrainer(vocab_size=2000, special_tokens=special))
    return PreTrainedTokenizerFast(tokenizer_object=pieces, pad_token="[PAD]", unk_token="[UNK]")


def encode(tokenizer, row, names):
    encoded = tokenizer(row["text"], truncation=True, max_length=MOST_PIECES)
    several = row.get("several")
    encoded["labels"] = row["label"] if several is None else [float(at in several) for at in range(len(names))]
    return encoded


def main():
    torch.manual_seed(0)
    splits = load_dataset(str(HERE))
    train = splits["train"] if "train" in splits else next(iter(splits.values()))
    is_multi_label = "labels" in train.features
    names = train.features["labels"].feature.names if is_multi_label else train.features["label"].names
    print("splits:", {split: len(rows) for split, rows in splits.items()})
    print("labels:", names)

    tokenizer = make_tokenizer(train["text"])
    if is_multi_label:
        # A column of the same name would keep its type, and the target is of floats.
        train = train.rename_column("labels", "several")
    else:
        train = train.filter(lambda row: row["label"] >= 0)
    encoded = train.map(lambda row: encode(tokenizer, row, names), remove_columns=train.column_names)
    encoded = encoded.filter(lambda row: len(row["input_ids"]) > 0)
    loader = DataLoader(encoded, batch_size=8, shuffle=True, collate_fn=DataCollatorWithPadding(tokenizer))
    batch = next(iter(loader))
    print("first batch:", {name: tuple(column.shape) for name, column in batch.items()})

    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64,
        id2label=dict(enumerate(names)), label2id={name: at for at, name in enumerate(names)},
        problem_type="multi_label_classification" if is_multi_label else "single_label_classification",
    )
    model = BertForSequenceClassification(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    loss = model(**batch).loss
    loss.backward()
    optimizer.step()
    print(f"one step: loss {loss.item():.3f}")


if __name__ == "__main__":
    main()
