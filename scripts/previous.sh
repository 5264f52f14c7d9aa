#!/usr/bin/env bash
# Builds the previous version, whose commit stands in tests/previous-version, and says where its binary is. It is
# built beside this one, so that what both depend on is built once: build this version again afterwards.
set -euo pipefail
cd "$(dirname "$0")/.."
commit=$(grep -oE '^[0-9a-f]{40}' tests/previous-version)
target=${CARGO_TARGET_DIR:-$PWD/target}
binary=$target/previous/$commit
[ ! -x "$binary" ] || { echo "$binary"; exit; }
if ! git cat-file -e "$commit^{commit}" 2>/dev/null; then
    echo "this clone has no commit $commit: fetch the history (git fetch --unshallow), or name a binary of that version in SPANFLEET_PREVIOUS_BIN" >&2
    exit 1
fi
source=$(mktemp -d)
trap 'rm -rf "$source"' EXIT
git archive "$commit" | tar x -C "$source"
CARGO_TARGET_DIR=$target "${CARGO:-cargo}" build --manifest-path "$source/Cargo.toml" --workspace --bins >&2
mkdir -p "$target/previous"
cp "$target/debug/spanfleet" "$binary"
echo "$binary"
