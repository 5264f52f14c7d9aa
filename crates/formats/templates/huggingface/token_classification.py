"""Fine-tune a token classifier with Hugging Face on a `transformers` export.

`load_dataset` opens the folder offline, with splits and tag names. Words are cut into pieces by the model's
tokenizer; the first piece of a word has its tag and the others -100, which the loss skips. A tiny BERT is made here
from a configuration: put `from_pretrained("…")` in place of both for a real one.
"""

from pathlib import Path

import torch
from datasets import load_dataset
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from torch.utils.data import DataLoader
from transformers import (
    BertConfig,
    BertForTokenClassification,
    DataCollatorForTokenClassification,
    PreTrainedTokenizerFast,
)

HERE = Path(__file__).resolve().parent
MOST_PIECES = 256


def make_tokenizer(rows):
    pieces = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    pieces.normalizer = normalizers.BertNormalizer()
    pieces.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]"]
    pieces.train_from_iterator(rows, trainers.WordPieceTrainer(vocab_size=2000, special_tokens=special))
    return PreTrainedTokenizerFast(tokenizer_object=pieces, pad_token="[PAD]", unk_token="[UNK]")


def align(tokenizer, row):
    encoded = tokenizer(row["tokens"], is_split_into_words=True, truncation=True, max_length=MOST_PIECES)
    words = encoded.word_ids()
    encoded["labels"] = [
        -100 if word is None or at and words[at - 1] == word else row["ner_tags"][word] for at, word in enumerate(words)
    ]
    return encoded


def main():
    torch.manual_seed(0)
    splits = load_dataset(str(HERE))
    train = splits["train"] if "train" in splits else next(iter(splits.values()))
    tags = train.features["ner_tags"].feature.names
    print("splits:", {split: len(rows) for split, rows in splits.items()})
    print("tags:", tags)

    tokenizer = make_tokenizer(" ".join(tokens) for tokens in train["tokens"])
    encoded = train.map(lambda row: align(tokenizer, row), remove_columns=train.column_names)
    encoded = encoded.filter(lambda row: len(row["input_ids"]) > 0)
    loader = DataLoader(encoded, batch_size=8, shuffle=True, collate_fn=DataCollatorForTokenClassification(tokenizer))
    batch = next(iter(loader))
    print("first batch:", {name: tuple(column.shape) for name, column in batch.items()})

    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64,
        id2label=dict(enumerate(tags)), label2id={tag: at for at, tag in enumerate(tags)},
    )
    model = BertForTokenClassification(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    loss = model(**batch).loss
    loss.backward()
    optimizer.step()
    print(f"one step: loss {loss.item():.3f}")


if __name__ == "__main__":
    main()
