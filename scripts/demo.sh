#!/usr/bin/env bash
# Exports the example corpus with the embedded defaults and shows what came out.
set -euo pipefail
spanfleet=$1
out=$2
corpus=examples/harbour/harbour.jsonl

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
run() { printf '$ spanfleet %s\n' "$*"; "$spanfleet" "$@"; }

rm -rf "$out"
say 'A corpus with nested spans, emoji and relations, as CoNLL for a sequence tagger'
run export "$corpus" --format conll --split train=0.8,dev=0.2 --out "$out/conll"
head -n 12 "$out/conll/train.conll"
say 'What was lost is never silent: the first of each reason'
head -n 4 "$out/conll/losses.jsonl"
say 'The same, lossless, as compressed JSON lines'
run export "$corpus" --format jsonl --include-relations --compression gzip --out "$out/jsonl"
say 'As a table'
run export "$corpus" --format csv --out "$out/csv"
head -n 4 "$out/csv/train.csv"
say 'Every file is as its manifest says'
run verify "$out/conll"
printf '\nThe files are in %s\n' "$out"
