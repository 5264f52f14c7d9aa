"""Every template's `load.py`, run beside a real export in the environment of its framework.

The rows of `templates.json` say which format and parameters a template has. Records are checked against the
`validation_schema` of their row.
"""

import csv
import io
import json
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jsonschema
import pytest

import export as exports
from export import ROOT, Export, content, export

FOLDER = ROOT / "crates/formats/templates"
TEMPLATES = json.loads((FOLDER / "templates.json").read_text("utf-8"))
TASKS = ["token_classification", "sequence_classification", "relation_extraction", "question_answering",
         "language_modeling"]
FRAMEWORKS = ["pytorch", "tensorflow", "huggingface", "spacy", "scikit_learn", "custom"]
# PyTorch is Debian's, which goes with other versions than the rest.
ON_TORCH = {"pytorch", "huggingface"}
# What scripts find imported.
IMPORTS = {
    "pytorch": "torch",
    "tensorflow": "tensorflow,keras",
    "huggingface": "torch,datasets,transformers",
    "spacy": "spacy,spacy.cli.init_config",
    "scikit_learn": "sklearn.pipeline,sklearn.linear_model",
    "custom": "json",
}
CATALOGUE = exports.formats()
NAMES = [f"{row['framework']}/{row['task_type']}" for row in TEMPLATES]


@pytest.fixture(scope="session")
def harbour(tmp_path_factory) -> Path:
    """The example corpus three times over, with a question for each span: it suits every task."""
    path = tmp_path_factory.mktemp("harbour") / "harbour.jsonl"
    lines = (ROOT / "examples/harbour/harbour.jsonl").read_text("utf-8").split("\n")
    records = [json.loads(line) for line in lines if line]
    for record in records:
        for item in record["annotations"]:
            if item["start"] is not None:
                item["attributes"] = {**(item.get("attributes") or {}), "question": f"Which {item['label']}?"}
    # A text with two labels.
    records[0]["annotations"].append({"start": None, "end": None, "label": "Local"})
    with open(path, "w", encoding="utf-8") as out:
        for copy in range(3):
            for record in records:
                out.write(json.dumps(record | {"id": f"{record['id']}-{copy}"}) + "\n")
    return path


def arguments(row: dict) -> list[str]:
    settings = ["--set", "partitions=2"]
    for key, value in row["parameters"].items():
        settings += ["--set", f"{key}={value if isinstance(value, str) else json.dumps(value)}"]
    return [*settings, "--split", "train=0.8,dev=0.2"]


@pytest.fixture(scope="session")
def runs(harbour, tmp_path_factory) -> dict[str, Export]:
    """Exports of every template whose format this binary has, with `load.py` beside, which was run; two frameworks
    at once."""
    made = {}
    for name, row in zip(NAMES, TEMPLATES):
        if row["format"] in CATALOGUE:
            folder = tmp_path_factory.mktemp(name.replace("/", "-"))
            made[name] = export(harbour, row["format"], folder / "out", *arguments(row))
            shutil.copy(FOLDER / f"{name}.py", folder / "out/load.py")
    with ThreadPoolExecutor(2) as pool:
        for _ in pool.map(lambda framework: run(framework, made, tmp_path_factory.mktemp("cwd")), FRAMEWORKS):
            pass
    return made


def run(framework: str, made: dict[str, Export], folder: Path) -> None:
    """From another working directory, without a network, on one core."""
    scripts = [export.folder / "load.py" for name, export in made.items() if name.startswith(framework)]
    settings = {"HF_HOME": str(folder / "hub"), "HF_HUB_OFFLINE": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "OMP_NUM_THREADS": "1"}
    command = [python(framework), Path(__file__).with_name("together.py"), IMPORTS[framework], *scripts]
    subprocess.run(command, cwd=folder, check=True, timeout=600, env=os.environ | settings)


def python(framework: str) -> Path:
    return ROOT / ".venv" / ("torch" if framework in ON_TORCH else "readers") / "bin/python"


def test_every_framework_has_every_task():
    assert sorted(NAMES) == sorted(f"{framework}/{task}" for framework in FRAMEWORKS for task in TASKS)
    scripts = {f"{path.parent.name}/{path.stem}" for path in FOLDER.glob("*/*.py")}
    assert scripts == set(NAMES)
    assert all(row["include_relations"] == (row["task_type"] == "relation_extraction") for row in TEMPLATES)


@pytest.mark.parametrize("name", NAMES)
def test_load(name, runs):
    if name not in runs:
        pytest.skip(f"this binary has no format {TEMPLATES[NAMES.index(name)]['format']}")
    script = runs[name].folder / "load.py"
    out = script.with_suffix(".out").read_text("utf-8")
    assert script.with_suffix(".status").read_text() == "0", out
    assert "splits:" in out and "train" in out
    # A first look at the data, and a number that training gave.
    assert any(word in out for word in ("first", "matrix:"))
    assert any(word in out for word in ("loss", "accuracy", "matches", "pretrained", "vectors:"))
    assert "nan" not in out


def test_load_as_a_user_runs_it(runs, tmp_path):
    script = runs["scikit_learn/language_modeling"].folder / "load.py"
    done = subprocess.run([python("scikit_learn"), script], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == script.with_suffix(".out").read_text("utf-8")


@pytest.mark.parametrize("name", [name for name, row in zip(NAMES, TEMPLATES) if row["format"] in ("jsonl", "csv", "conll")])
def test_validation_schema(name, runs):
    row, made = TEMPLATES[NAMES.index(name)], runs[name]
    text = content(made.files[0][1]).decode("utf-8")
    records = {
        "jsonl": lambda: [json.loads(line) for line in text.split("\n") if line],
        "csv": lambda: list(csv.DictReader(io.StringIO(text, newline=""))),
        "conll": lambda: [line.split("\t") for line in text.split("\n") if line],
    }[row["format"]]()
    validator = jsonschema.Draft202012Validator(row["validation_schema"])
    assert records and all(validator.is_valid(record) for record in records)


def test_validation_schemas_are_schemas():
    for row in TEMPLATES:
        jsonschema.Draft202012Validator.check_schema(row["validation_schema"])
