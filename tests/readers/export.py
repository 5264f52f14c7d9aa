"""Exports made by the real binary, and what stands in their folders."""

import gzip
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pyarrow

from corpus import Ledger

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("SPANFLEET_BIN") or ROOT / "target/debug/spanfleet")


@dataclass
class Export:
    folder: Path
    manifest: dict

    @property
    def options(self) -> dict:
        return self.manifest["options"]

    @property
    def files(self) -> list[tuple[str, Path]]:
        """Split and path of every data file, in order."""
        return [(file["split"], self.folder / file["path"]) for file in self.manifest["files"]]

    def ledger(self) -> Ledger:
        path = self.folder / "losses.jsonl"
        lines = path.read_text("utf-8").split("\n") if path.exists() else []
        return Ledger(self.manifest, [json.loads(line) for line in lines if line])


def spanfleet(*arguments: object, status: int = 0) -> str:
    """Runs the binary; its output when it ends as it should."""
    command = [str(BINARY), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == status, f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout


def export(corpus: Path, format_name: str, folder: Path, *arguments: object) -> Export:
    spanfleet("export", corpus, "--format", format_name, "--out", folder, "--include-relations", "-q", *arguments)
    return Export(folder, json.loads((folder / "manifest.json").read_text("utf-8")))


def formats() -> list[str]:
    return [entry["name"] for entry in json.loads(spanfleet("formats", "--json"))["formats"]]


def content(path: Path) -> bytes:
    """The bytes of a file, unpacked as its name says."""
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes())
    if path.suffix == ".zst":
        return pyarrow.input_stream(path, compression="zstd").read()
    return path.read_bytes()
