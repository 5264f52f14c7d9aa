"""Writes down what spaCy's English tokenizer goes by: classes of characters, units, and its exceptions.

    .venv/readers/bin/python scripts/spacy-rules.py

The rules themselves stand in crates/formats/src/support/tokenize/spacy; this finds the characters and words that
they name by asking spaCy's own patterns about every character. Exceptions of white space alone are left out: no
token of ours holds any.
"""

import re
from pathlib import Path

import spacy
from spacy.lang import char_classes, punctuation
from spacy.lang.en import English

TARGET = Path(__file__).parent.parent / "crates/formats/src/support/tokenize/spacy/rules.txt"
HEAD = f"""\
# Rules of the English tokenizer of spaCy {spacy.__version__}, https://spacy.io, written by scripts/spacy-rules.py.
# Copyright (C) 2016-2024 ExplosionAI GmbH, 2016 spaCy GmbH, 2015 Matthew Honnibal. Licence: MIT.
#
# class NAME RANGE...     code points in hexadecimal, both ends included
# NAME WORD...            words
# exception WORD TOKEN... how one word is split, whatever the rules say
"""
EVERY = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
# White space is no part of what is split.
EVERY = [character for character in EVERY if not character.isspace()]


def ranges(holds) -> str:
    found = []
    for code in (ord(character) for character in EVERY if holds(character)):
        if found and found[-1][1] == code - 1:
            found[-1][1] = code
        else:
            found.append([code, code])
    return " ".join(f"{first:X}" if first == last else f"{first:X}-{last:X}" for first, last in found)


def inside(*classes: str):
    return re.compile(f"[{''.join(classes)}]").match


def length(match) -> int:
    return 0 if match is None else match.end() - match.start()


def main() -> None:
    tokenizer = English().tokenizer
    quotes, alpha = char_classes.CONCAT_QUOTES, char_classes.ALPHA
    lower, upper = char_classes.ALPHA_LOWER, char_classes.ALPHA_UPPER
    classes = {
        "prefix": lambda c: length(tokenizer.prefix_search(c)),
        "suffix": lambda c: length(tokenizer.suffix_search(c)),
        "infix": lambda c: any(tokenizer.infix_finditer(c)),
        # After what alone a full stop is cut off.
        "before_stop": lambda c: c != "." and length(tokenizer.suffix_search(f"{c}.")) == 1,
        "alpha": inside(alpha),
        "lower": inside(lower),
        "upper": inside(upper),
        "lower_or_quote": inside(lower, quotes),
        "upper_or_quote": inside(upper, quotes),
    }
    words = {
        "currency": [word.replace("\\", "") for word in char_classes.CURRENCY.split("|")],
        "unit": char_classes.UNITS.split("|"),
        "hyphen": char_classes.HYPHENS.split("|"),
        "ending": [word for word in punctuation.TOKENIZER_SUFFIXES if len(word) > 1 and word.isprintable()
                   and not set(word) & set("\\[](){}?+|")],
    }
    lines = [f"class {name} {ranges(holds)}" for name, holds in classes.items()]
    lines += [f"{name} {' '.join(found)}" for name, found in words.items()]
    for word, tokens in sorted(tokenizer.rules.items()):
        pieces = [token[spacy.attrs.ORTH] for token in tokens]
        assert "".join(pieces) == word
        if not word.isspace():
            assert not any(character.isspace() for character in word), f"`{word}` holds white space"
            lines.append(f"exception {word} {' '.join(pieces)}")
    TARGET.write_text(HEAD + "".join(f"{line}\n" for line in lines), "utf-8")


if __name__ == "__main__":
    main()
