"""A release's archives, its bill of materials, its versions."""

import hashlib
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from pathlib import Path

import helm_python
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

import binary

sys.path.insert(0, str(binary.ROOT / "scripts"))
from sbom import is_allowed  # noqa: E402

PAPERS = ("README.md", "CHANGELOG.md", "LICENSE", "THIRD-PARTY.txt", "spanfleet.cdx.json", "docs/upgrading.md",
          "docs/operations.md", "completions/spanfleet.bash", "samples/scaler-role.sql")
LICENCES = [
    ("MIT", True), ("GPL-3.0-only", False), ("(GPL-3.0-only OR MIT) AND ISC", True), ("MIT AND GPL-3.0-only", False),
    ("MIT/GPL-3.0-only", True), ("GPL-2.0-only OR (MIT AND LGPL-3.0-only)", False),
]


# What takes something away from a program of the version before. A file of SQLite has one program at a time.
CONTRACTS = re.compile(r"\b(DROP\s+(TABLE|COLUMN|VIEW)|RENAME\s+(TO|COLUMN)|ALTER\s+COLUMN\s+\w+\s+(TYPE|SET\s+NOT\s+NULL)|"
                       r"ADD\s+COLUMN\s+(?:(?!DEFAULT)[^,;])*NOT\s+NULL(?![^,;]*DEFAULT))", re.I)
CONTRACTS_ON_PURPOSE = "-- Contracts: no version since "


def version():
    return tomllib.loads((binary.ROOT / "Cargo.toml").read_text())["workspace"]["package"]["version"]


def taken_away(text):
    """The first words of a migration that the version before can't live with, unless the file says why it may."""
    code = re.sub(r"--.*", "", text)
    match = CONTRACTS.search(code)
    return match[0] if match and CONTRACTS_ON_PURPOSE not in text else None


def migrations():
    """Both dialects have the same migrations, numbered without a gap, and they only add."""
    names = {dialect: [file.name for file in sorted((binary.ROOT / "migrations" / dialect).glob("*.sql"))]
             for dialect in ("postgres", "sqlite")}
    if names["postgres"] != names["sqlite"]:
        yield f"migrations: the dialects differ: {set(names['postgres']) ^ set(names['sqlite'])}"
    if [int(name[:4]) for name in names["postgres"]] != list(range(1, len(names["postgres"]) + 1)):
        yield f"migrations: the numbers have a gap: {names['postgres']}"
    for name in names["postgres"]:
        if words := taken_away((binary.ROOT / "migrations/postgres" / name).read_text()):
            yield (f"migrations/postgres/{name}: `{words}` takes away what the version before may use; expand now and contract "
                   f"in a later version, with a line `{CONTRACTS_ON_PURPOSE}X uses it.`")
    for planted in ("ALTER TABLE outbox DROP COLUMN due_at;", "ALTER TABLE a ADD COLUMN b INTEGER NOT NULL;", "ALTER TABLE a RENAME TO b;"):
        if not taken_away(planted):
            yield f"a planted contraction is not caught: `{planted}`"
    for fine in ("ALTER TABLE a ADD COLUMN b INTEGER NOT NULL DEFAULT 0;", "ALTER TABLE a ADD COLUMN b INTEGER;", "-- DROP TABLE a"):
        if taken_away(fine):
            yield f"an expansion counts as a contraction: `{fine}`"


def licences():
    for expression, wanted in LICENCES:
        if is_allowed(expression, {"MIT", "ISC"}) != wanted:
            yield f"sbom.py judges `{expression}` wrongly"


def archives():
    with tempfile.TemporaryDirectory() as folder:
        made = subprocess.run([binary.ROOT / "scripts/release.sh", folder], capture_output=True, text=True, check=False,
                              env={**os.environ, "SPANFLEET_BIN": str(binary.BINARY)})
        if made.returncode != 0:
            yield f"release.sh: {made.stderr.strip()}"
            return
        for line in Path(folder, "SHA256SUMS").read_text().splitlines():
            digest, name = line.split()
            if hashlib.sha256(Path(folder, name).read_bytes()).hexdigest() != digest:
                yield f"SHA256SUMS: `{name}` is another file"
        yield from main_archive(Path(folder))
        chart = helm_python.Chart.load(str(next(Path(folder).glob("spanfleet-chart-*.tgz"))))
        if chart.version != version() or len(chart.render({"monitoring": {"dashboards": {"enabled": True}}}, name="a", namespace="b")) < 10:
            yield "the chart's archive is not the chart of this version"
        bill = next(Path(folder).glob("*.cdx.json")).read_text()
        if (error := JsonStrictValidator(SchemaVersion.V1_6).validate_str(bill)) is not None:
            yield f"spanfleet.cdx.json: {error}"


def main_archive(folder):
    file = next(folder.glob(f"spanfleet-{version()}-*.tar.gz"))
    with tarfile.open(file) as archive:
        archive.extractall(folder, filter="data")
    inside = folder / file.name.removesuffix(".tar.gz")
    for paper in PAPERS:
        if not (inside / paper).is_file():
            yield f"{file.name}: `{paper}` is missing"
    told = subprocess.run([inside / "spanfleet", "--version"], capture_output=True, text=True, check=False).stdout
    if told.strip() != f"spanfleet {version()}":
        yield f"{file.name}: the binary says `{told.strip()}`"


def links():
    """What the documents of this folder lead to is there."""
    for file in [*(binary.ROOT / "docs").glob("*.md"), binary.ROOT / "helm/spanfleet/README.md"]:
        text = file.read_text()
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
            if not (file.parent / link).exists():
                yield f"{file.name}: `{link}` is not there"
        for path in re.findall(r"`((?:deploy|scripts|tests|helm)/[\w./-]+)`", text):
            if not (binary.ROOT / path).exists():
                yield f"{file.name}: `{path}` is not there"


CHECKS = [migrations, licences, archives, links]
