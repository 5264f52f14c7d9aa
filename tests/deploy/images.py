"""The image, the compose file and the sample configurations, held against the binary and each other."""

import configparser
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import compose_spec
import yaml

import binary
import manifests

DEPLOY = binary.ROOT / "deploy"
DOCKERFILE = DEPLOY / "Dockerfile"


def instructions(text):
    """Instructions of a Dockerfile with their arguments, lines joined."""
    joined = re.sub(r"\\\n", " ", "\n".join(line for line in text.splitlines() if not line.startswith("#")))
    return [tuple(line.split(None, 1)) for line in joined.splitlines() if line.strip()]


def last_stage(found):
    start = max(place for place, (word, _) in enumerate(found) if word == "FROM")
    return found[start:]


def dockerfile_rules(text):
    """What the image has to be: small, without root or shell, its ports and variables those of the binary."""
    stage = last_stage(instructions(text))
    words = {}
    for word, rest in stage:
        words.setdefault(word, []).append(rest)
    if "distroless" not in words["FROM"][0] and words["FROM"][0] != "scratch":
        yield f"Dockerfile: the last stage is `{words['FROM'][0]}`, not distroless or scratch"
    user = words.get("USER", ["root"])[-1].split(":")[0]
    if not user.isdigit() or user == "0":
        yield f"Dockerfile: USER is `{user}`; write a number other than 0, which Kubernetes can check"
    for word in ("ENTRYPOINT", "CMD", "HEALTHCHECK"):
        for rest in words.get(word, []):
            if "[" not in rest:
                yield f"Dockerfile: {word} needs a shell, and there is none; write it as a list"
    if "RUN" in words:
        yield "Dockerfile: the last stage runs something, which needs a shell"
    variables = dict(re.findall(r"([A-Z0-9_]+)=(\S+)", " ".join(words.get("ENV", []))))
    for name in variables:
        if name not in binary.all_variables():
            yield f"Dockerfile: no command reads `{name}`"
    listened = {value.split(":")[1] for name, value in variables.items() if name.endswith("LISTEN")}
    if listened != set(" ".join(words.get("EXPOSE", [])).split()):
        yield f"Dockerfile: listens on {sorted(listened)} and exposes {words.get('EXPOSE')}"
    for name in ("title", "licenses", "version", "revision"):
        if f"org.opencontainers.image.{name}=" not in " ".join(words.get("LABEL", [])):
            yield f"Dockerfile: the label `org.opencontainers.image.{name}` is missing"
    yield from health(words)


def health(words):
    """The binary itself asks after its health, once it can."""
    can = "health" in binary.commands()
    has = [json.loads(rest.split("CMD", 1)[1]) for rest in words.get("HEALTHCHECK", [])]
    if can and not has:
        yield 'Dockerfile: the binary has a command `health` now; add HEALTHCHECK CMD ["/usr/local/bin/spanfleet", "health"]'
    for command in has:
        if command[1] not in binary.commands():
            yield f"Dockerfile: HEALTHCHECK runs `{command[1]}`, which is no command of the binary"


def dockerfile():
    text = DOCKERFILE.read_text()
    hadolint = [Path(sys.executable).parent / "hadolint", "--no-color", DOCKERFILE]
    result = subprocess.run(hadolint, capture_output=True, text=True, check=False)
    yield from result.stdout.splitlines()
    yield from dockerfile_rules(text)
    rust = re.search(r"RUST_VERSION=(\S+)", text)[1]
    manifest = tomllib.loads((binary.ROOT / "Cargo.toml").read_text())
    if rust != manifest["workspace"]["package"]["rust-version"]:
        yield f"Dockerfile: Rust {rust} is not Cargo.toml's rust-version"
    for plant, word in [
        (("nonroot\nARG", "debug\nUSER 0\nARG"), None),
        (("USER 65532:65532", "USER root"), "USER is `root`"),
        (('ENTRYPOINT ["/usr/local/bin/spanfleet"]', "ENTRYPOINT /usr/local/bin/spanfleet"), "needs a shell"),
        (("gcr.io/distroless/cc-debian12:nonroot\nARG", "debian:12\nARG"), "not distroless"),
        (("SPANFLEET_LISTEN=0.0.0.0:8080", "SPANFLEET_LISTEN=0.0.0.0:80"), "exposes"),
        (("SPANFLEET_LOG_FORMAT", "SPANFLEET_LOG_STYLE"), "no command reads"),
        (("STOPSIGNAL SIGTERM", 'HEALTHCHECK CMD ["/usr/local/bin/spanfleet", "pulse"]'), "no command of the binary"),
    ]:
        planted = text.replace(*plant)
        found = list(dockerfile_rules(planted))
        if planted == text or (word and not any(word in finding for finding in found)):
            yield f"a fault planted into the Dockerfile is not caught: `{plant[1]}`"


def ignored():
    """What the Dockerfile copies from the context and the build includes has to pass .dockerignore."""
    kept = [line[1:] for line in (binary.ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    manifest = tomllib.loads((binary.ROOT / "Cargo.toml").read_text())
    needed = ["Cargo.toml", "Cargo.lock", "LICENSE", "scripts/sbom.py"]
    needed += [member.removesuffix("/*") + "/Cargo.toml" * (not member.endswith("/*")) for member in manifest["workspace"]["members"]]
    for file in (binary.ROOT / "crates").rglob("*.rs"):
        for path in re.findall(r'include_(?:str|bytes)!\("([^"]+)"\)', file.read_text()):
            included = (file.parent / path).resolve().relative_to(binary.ROOT)
            if "tests" not in file.parts and "tests" not in included.parts:
                needed.append(str(included))
    for path in sorted(set(needed)):
        if not any(path == place or path.startswith(place + "/") for place in kept):
            yield f".dockerignore: `{path}` does not reach the builder; add `!{path}`"


def compose_rules(text):
    document = yaml.safe_load(text)
    try:
        compose_spec.PyCompose.from_json(json.dumps(document))
    except ValueError as error:
        yield f"compose.yaml: {error}"
    services, volumes = document["services"], set(document["volumes"])
    for name, service in services.items():
        for other in service.get("depends_on", {}):
            if other not in services:
                yield f"compose.yaml: `{name}` waits for `{other}`, which is no service"
            elif service["depends_on"][other]["condition"] == "service_healthy" and "healthcheck" not in services[other]:
                yield f"compose.yaml: `{name}` waits for the health of `{other}`, which has no check"
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source not in volumes and not (DEPLOY / source).exists():
                yield f"compose.yaml: `{name}` mounts `{source}`, which is neither a volume nor a file"
        for port in service.get("ports", []):
            if not port.startswith("127.0.0.1:"):
                yield f"compose.yaml: `{name}` is open to the network by `{port}`; begin it with 127.0.0.1:"
        if "build" not in service and (":" not in service["image"] or service["image"].endswith(":latest")):
            yield f"compose.yaml: the image of `{name}` is not pinned"
        if service.get("image") != "spanfleet:local":
            continue
        command = service.get("command", ["jobs"])[0]
        if command not in binary.commands():
            yield f"compose.yaml: `{name}` runs `{command}`, which is no command"
        if command in ("dispatcher", "worker"):
            yield from (f"compose.yaml: {name}: {finding}" for finding in binary.misunderstood(command, service["environment"]))
        for variable in service["environment"]:
            if binary.is_ours(variable) and variable not in binary.all_variables():
                yield f"compose.yaml: `{name}` sets `{variable}`, which no command reads"
    yield from compose_wiring(services)


def compose_wiring(services):
    """Addresses lead to services, credentials are the same at both ends."""
    known = services["dispatcher"]["environment"]
    aliases = {"s3.localhost": "s3"}
    for name in ("DATABASE_URL", "AMQP_URL", "AWS_ENDPOINT_URL_S3"):
        host = re.search(r"://(?:[^@/]+@)?([^:/]+)", known[name])[1]
        if aliases.get(host, host) not in services:
            yield f"compose.yaml: {name} leads to `{host}`, which is no service"
    pairs = [
        ("s3", "GARAGE_DEFAULT_ACCESS_KEY", known["AWS_ACCESS_KEY_ID"]),
        ("s3", "GARAGE_DEFAULT_SECRET_KEY", known["AWS_SECRET_ACCESS_KEY"]),
        ("s3", "GARAGE_DEFAULT_BUCKET", known["ARTIFACTS_URL"].split("/")[2]),
        ("postgres", "POSTGRES_PASSWORD", re.search(r":([^:@]+)@", known["DATABASE_URL"])[1]),
        ("rabbitmq", "RABBITMQ_DEFAULT_PASS", re.search(r":([^:@]+)@", known["AMQP_URL"])[1]),
    ]
    for service, variable, wanted in pairs:
        if services[service]["environment"][variable] != wanted:
            yield f"compose.yaml: `{variable}` of `{service}` is not what the fleet uses"
    key, secret = known["AWS_ACCESS_KEY_ID"], known["AWS_SECRET_ACCESS_KEY"]
    if not re.fullmatch(r"GK[0-9a-f]{24}", key) or not re.fullmatch(r"[0-9a-f]{64}", secret):
        yield "compose.yaml: Garage takes only keys of GK and 24 hex digits, with secrets of 64"
    garage = tomllib.loads((DEPLOY / "garage/garage.toml").read_text())
    if garage["s3_api"]["s3_region"] != known["AWS_REGION"]:
        yield "compose.yaml: AWS_REGION is not garage.toml's s3_region"
    for job in yaml.safe_load((DEPLOY / "prometheus/prometheus.yaml").read_text())["scrape_configs"]:
        for target in job["static_configs"][0]["targets"]:
            if target.split(":")[0] not in services:
                yield f"prometheus.yaml: `{target}` is no service of compose.yaml"
    images = [service["image"] for service in services.values()]
    if not any(image.startswith("rabbitmq:4") for image in images):
        yield "compose.yaml: RabbitMQ 4 is what the fleet is made for"


def compose():
    text = (DEPLOY / "compose.yaml").read_text()
    yield from compose_rules(text)
    for old, new, word in [
        ("command: [worker]", "command: [wroker]", "no command"),
        ("SPANFLEET_SLOTS", "SPANFLEET_SLOT", "no command reads"),
        ('SPANFLEET_SLOTS: "2"', 'SPANFLEET_SLOTS: "two"', "invalid value"),
        ("@rabbitmq:5672", "@rabbit:5672", "no service"),
        ("POSTGRES_PASSWORD: local-only", "POSTGRES_PASSWORD: other", "not what the fleet uses"),
        ("127.0.0.1:3000:3000", "3000:3000", "open to the network"),
        ("./prometheus/rules.yaml", "./prometheus/rule.yaml", "neither a volume nor a file"),
        ("postgres:17-bookworm", "postgres:latest", "is not pinned"),
    ]:
        if old not in text or not any(word in finding for finding in compose_rules(text.replace(old, new))):
            yield f"a fault planted into compose.yaml is not caught: `{new}`"


def samples():
    """Sample configurations set only what the binary reads, and hold no password that works."""
    for file in sorted((DEPLOY / "samples").glob("*.env")):
        lines = [line for line in file.read_text().splitlines() if line and not line.startswith("#")]
        found = dict(line.split("=", 1) for line in lines)
        for command in ("dispatcher", "worker"):
            yield from (f"samples/{file.name}: {finding}" for finding in binary.misunderstood(command, found))
        for name, value in found.items():
            if binary.is_ours(name) and name not in binary.all_variables():
                yield f"samples/{file.name}: no command reads `{name}`"
            if (manifests.PASSWORD.search(value) or name.endswith("SECRET_ACCESS_KEY")) and "CHANGE-ME" not in value:
                yield f"samples/{file.name}: `{name}` holds a password"
    for file in sorted((DEPLOY / "samples").glob("*.service")):
        unit = configparser.ConfigParser(strict=False)
        unit.optionxform = str
        unit.read(file)
        command = unit["Service"]["ExecStart"].split()[1]
        if command not in binary.commands():
            yield f"samples/{file.name}: `{command}` is no command"
    for file in sorted((DEPLOY / "samples").glob("*.json")):
        json.loads(file.read_text())


CHECKS = [dockerfile, ignored, compose, samples]
