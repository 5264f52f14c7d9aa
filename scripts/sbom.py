#!/usr/bin/env python3
"""Writes what is inside the binary: `spanfleet.cdx.json` (CycloneDX 1.6) and `THIRD-PARTY.txt` with every licence.

`sbom.py --out DIR` writes both; without `--out` it only checks that deny.toml allows each licence. Reads the lock
file and the sources that cargo has already fetched: compiles nothing, needs nothing but Python and cargo.
"""

import argparse
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LICENCE_FILES = re.compile(r"^(LICEN[CS]E|COPYING|NOTICE|COPYRIGHT)", re.I)
# Crates that the dependency tree has, and the binary does not: they run at build time or in tests alone.
BUILD_ONLY = {"build", "dev"}


def output(*command):
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def metadata():
    """What cargo knows of the packages for this machine's target."""
    host = re.search(r"^host: (\S+)", output("rustc", "-vV"), re.M)[1]
    return json.loads(output("cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform", host))


def shipped(found):
    """The packages that the binary is linked from, and who needs whom."""
    packages = {package["id"]: package for package in found["packages"]}
    nodes = {node["id"]: node for node in found["resolve"]["nodes"]}
    root = next(package["id"] for package in found["packages"] if package["name"] == "spanfleet")
    needs, waiting = {}, [root]
    while waiting:
        package = waiting.pop()
        if package in needs:
            continue
        needs[package] = sorted(
            dependency["pkg"] for dependency in nodes[package]["deps"]
            if any(kind["kind"] not in BUILD_ONLY for kind in dependency["dep_kinds"]))
        waiting += needs[package]
    return root, packages, needs


def is_allowed(expression, allowed):
    """Whether a licence expression leaves a choice that is allowed. In SPDX, AND binds tighter than OR; `/` is an old OR."""
    expression = expression.replace("/", " OR ")
    while group := re.search(r"\(([^()]*)\)", expression):
        answer = "allowed" if is_allowed(group[1], allowed) else "refused"
        expression = expression.replace(group[0], answer)
    known = allowed | {"allowed"}
    choices = [choice.split(" AND ") for choice in expression.split(" OR ")]
    return any(all(part.strip() in known for part in choice) for choice in choices)


def unlicensed(packages, needs):
    allowed = set(tomllib.loads((ROOT / "deny.toml").read_text())["licenses"]["allow"])
    for package in (packages[identity] for identity in sorted(needs)):
        licence = package["license"]
        if licence is None and package["license_file"] is None:
            yield f"{package['name']} {package['version']} has no licence"
        elif licence and not is_allowed(licence, allowed):
            yield f"{package['name']} {package['version']}: deny.toml does not allow `{licence}`"


def reference(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


def component(package):
    made = {"type": "library", "bom-ref": reference(package), "name": package["name"], "version": package["version"],
            "purl": reference(package)}
    if package["license"]:
        made["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
    if package["repository"]:
        made["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
    return made


def bill(root, packages, needs):
    """Without a time or a serial number: the same sources give the same bytes."""
    ordered = sorted(needs, key=lambda identity: reference(packages[identity]))
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {**component(packages[root]), "type": "application"}},
        "components": [component(packages[identity]) for identity in ordered if identity != root],
        "dependencies": [{"ref": reference(packages[identity]), "dependsOn": sorted(reference(packages[other]) for other in needs[identity])}
                         for identity in ordered],
    }


def third_party(packages, needs):
    """Each foreign package with the texts of its licence, those of the same words once."""
    texts = {}
    for package in (packages[identity] for identity in needs):
        if package["source"] is None:
            continue
        folder = Path(package["manifest_path"]).parent
        files = sorted(file for file in folder.iterdir() if file.is_file() and LICENCE_FILES.match(file.name))
        for text in {file.read_text(errors="replace").strip() for file in files} or {f"({package['license']}; the package has no text of it)"}:
            texts.setdefault(text, []).append(f"{package['name']} {package['version']} ({package['license']})")
    rule = "=" * 80
    blocks = (f"{rule}\n" + "\n".join(sorted(names)) + f"\n{rule}\n\n{text}\n" for text, names in texts.items())
    return "Spanfleet holds these works of others.\n\n" + "\n".join(sorted(blocks))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    out = parser.parse_args().out
    root, packages, needs = shipped(metadata())
    if wrong := list(unlicensed(packages, needs)):
        sys.exit("\n".join(wrong))
    if out:
        out.mkdir(parents=True, exist_ok=True)
        (out / "spanfleet.cdx.json").write_text(json.dumps(bill(root, packages, needs), indent=1) + "\n")
        (out / "THIRD-PARTY.txt").write_text(third_party(packages, needs))


if __name__ == "__main__":
    main()
