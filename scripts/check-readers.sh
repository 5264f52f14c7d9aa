#!/bin/sh
# Reads exports of a binary back with the libraries that they are for, and runs the load.py of every template.
#
#     scripts/check-readers.sh [BINARY]     target/debug/spanfleet if left out
#
# SPANFLEET_CORPORA names the folder of real corpora; without one only the golden corpus is read back.
set -eu

cd "$(dirname "$0")/.."
binary=${1:-target/debug/spanfleet}
[ -x "$binary" ] || { echo "cannot check \`$binary\`: there is no such program; build it first" >&2; exit 1; }
scripts/setup-readers.sh

# Nothing is fetched, and nothing kept outside of a folder that goes.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM
export SPANFLEET_BIN="$(realpath "$binary")" HF_HOME="$scratch/hub" HF_HUB_OFFLINE=1 HF_DATASETS_DISABLE_PROGRESS_BARS=1
check() { # check NAME
    .venv/readers/bin/python -m pytest -q -rs -p no:cacheprovider --basetemp "$scratch/$1" "tests/readers/$1.py"
}

# Both need one core each.
check templates >"$scratch/templates.log" 2>&1 &
templates=$!
status=0
check datasets_back || status=$?
check run || status=$?
wait "$templates" || status=$?
cat "$scratch/templates.log"
exit "$status"
