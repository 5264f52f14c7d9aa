"""What the binary really shows: its metrics against deploy/metrics.txt, its libraries against the image."""

import os
import re
import signal
import subprocess
import tempfile
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import binary
import monitoring

TYPE = re.compile(r"^# TYPE (spanfleet_\w+) (\w+)$", re.M)
SERIES = re.compile(r"^(spanfleet_\w+)(?:\{([^}]*)\})? ", re.M)
LABEL = re.compile(r'(\w+)="')
# What gcr.io/distroless/cc-debian12 holds besides the loader.
IN_THE_IMAGE = {"libc.so.6", "libm.so.6", "libgcc_s.so.1", "libpthread.so.0", "libdl.so.2", "librt.so.1", "libstdc++.so.6"}


@contextmanager
def server(folder):
    """`spanfleet serve` on a free port, until SIGTERM; gives its address."""
    command = [binary.BINARY, "serve", "--listen", "127.0.0.1:0", "--data-dir", folder]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={})
    try:
        lines = iter(process.stderr.readline, "")
        yield next(match[1] for line in lines if (match := re.search(r"spanfleet serves (http://[^/]+)/", line)))
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def run(*arguments):
    return subprocess.run([binary.BINARY, *arguments], capture_output=True, text=True, env={}, check=True).stdout.strip()


def metrics_page():
    """The metrics of a server that has exported and handed out the example."""
    with tempfile.TemporaryDirectory() as folder:
        run("import", binary.ROOT / "examples/harbour/harbour.jsonl", "--project", "harbour", "--data-dir", folder)
        with server(folder) as address:
            client = ("--url", address, "--data-dir", folder)
            job = run("jobs", "create", "--project", "harbour", "--format", "conll", "--wait", *client)
            run("jobs", "download", job, "--out", f"{folder}/out", *client)
            with urllib.request.urlopen(f"{address}/metrics") as reply:
                return reply.read().decode()


def differs(page, listed):
    """What a page shows that the list has not, or has otherwise."""
    for name, kind in TYPE.findall(page):
        if name not in listed:
            yield f"the binary shows `{name}`, which is not in deploy/metrics.txt; add it there and to a dashboard"
        elif listed[name][0] != kind:
            yield f"`{name}` is a {kind} and not the {listed[name][0]} of deploy/metrics.txt"
    for series, labels in set(SERIES.findall(page)):
        name = monitoring.base(series, listed)
        shown = set(LABEL.findall(labels)) - {"le"}
        if name in listed and shown != listed[name][1]:
            yield f"`{series}` has the labels {sorted(shown)} and not {sorted(listed[name][1])}"


def metrics():
    listed, page = monitoring.listed(), metrics_page()
    yield from differs(page, listed)
    unseen = sorted(listed.keys() - {name for name, _ in TYPE.findall(page)})
    print(f"      not shown by a laptop's server: {', '.join(unseen)}")
    for plant in ("# TYPE spanfleet_things_total counter\n", "# TYPE spanfleet_partitions counter\n", 'spanfleet_partitions{job="1"} 1\n'):
        if not list(differs(plant, listed)):
            yield f"a wrong metric is not caught: `{plant.strip()}`"


def first_process():
    """As process 1, where the kernel drops every signal that nobody handles, SIGTERM ends it with 0."""
    alone = ["unshare", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"]), "--pid", "--fork", "--kill-child"]
    if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode != 0:
        print("      skipped: this machine gives no process namespaces")
        return
    with tempfile.TemporaryDirectory() as folder:
        command = [*alone, binary.BINARY, "serve", "--listen", "127.0.0.1:0", "--data-dir", folder]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={"PATH": os.environ["PATH"]})
        next(line for line in iter(process.stderr.readline, "") if "spanfleet serves" in line)
        inside = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        numbers = re.search(r"^NSpid:\s+(.*)$", Path(f"/proc/{inside[0]}/status").read_text(), re.M)[1].split()
        os.kill(int(inside[0]), signal.SIGTERM)
        process.communicate(timeout=60)
    if numbers[-1] != "1" or process.returncode != 0:
        yield f"as process {numbers[-1]} it ends with {process.returncode} on SIGTERM, not as process 1 with 0"


def libraries():
    linked = subprocess.run(["ldd", binary.BINARY], capture_output=True, text=True, check=True).stdout
    for name in re.findall(r"^\s+(lib\S+) =>", linked, re.M):
        if name not in IN_THE_IMAGE:
            yield f"the binary needs `{name}`, which the image does not hold"


CHECKS = [metrics, first_process, libraries]
