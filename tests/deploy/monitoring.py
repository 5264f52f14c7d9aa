"""Alerts and dashboards: syntax by Prometheus's own tool, names and labels by deploy/metrics.txt."""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml
from grafana_foundation_sdk.models import dashboard as grafana

import binary

DEPLOY = binary.ROOT / "deploy"
OPERATIONS = binary.ROOT / "docs/operations.md"
NAME = re.compile(r"\bspanfleet_[a-z0-9_]+")
MATCHERS = re.compile(r"(spanfleet_[a-z0-9_]+)\{([^}]*)\}")
GROUPINGS = re.compile(r"\bby \(([^)]*)\)")


def listed():
    """Every metric: name → (type, labels)."""
    lines = [line.split() for line in (DEPLOY / "metrics.txt").read_text().splitlines() if line and not line.startswith("#")]
    return {name: (kind, set(labels[0].split(",")) if labels else set()) for name, kind, _, *labels in lines}


def base(series, metrics):
    """The metric that a series belongs to: a histogram has three kinds of them."""
    for suffix in ("_bucket", "_sum", "_count"):
        name = series.removesuffix(suffix)
        if name != series and metrics.get(name, ("",))[0] == "histogram":
            return name
    return series if metrics.get(series, ("histogram",))[0] != "histogram" else None


def misused(query):
    """Names and labels of a query that no metric has."""
    metrics = listed()
    for series in NAME.findall(query):
        if base(series, metrics) is None:
            yield f"`{series}` is not in deploy/metrics.txt, or is a histogram without _bucket, _sum or _count"
    known = {"le"} | {label for series in NAME.findall(query) if base(series, metrics)
                      for label in metrics[base(series, metrics)][1]}
    used = [label.strip() for labels in GROUPINGS.findall(query) for label in labels.split(",")]
    used += [label for _, matchers in MATCHERS.findall(query) for label in re.findall(r"(\w+)\s*[=!]~?", matchers)]
    for label in used:
        if label not in known:
            yield f"no metric in `{query}` has the label `{label}`"


def promtool(*arguments, folder=DEPLOY / "prometheus"):
    result = subprocess.run([os.environ["DEPLOY_PROMTOOL"], *arguments], cwd=folder, capture_output=True, text=True, check=False)
    return [] if result.returncode == 0 else [f"promtool {' '.join(map(str, arguments))}: {result.stdout}{result.stderr}".strip()]


def alerts():
    rules = yaml.safe_load((DEPLOY / "prometheus/rules.yaml").read_text())
    return [rule for group in rules["groups"] for rule in group["rules"]]


def rules():
    yield from promtool("check", "rules", "rules.yaml")
    yield from promtool("test", "rules", "rules.test.yaml")
    yield from promtool("check", "config", "--syntax-only", "prometheus.yaml")
    tested = (DEPLOY / "prometheus/rules.test.yaml").read_text()
    for alert in alerts():
        name = alert["alert"]
        yield from (f"{name}: {finding}" for finding in misused(alert["expr"]))
        if name not in tested:
            yield f"{name} has no test in rules.test.yaml"
        if not alert["annotations"]["runbook_url"].endswith(f"/docs/operations.md#{name.lower()}"):
            yield f"{name}: its runbook is not docs/operations.md#{name.lower()}"
    with tempfile.TemporaryDirectory() as folder:
        # An alert that fires later than it should is caught by the tests.
        lazy = (DEPLOY / "prometheus/rules.yaml").read_text().replace("> 300", "> 3000", 1)
        Path(folder, "rules.yaml").write_text(lazy)
        Path(folder, "rules.test.yaml").write_text(tested)
        if not promtool("test", "rules", "rules.test.yaml", folder=folder):
            yield "rules.test.yaml does not notice a threshold that is ten times too high"


def runbooks():
    """Each alert has its section, and each section its alert."""
    text = OPERATIONS.read_text()
    sections = dict(re.findall(r"^### (Spanfleet\w+)\n(.*?)(?=^##|\Z)", text, re.M | re.S))
    names = {alert["alert"] for alert in alerts()}
    for name in sorted(names - sections.keys()):
        yield f"docs/operations.md: `### {name}` is missing"
    for name in sorted(sections.keys() - names):
        yield f"docs/operations.md: there is no alert `{name}` any more"
    for name, section in sections.items():
        for part in ("**Means.**", "**Look at.**", "**Do.**"):
            if part not in section:
                yield f"docs/operations.md: {name} lacks `{part}`"
    for name in sorted(set(NAME.findall(text))):
        if base(name, listed()) is None and name not in listed():
            yield f"docs/operations.md: there is no metric `{name}`"
    for name in sorted(set(re.findall(r"SPANFLEET_[A-Z0-9_]+", text)) - binary.all_variables()):
        yield f"docs/operations.md: no command reads `{name}`"


def queries(found):
    return [(panel["title"], target["expr"]) for panel in found["panels"] for target in panel["targets"]]


def dashboards():
    script = subprocess.run([sys.executable, DEPLOY / "grafana/dashboards.py", "--check"], capture_output=True, text=True, check=False)
    if script.returncode != 0:
        yield script.stderr.strip()
    expressions, seen = [], set()
    for file in sorted((DEPLOY / "grafana").glob("*.json")):
        found = json.loads(file.read_text())
        for path in unknown_to_grafana(found):
            yield f"{file.name}: Grafana's model of a dashboard does not know `{path}`"
        if not list(unknown_to_grafana({**found, "panles": []})):
            yield "a wrong key planted into a dashboard is not caught"
        if found["uid"] in seen:
            yield f"{file.name}: its uid is another dashboard's"
        seen.add(found["uid"])
        for title, query in queries(found):
            yield from (f"{file.name}: {title}: {finding}" for finding in misused(query))
            expressions.append(query.replace("$__rate_interval", "5m"))
    yield from parsed(expressions)
    shown = {base(series, listed()) for query in expressions for series in NAME.findall(query)}
    for name in sorted(listed().keys() - shown):
        yield f"`{name}` is on no dashboard"
    if not list(misused("rate(spanfleet_things_total[5m])")) or not list(misused("sum by (job) (spanfleet_partitions)")):
        yield "a wrong name or label planted into a query is not caught"


def parsed(expressions):
    """Prometheus parses a dashboard's queries where it would record them."""
    recorded = [{"record": f"dashboard:query:{number}", "expr": query} for number, query in enumerate(expressions)]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "queries.yaml").write_text(yaml.safe_dump({"groups": [{"name": "dashboards", "rules": recorded}]}))
        return promtool("check", "rules", "queries.yaml", folder=folder)


def unknown_to_grafana(found):
    """Paths that Grafana's own model loses in reading a dashboard."""
    read = grafana.Dashboard.from_json(found).to_json()
    yield from differences(found, json.loads(json.dumps(read, default=lambda part: part.to_json())))


def differences(mine, theirs, path=""):
    """Paths of mine that theirs lacks or has otherwise."""
    if isinstance(mine, dict) and isinstance(theirs, dict):
        for key, value in mine.items():
            if key not in theirs:
                yield f"{path}{key}"
            else:
                yield from differences(value, theirs[key], f"{path}{key}.")
    elif isinstance(mine, list) and isinstance(theirs, list) and len(mine) == len(theirs):
        for place, (one, other) in enumerate(zip(mine, theirs, strict=True)):
            yield from differences(one, other, f"{path}{place}.")
    elif mine != theirs:
        yield path.rstrip(".")


CHECKS = [rules, runbooks, dashboards]
