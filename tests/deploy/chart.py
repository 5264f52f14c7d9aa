"""The chart: lint, render over all values files, strict schemas, our own rules, the binary's settings."""

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import helm_python
import kubernetes_validate
import yaml

import binary
import faults
import manifests

HERE = Path(__file__).parent
CHART = binary.ROOT / "helm/spanfleet"
CUSTOM = ("keda.sh", "monitoring.coreos.com")
KUBERNETES = ("1.29.0", "1.37.0")  # the oldest that Chart.yaml allows, and the newest that there is a schema of

# Values that the schema has to refuse, and the word that its message has to hold.
REFUSED = [
    ({"worker": {"slots": 0}}, "slots"),
    ({"autoscaling": {"mode": "magic"}}, "mode"),
    ({"autoscaling": {"scaleDown": {"stabilizationSeconds": 30}}}, "stabilizationSeconds"),
    ({"wroker": {}}, "wroker"),
    ({"dispatcher": {"linkSeconds": 7200}}, "linkSeconds"),
    ({"artifacts": {"url": "/tmp/artifacts"}}, "url"),
    ({"secrets": {"database": {"name": ""}}}, "name"),
    ({"worker": {"resources": {"limits": None}}}, "resources"),
    ({"settings": {"s3Checksum": "never"}}, "s3Checksum"),
    ({"traces": {"endpoint": "collector:4318"}}, "endpoint"),
    ({"traces": {"share": 2}}, "share"),
]


@cache
def loaded():
    return helm_python.Chart.load(str(CHART))


@cache
def matrix():
    """Each values file's name and values."""
    return {path.stem: yaml.safe_load(path.read_text()) for path in sorted((HERE / "values").glob("*.yaml"))}


@cache
def rendered(name):
    """The documents that a values file makes."""
    return documents(matrix()[name])


def documents(values):
    """The documents that values make; NOTES.txt apart."""
    files = loaded().render(values, name="fleet", namespace="exports")
    texts = [text for path, text in files.items() if path.endswith(".yaml")]
    return [document for text in texts for document in yaml.safe_load_all(text) if document]


def lint():
    for name, values in matrix().items():
        for message in helm_python.lint(str(CHART), values, strict=True, namespace="exports")["messages"]:
            if message["severity"] > 1:
                yield f"{name}: {message['path']}: {message['error']}"


def refusals():
    for values, word in REFUSED:
        try:
            loaded().validate_schema(values)
            yield f"values.schema.json lets `{json.dumps(values)}` pass"
        except helm_python.HelmError as error:
            if word not in str(error):
                yield f"values.schema.json refuses `{json.dumps(values)}` without naming `{word}`: {error}"


@cache
def refusal(text, version):
    """What a version of Kubernetes has against a document. Many are the same in several renderings."""
    try:
        kubernetes_validate.validate(json.loads(text), version, strict=True)
        return None
    except kubernetes_validate.ValidationError as error:
        return f"{error.message} at {'.'.join(map(str, error.path))}"


def kubernetes_schema(documents):
    for document in documents:
        if document["apiVersion"].split("/")[0] in CUSTOM:
            continue
        for version in KUBERNETES:
            if refused := refusal(json.dumps(document), version):
                yield f"{manifests.place(document)} on Kubernetes {version}: {refused}"


def custom_schemas(documents):
    """KEDA's and the Prometheus operator's; in one call of node, which takes a while to start."""
    custom = [document for document in documents if document["apiVersion"].split("/")[0] in CUSTOM]
    script = shutil.copy(HERE / "models.mjs", os.environ["DEPLOY_NODE_DIR"])
    result = subprocess.run(["node", script], input=json.dumps(custom), capture_output=True, text=True, check=False)
    return json.loads(result.stdout) if result.returncode == 0 else [f"models.mjs: {result.stderr.strip()[-500:]}"]


def rendering():
    for name in matrix():
        documents = rendered(name)
        yield from (f"{name}: {finding}" for finding in manifests.findings(documents))
        yield from (f"{name}: {finding}" for finding in kubernetes_schema(documents))
    yield from custom_schemas([document for name in matrix() for document in rendered(name)])


def planted_faults():
    """Every rule catches what it is for; a rule that catches nothing is none."""
    yield from faults.uncaught(rendered, manifests.findings, kubernetes_schema)
    yield from faults.uncaught_custom(rendered, custom_schemas)


def settings():
    """Every setting of the binary can be set by the chart; what the chart sets, the binary reads."""
    for command in ("dispatcher", "worker"):
        reached = {name for document, _, container in manifests.containers(rendered("everything"))
                   if container["args"] == [command] for name in manifests.environment(container)}
        for missing in sorted(binary.settings(command).keys() - reached):
            yield f"`spanfleet {command}` reads `{missing}`: the chart can't set it; add a value and a line to _helpers.tpl or {command}.yaml"
    known = {value for name in matrix() for document, _, container in manifests.containers(rendered(name))
             for value in manifests.environment(container)}
    mentioned = set(manifests.re.findall(r"SPANFLEET_[A-Z0-9_]+", (CHART / "values.yaml").read_text()))
    for stale in sorted(name for name in known | mentioned if binary.is_ours(name) and name not in binary.all_variables()):
        yield f"the chart speaks of `{stale}`: no command of the binary reads it"


def parsed():
    """The binary takes every value that the chart sets."""
    for name in matrix():
        for document, _, container in manifests.containers(rendered(name)):
            if container["args"][0] in ("dispatcher", "worker"):
                variables = {key: value for key, value in manifests.environment(container).items() if value is not None}
                yield from (f"{name}: {manifests.place(document)}: {finding}" for finding in binary.misunderstood(container["args"][0], variables))


def values_are_in_the_schema():
    """A key without a schema would be refused by it, and a schema without a key is stale."""
    def compare(values, schema, path=""):
        properties = schema.get("properties")
        if properties is None or not isinstance(values, dict):
            return
        for key in (properties.keys() ^ values.keys()) - {"global", "claims"}:
            if not path.endswith("resources"):
                yield f"`{path}{key}` stands in only one of values.yaml and values.schema.json"
        for key in properties.keys() & values.keys():
            yield from compare(values[key], properties[key], f"{path}{key}.")
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    yield from compare(values, json.loads((CHART / "values.schema.json").read_text()))


def readme():
    script = [sys.executable, binary.ROOT / "scripts/chart-readme.py", "--check"]
    result = subprocess.run(script, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        yield result.stderr.strip()


CHECKS = [lint, refusals, rendering, planted_faults, settings, parsed, values_are_in_the_schema, readme]
