"""KEDA's query on a real PostgreSQL, as the role that the sample makes: it counts right and may do nothing else."""

import os
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import binary
import chart
import manifests

# Two tasks wait, one of them not yet; one runs; one is done.
TASKS = """
INSERT INTO users (name) VALUES ('ada');
INSERT INTO projects (name) VALUES ('p');
INSERT INTO export_jobs (project_id, requested_by, export_format_id) SELECT 1, 1, min(id) FROM export_formats;
INSERT INTO export_partitions (job_id, kind, number, state, fence, lease_until, report) VALUES
  (1, 'encode', 0, 'ready', 0, NULL, NULL), (1, 'encode', 1, 'ready', 0, NULL, NULL),
  (1, 'encode', 2, 'leased', 1, now() + interval '1 minute', NULL), (1, 'encode', 3, 'done', 1, NULL, '{}');
INSERT INTO outbox (partition_id, user_id, due_at) VALUES (1, 1, now()), (2, 1, now() + interval '1 hour');
"""
REFUSED = [
    "SELECT * FROM outbox", "SELECT token_hash FROM api_tokens", "SELECT content FROM texts", "SELECT report FROM export_partitions",
    "UPDATE export_partitions SET state = 'done'", "DELETE FROM outbox", "SELECT id FROM export_jobs",
    "SET default_transaction_read_only = off; CREATE TABLE mine (a int)",
]


def tools():
    """The folder of PostgreSQL's programs; Debian keeps one for each version, out of PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    return found[-1] if found else None


@contextmanager
def server():
    """A cluster of its own in a folder of its own, on a socket alone; gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        drop = []
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            drop = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
            subprocess.run(["chown", "postgres:", folder], check=True)

        def run(*command):
            subprocess.run([*drop, *command], cwd=folder, check=True, capture_output=True, text=True)

        run(tools() / "initdb", "-D", f"{folder}/data", "-U", "owner", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
        run(tools() / "pg_ctl", "-D", f"{folder}/data", "-w", "-l", f"{folder}/log", "-o", options, "start")
        try:
            yield f"127.0.0.1:{port}"
        finally:
            run(tools() / "pg_ctl", "-D", f"{folder}/data", "-w", "-m", "immediate", "stop")


def psql(address, user, *arguments, script=None):
    url = f"postgres://{user}@{address}/postgres"
    command = [tools() / "psql", url, "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", *arguments]
    return subprocess.run(command, input=script, capture_output=True, text=True, check=False)


def role():
    if tools() is None:
        print("      skipped: PostgreSQL is not installed")
        return
    scaled = manifests.of_kind(chart.rendered("keda"), "ScaledObject")[0]
    query = next(trigger["metadata"]["query"] for trigger in scaled["spec"]["triggers"] if trigger["type"] == "postgresql")
    with server() as address:
        migrated = subprocess.run([binary.BINARY, "migrate"], capture_output=True, text=True, check=False,
                                  env={"DATABASE_URL": f"postgres://owner@{address}/postgres"})
        if migrated.returncode != 0:
            yield f"spanfleet migrate: {migrated.stderr}"
            return
        for made in (psql(address, "owner", script=TASKS),
                     psql(address, "owner", "-v", "password=it's", "-f", binary.ROOT / "deploy/samples/scaler-role.sql")):
            if made.returncode != 0:
                yield f"psql: {made.stderr.strip()}"
        counted = psql(address, "spanfleet_scaler", "-c", query)
        if counted.stdout.strip() != "2":
            yield f"KEDA's query counts `{counted.stdout.strip()}` where one task is due and one runs: {counted.stderr.strip()}"
        for statement in REFUSED:
            if psql(address, "spanfleet_scaler", "-c", statement).returncode == 0:
                yield f"the scaler's role may `{statement}`"


CHECKS = [role]
