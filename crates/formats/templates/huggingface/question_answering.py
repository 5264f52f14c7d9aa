"""Fine-tune an extractive question answerer with Hugging Face on a `transformers` export.

Rows are those of SQuAD: `id`, `title`, `context`, `question`, `answers`. Long contexts are cut into windows that
overlap; where the answer is not in a window, the target is its first piece. A tiny BERT is made here from a
configuration: put `from_pretrained("…")` in place of it and its tokenizer for a real one.
"""

from pathlib import Path

import torch
from datasets import load_dataset
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from torch.utils.data import DataLoader
from transformers import BertConfig, BertForQuestionAnswering, DefaultDataCollator, PreTrainedTokenizerFast

HERE = Path(__file__).resolve().parent
MOST_PIECES, STRIDE = 256, 64


def make_tokenizer(texts):
    pieces = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    pieces.normalizer = normalizers.BertNormalizer()
    pieces.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    pieces.train_from_iterator(texts, trainers.WordPieceTrainer(vocab_size=2000, special_tokens=special))
    pieces.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return PreTrainedTokenizerFast(
        tokenizer_object=pieces, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    )


def windows(tokenizer, rows):
    encoded = tokenizer(
        [question[:200] for question in rows["question"]], rows["context"], truncation="only_second",
        max_length=MOST_PIECES, stride=STRIDE, padding="max_length", return_overflowing_tokens=True,
        return_offsets_mapping=True,
    )
    offsets, origins = encoded.pop("offset_mapping"), encoded.pop("overflow_to_sample_mapping")
    found = [
        answer_pieces(rows["answers"][origin], offsets[at], encoded.sequence_ids(at)) for at, origin in enumerate(origins)
    ]
    encoded["start_positions"], encoded["end_positions"] = map(list, zip(*found))
    return encoded


def answer_pieces(answers, offsets, sides):
    """First and last piece of the first answer; offsets are code points."""
    if not answers["text"]:
        return 0, 0
    start = answers["answer_start"][0]
    end = start + len(answers["text"][0])
    inside = [at for at, (begin, last) in enumerate(offsets) if sides[at] == 1 and begin < end and last > start]
    is_whole = inside and offsets[inside[0]][0] <= start and offsets[inside[-1]][1] >= end
    return (inside[0], inside[-1]) if is_whole else (0, 0)


def main():
    torch.manual_seed(0)
    splits = load_dataset(str(HERE))
    train = splits["train"] if "train" in splits else next(iter(splits.values()))
    first = train[0]
    print("splits:", {split: len(rows) for split, rows in splits.items()})
    print("first question:", first["question"], "answers:", first["answers"]["text"])

    tokenizer = make_tokenizer(train["context"] + train["question"])
    some = train.select(range(min(64, len(train))))
    encoded = some.map(lambda rows: windows(tokenizer, rows), batched=True, remove_columns=train.column_names)
    loader = DataLoader(encoded, batch_size=8, shuffle=True, collate_fn=DefaultDataCollator())
    batch = next(iter(loader))
    print("first batch:", {name: tuple(column.shape) for name, column in batch.items()})

    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64
    )
    model = BertForQuestionAnswering(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    loss = model(**batch).loss
    loss.backward()
    optimizer.step()
    print(f"one step: loss {loss.item():.3f}")


if __name__ == "__main__":
    main()
