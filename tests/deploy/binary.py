"""What the binary says of itself: the truth that the chart, the image and the samples are held against."""

import os
import re
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("SPANFLEET_BIN", ROOT / "target/debug/spanfleet"))
FLAG = re.compile(r"^\s+(?:-\w, )?--([a-z0-9-]+)")
VARIABLE = re.compile(r"\[env: ([A-Z0-9_]+)")
DEFAULT = re.compile(r"\[default: (.*)\]")


@cache
def help_of(*command):
    result = subprocess.run([BINARY, *command, "--help"], capture_output=True, text=True, env={}, check=False)
    return result.stdout if result.returncode == 0 else ""


@cache
def settings(*command):
    """Every variable of a command with its default."""
    found, variable = {}, None
    for line in help_of(*command).splitlines():
        if FLAG.match(line):
            variable = None
        if match := VARIABLE.search(line):
            variable = match[1]
            found[variable] = None
        if variable and (match := DEFAULT.search(line)):
            found[variable] = match[1]
    return found


def commands():
    """The names of all commands."""
    listed = help_of().split("Commands:")[1].split("Options:")[0]
    return {line.split()[0] for line in listed.splitlines() if line.strip()} - {"help"}


def all_variables():
    """Every variable that any command reads."""
    known = set()
    for command in commands():
        known |= settings(command).keys()
    for command in (("jobs", "create"), ("token", "create")):
        known |= settings(*command).keys()
    return known


def is_ours(variable):
    """Whether a variable has to be one of the binary's; others belong to AWS, the C library, Kubernetes, …"""
    return variable.startswith("SPANFLEET_") or variable in ("DATABASE_URL", "AMQP_URL", "ARTIFACTS_URL")


def unknown(variables, command):
    """Variables of ours that a command doesn't read."""
    return [name for name in variables if is_ours(name) and name not in settings(command)]


def misunderstood(command, variables):
    """What a server finds wrong with its settings. Without a broker it stops right after it has read them all."""
    alone = {name: value for name, value in variables.items() if name != "AMQP_URL"}
    result = subprocess.run([BINARY, command], capture_output=True, text=True, env=alone, timeout=20, check=False)
    if "needs AMQP_URL" not in result.stderr:
        yield f"`spanfleet {command}`: {result.stderr.strip()}"
