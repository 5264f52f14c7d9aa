#!/usr/bin/env python3
"""Writes helm/spanfleet/README.md from the comments of values.yaml; `--check` only says whether it is stale.

A comment that begins with `# --` explains the key below it; lines of `#` go on with it.
"""

import json
import re
import sys
from pathlib import Path

import yaml

CHART = Path(__file__).parent.parent / "helm/spanfleet"
KEY = re.compile(r"^( *)([A-Za-z0-9]+):")
COMMENT = re.compile(r"^ *# (?:(--) )?(.*)$")
HEAD = """# Spanfleet's chart

Dispatchers, workers that scale with the work, the migration before each upgrade, and what watches them.

```console
$ kubectl create secret generic spanfleet \\
    --from-literal=DATABASE_URL=postgres://… --from-literal=AMQP_URL=amqp://…
$ helm install fleet helm/spanfleet --set artifacts.url=s3://my-bucket/exports --set image.repository=…
$ helm test fleet --logs
```

With KEDA (`autoscaling.mode: keda`), a Secret `spanfleet-scaler` holds two more addresses: `RABBITMQ_API_URL`, the
broker's management API, and `DATABASE_URL` of the role in `deploy/samples/scaler-role.sql`, which may only count.
Examples that are rendered and checked: `tests/deploy/values/`. How to run it: `docs/operations.md`.

<!-- The rest is written by scripts/chart-readme.py from the comments of values.yaml. -->

| value | default | meaning |
| --- | --- | --- |
"""


def explained(text):
    """Pairs of a key's path and its explanation."""
    path, words = [], []
    for line in text.splitlines():
        comment = COMMENT.match(line)
        key = KEY.match(line)
        if comment and comment[1]:
            words = [comment[2]]
        elif comment and words:
            words.append(comment[2])
        elif key:
            depth = len(key[1]) // 2
            path = [*path[:depth], key[2]]
            if words:
                yield ".".join(path), " ".join(words)
            words = []


def leaves(values, explanations, path=""):
    """Every key that is set as one: explained, or with nothing below it."""
    for key, value in values.items():
        here = f"{path}.{key}" if path else key
        if isinstance(value, dict) and value and here not in explanations:
            yield from leaves(value, explanations, here)
        else:
            yield here, value


def readme():
    text = (CHART / "values.yaml").read_text()
    explanations = dict(explained(text))
    rows = []
    for path, value in leaves(yaml.safe_load(text), explanations):
        if path not in explanations:
            sys.exit(f"values.yaml: `{path}` has no explanation; write `# -- …` above it")
        rows.append(f"| `{path}` | `{json.dumps(value)}` | {explanations[path]} |")
    return HEAD + "\n".join(rows) + "\n"


def main():
    file, text = CHART / "README.md", readme()
    if "--check" in sys.argv:
        sys.exit(0 if file.exists() and file.read_text() == text else "helm/spanfleet/README.md is stale; run scripts/chart-readme.py")
    file.write_text(text)


if __name__ == "__main__":
    main()
