"""Train a causal language model with Hugging Face on a `transformers` export.

Texts are cut into pieces, joined, and cut into blocks; a causal model predicts each next piece. A tiny GPT-2 is made
here from a configuration: put `from_pretrained("…")` in place of it and its tokenizer for a real one.
"""

from itertools import chain
from pathlib import Path

import torch
from datasets import load_dataset
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch.utils.data import DataLoader
from transformers import DataCollatorForLanguageModeling, GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

HERE = Path(__file__).resolve().parent
BLOCK = 64
END = "<|endoftext|>"


def make_tokenizer(texts):
    pieces = Tokenizer(models.BPE())
    pieces.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    pieces.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    pieces.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=1000, special_tokens=[END], initial_alphabet=alphabet)
    )
    return PreTrainedTokenizerFast(tokenizer_object=pieces, eos_token=END, pad_token=END)


def blocks(tokenizer, rows):
    """All texts in one row, each with an end, cut into blocks. The rest of the last one is filled with ends."""
    end = tokenizer.eos_token_id
    ids = list(chain.from_iterable([*row, end] for row in tokenizer(rows["text"])["input_ids"]))
    ids += [end] * (-len(ids) % BLOCK)
    return {"input_ids": [ids[at:at + BLOCK] for at in range(0, len(ids), BLOCK)]}


def main():
    torch.manual_seed(0)
    splits = load_dataset(str(HERE))
    train = splits["train"] if "train" in splits else next(iter(splits.values()))
    print("splits:", {split: len(rows) for split, rows in splits.items()})
    print("first text:", train[0]["text"][:60])

    tokenizer = make_tokenizer(train["text"])
    some = train.select(range(min(64, len(train))))
    encoded = some.map(lambda rows: blocks(tokenizer, rows), batched=True, remove_columns=train.column_names)
    collate = DataCollatorForLanguageModeling(tokenizer, mlm=False)
    batch = next(iter(DataLoader(encoded, batch_size=8, shuffle=True, collate_fn=collate)))
    print("first batch:", {name: tuple(column.shape) for name, column in batch.items()})

    config = GPT2Config(
        vocab_size=len(tokenizer), n_positions=BLOCK, n_embd=32, n_layer=1, n_head=2,
        bos_token_id=tokenizer.eos_token_id, eos_token_id=tokenizer.eos_token_id,
    )
    model = GPT2LMHeadModel(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    loss = model(**batch).loss
    loss.backward()
    optimizer.step()
    print(f"one step: loss {loss.item():.3f}")


if __name__ == "__main__":
    main()
