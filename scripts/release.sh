#!/usr/bin/env bash
# `release.sh DIR`: what a release is made of: the binary with its papers, the chart, and their checksums.
# Builds with the release profile, or takes the binary that SPANFLEET_BIN names. The same sources give the same
# archives: names in order, one time for all files, no owner.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$(realpath -m "${1:-target/release-archives}")

version=$(sed -nE '/^\[workspace\.package\]/,/^\[/s/^version = "(.*)"/\1/p' Cargo.toml)
host=$(rustc -vV | sed -n 's/^host: //p')
time=$(git log -1 --format=%ct 2>/dev/null || echo 0)
grep -q "^## $version\b" CHANGELOG.md || { echo "CHANGELOG.md has no section \`## $version\`" >&2; exit 1; }
for line in "version: $version" "appVersion: \"$version\""; do
    grep -qxF "$line" helm/spanfleet/Chart.yaml || { echo "helm/spanfleet/Chart.yaml lacks \`$line\`" >&2; exit 1; }
done

binary=${SPANFLEET_BIN:-}
if [ -z "$binary" ]; then
    cargo build --release --locked --package spanfleet
    binary=target/release/spanfleet
fi

pack() { # pack ARCHIVE FOLDER, from inside the stage; -h: the chart's links become files
    tar -C "$stage" -ch --sort=name --mtime="@$time" --owner=0 --group=0 --numeric-owner "$2" | gzip -n >"$out/$1"
}

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
name=spanfleet-$version-$host
mkdir -p "$out" "$stage/$name/completions"
strip -o "$stage/$name/spanfleet" "$binary"
cp README.md CHANGELOG.md LICENSE "$stage/$name/"
cp -R docs deploy/samples "$stage/$name/"
python3 scripts/sbom.py --out "$stage/$name"
for shell in bash zsh fish; do
    "$stage/$name/spanfleet" completions "$shell" >"$stage/$name/completions/spanfleet.$shell"
done
pack "$name.tar.gz" "$name"
ln -s "$PWD/helm/spanfleet" "$stage/spanfleet"
pack "spanfleet-chart-$version.tgz" spanfleet
cp "$stage/$name/spanfleet.cdx.json" "$out/spanfleet-$version.cdx.json"
(cd "$out" && sha256sum "$name.tar.gz" "spanfleet-chart-$version.tgz" "spanfleet-$version.cdx.json" >SHA256SUMS)
ls -l "$out"
