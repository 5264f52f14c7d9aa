#!/usr/bin/env python3
"""Workers from 1 to 4 and back to 1 during a run, by the two numbers that the chart's ScaledObject has KEDA ask for.

    target/debug/with-servers --without-radosgw -- scripts/check-deploy.sh --elastic

Plays KEDA and its HPA: reads the triggers out of the rendered chart, asks RabbitMQ's management API and PostgreSQL as
they say, starts worker processes and stops busy ones with SIGTERM. In the end every job is complete,
no attempt failed and no partition was committed twice. Nothing here waits for a time: the loop goes on until what it
waits for has come.
"""

import json
import math
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from urllib.parse import quote, urlsplit

import binary
import chart
import manifests
import scaler

NAME = "spanfleet_elastic"
MOST_SECONDS = 300  # a guard against a hang, not a measure
LOOK_SECONDS = 0.5
CALM_LOOKS = 4  # a worker goes after so many looks in a row that want fewer: the stabilisation window, shortened


def ask_broker(api, method, path, body=None):
    parts = urlsplit(api)
    manager = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    plain = f"{parts.scheme}://{parts.hostname}:{parts.port}{parts.path}"
    manager.add_password(None, plain, parts.username, parts.password)
    opener = urllib.request.build_opener(urllib.request.HTTPBasicAuthHandler(manager), urllib.request.ProxyHandler({}))
    request = urllib.request.Request(f"{plain}{path}", method=method, data=json.dumps(body).encode() if body else None,
                                     headers={"content-type": "application/json"})
    try:
        with opener.open(request, timeout=10) as reply:
            return json.loads(reply.read() or "null")
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return None
        raise


def sql(url, statement):
    command = [scaler.tools() / "psql", url, "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", statement]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


class Fleet:
    """A database and a virtual host of its own, a dispatcher, and as many workers as asked for."""

    def __init__(self, folder, container):
        server, amqp = os.environ["SPANFLEET_TEST_POSTGRES_URL"], os.environ["SPANFLEET_TEST_AMQP_URL"]
        self.api, self.folder, self.workers, self.started = os.environ["SPANFLEET_TEST_AMQP_API"], folder, [], 0
        self.stopped = []
        sql(server, f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
        sql(server, f"CREATE DATABASE {NAME}")
        self.database = urlsplit(server)._replace(path=f"/{NAME}").geturl()
        ask_broker(self.api, "PUT", f"/vhosts/{NAME}", {"description": "elastic"})
        ask_broker(self.api, "PUT", f"/permissions/{NAME}/{urlsplit(amqp).username}", {"configure": ".*", "write": ".*", "read": ".*"})
        # The worker's settings are the chart's; only places are this machine's.
        self.settings = {name: value for name, value in manifests.environment(container).items() if value and not name.startswith("AWS_")}
        self.settings |= {
            "DATABASE_URL": self.database, "AMQP_URL": urlsplit(amqp)._replace(path=f"/{NAME}").geturl(),
            "ARTIFACTS_URL": f"file://{folder}/artifacts", "SPANFLEET_DATA_DIR": f"{folder}/data",
        }

    def run(self, *arguments):
        result = subprocess.run([binary.BINARY, *arguments], env=self.settings, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            sys.exit(f"spanfleet {' '.join(map(str, arguments))}: {result.stderr}")
        return result.stdout.strip()

    def spawn(self, *arguments):
        self.started += 1
        log = Path(self.folder, f"{arguments[0]}-{self.started}.log").open("w")
        return subprocess.Popen([binary.BINARY, *arguments], env=self.settings, stderr=log)

    def grow(self, wanted):
        while len(self.workers) < wanted:
            self.workers.append(self.spawn("worker", "--metrics-listen", "127.0.0.1:0"))

    def stop(self, worker):
        self.workers.remove(worker)
        self.stopped.append(worker)
        worker.send_signal(signal.SIGTERM)

    def busy(self):
        """Workers that hold a task now."""
        owners = sql(self.database, "SELECT DISTINCT lease_owner FROM export_partitions WHERE state = 'leased'")
        pids = {int(owner.rpartition("/")[2]) for owner in owners.splitlines()}
        return [worker for worker in self.workers if worker.pid in pids]

    def end(self):
        for worker in list(self.workers):
            self.stop(worker)
        self.dispatcher.send_signal(signal.SIGTERM)
        for process in [*self.stopped, self.dispatcher]:
            process.wait(timeout=60)


def wanted(fleet, spec):
    """What KEDA and its HPA would have: the larger of the triggers, over what one pod takes, within the bounds."""
    pods = []
    for trigger in spec["triggers"]:
        facts = trigger["metadata"]
        if trigger["type"] == "rabbitmq":
            queue = ask_broker(fleet.api, "GET", f"/queues/{NAME}/{quote(facts['queueName'], safe='')}") or {}
            pods.append(queue.get("messages", 0) / int(facts["value"]))
        else:
            pods.append(int(sql(fleet.database, facts["query"])) / int(facts["targetQueryValue"]))
    return min(max(math.ceil(max(pods)), spec["minReplicaCount"]), spec["maxReplicaCount"])


def corpus(folder, texts):
    file = Path(folder, "corpus.jsonl")
    words = "The harbour master of Bergen met Ada on the quay and spoke of nets and weather . " * 6
    with file.open("w") as out:
        for number in range(texts):
            out.write(json.dumps({"id": f"t{number}", "text": f"{number} {words}", "annotations": [
                {"start": 0, "end": len(str(number)), "label": "NUM"}]}) + "\n")
    return file


def scenario(fleet, spec, create):
    """A small job, a rush of three large ones, small ones again; ends when one worker is left and all is done."""
    seen, calm, begin = [1], 0, time.monotonic()
    jobs = [create(2)]
    fleet.grow(1)
    rushed = False
    while time.monotonic() - begin < MOST_SECONDS:
        now = wanted(fleet, spec)
        calm = calm + 1 if now < len(fleet.workers) else 0
        if now > len(fleet.workers):
            fleet.grow(now)
        elif calm >= CALM_LOOKS and (busy := fleet.busy()):
            # An HPA does not ask who is busy, so a busy one it is.
            calm = 0
            fleet.stop(random.choice(busy))
        if len(fleet.workers) != seen[-1]:
            seen.append(len(fleet.workers))
        open_jobs = int(sql(fleet.database, "SELECT count(*) FROM export_jobs WHERE status IN ('pending', 'processing')"))
        if not rushed and open_jobs == 0:
            rushed, jobs = True, jobs + [create(60), create(60), create(60)]
        elif rushed and open_jobs == 0 and seen[-1] > 1:
            jobs.append(create(2))  # the trickle goes on while workers are taken away
        elif rushed and open_jobs == 0:
            return seen, jobs
        time.sleep(LOOK_SECONDS)
    sys.exit(f"not done after {MOST_SECONDS} s: workers {seen}, logs in {fleet.folder}")


def findings(fleet, seen, jobs):
    if max(seen) != 4 or seen[-1] != 1:
        yield f"workers went {seen}, not from 1 to 4 and back"
    statuses = sql(fleet.database, "SELECT status || '=' || count(*) FROM export_jobs GROUP BY status")
    if statuses != f"completed={len(jobs)}":
        yield f"jobs ended as {statuses}"
    for question, statement in [
        ("partitions with failures", "SELECT count(*) FROM export_partitions WHERE attempts > 0 OR crashes > 0 OR state <> 'done'"),
        ("attempts that failed or were lost", "SELECT count(*) FROM export_attempts WHERE outcome IS NULL OR outcome IN ('failed', 'lost')"),
        ("partitions committed twice", "SELECT count(*) FROM (SELECT 1 FROM export_attempts WHERE outcome = 'committed' "
                                       "GROUP BY partition_id HAVING count(*) > 1) twice"),
    ]:
        if (count := sql(fleet.database, statement)) != "0":
            yield f"{count} {question}"


def main():
    values = {"autoscaling": {"mode": "keda", "minReplicas": 1, "maxReplicas": 4}, "worker": {"slots": 2}}
    documents = chart.documents(values)
    spec = manifests.of_kind(documents, "ScaledObject")[0]["spec"]
    worker = next(container for _, _, container in manifests.containers(documents) if container["args"] == ["worker"])
    with tempfile.TemporaryDirectory(prefix="spanfleet-elastic-") as folder:
        fleet = Fleet(folder, worker)
        fleet.run("migrate")
        fleet.run("import", corpus(folder, 30_000), "--project", "news")
        token = fleet.run("token", "create", "--user", "ada", "--project", "news")
        address = f"127.0.0.1:{free_port()}"
        fleet.dispatcher = fleet.spawn("dispatcher", "--listen", address)
        fleet.settings |= {"SPANFLEET_URL": f"http://{address}", "SPANFLEET_TOKEN": token}
        wait_for(f"http://{address}/readyz")

        def create(partitions):
            return fleet.run("jobs", "create", "--project", "news", "--format", "jsonl", "--set", f"partitions={partitions}")

        try:
            seen, jobs = scenario(fleet, spec, create)
            wrong = list(findings(fleet, seen, jobs))
            tasks = sql(fleet.database, "SELECT count(*) FROM export_attempts")
        finally:
            fleet.end()
    if any(process.returncode != 0 for process in fleet.stopped):
        wrong.append(f"stopped workers ended with {[process.returncode for process in fleet.stopped]}")
    print(f"workers {' → '.join(map(str, seen))}; {len(jobs)} jobs, {tasks} attempts of partitions")
    sys.exit("\n".join(wrong) if wrong else 0)


def free_port():
    with scaler.socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def wait_for(url):
    begin = time.monotonic()
    while time.monotonic() - begin < 60:
        try:
            return urllib.request.urlopen(url, timeout=5)
        except OSError:
            time.sleep(0.2)
    sys.exit(f"`{url}` does not answer")


if __name__ == "__main__":
    main()
