#!/usr/bin/env python3
"""Writes the dashboards beside it. A panel is one line: title, unit, queries; `--check` only says what is stale.

To add a panel, add a line and run this. Every name has to stand in deploy/metrics.txt: scripts/check-deploy.sh holds
that. Dispatchers all show the metastore's gauges, each the same: hence `max`; counters are each process's own: `sum`.
"""

import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
RATE = "$__rate_interval"
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
WIDTH, HEIGHT = 8, 8  # of a panel, on Grafana's grid of 24 columns


def total(metric, by="", matching=""):
    """Events a second, of all processes."""
    grouping = f" by ({by})" if by else ""
    return f"sum{grouping} (rate({metric}{matching}[{RATE}]))"


def share(metric, quantile, by=""):
    """A quantile of a histogram, over all processes."""
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({quantile}, sum by ({labels}) (rate({metric}_bucket[{RATE}])))"


def quantiles(metric):
    return [(share(metric, 0.5), "median"), (share(metric, 0.95), "95 %"), (share(metric, 0.99), "99 %")]


PARTITION, STORE = "spanfleet_partition_duration_seconds", "spanfleet_s3_request_seconds"
CONFIRM, POOL, BEAT = "spanfleet_publish_confirm_seconds", "spanfleet_db_pool_wait_seconds", "spanfleet_heartbeat_lag_seconds"

# name: (title, [(kind, title, unit, [(query, legend)])])
DASHBOARDS = {
    "fleet": ("Spanfleet: the fleet", [
        ("stat", "Oldest task that waits", "s", [("max(spanfleet_queue_lag_seconds)", "lag")]),
        ("stat", "Partitions given up", "short", [("max(spanfleet_dead_partitions)", "dead")]),
        ("stat", "Violated invariants", "short", [("sum(spanfleet_invariant_violations_total)", "violations")]),
        ("timeseries", "Tasks by state", "short", [("max by (state) (spanfleet_partitions)", "{{state}}")]),
        ("timeseries", "Workers that beat", "short", [(f"count(rate({BEAT}_count[5m]) > 0)", "working")]),
        ("timeseries", "Partitions a second", "ops", [(total(f"{PARTITION}_count", "outcome"), "{{outcome}}")]),
        ("timeseries", "Time of a partition", "s", quantiles(PARTITION)),
        ("timeseries", "Failed attempts a second", "ops", [(total("spanfleet_partition_retries_total", "class"), "{{class}}")]),
        ("timeseries", "Refused claims a second", "ops", [(total("spanfleet_claims_refused_total", "reason"), "{{reason}}")]),
        ("timeseries", "Time between heartbeats", "s", quantiles(BEAT)),
        ("timeseries", "Lost leases and late reports a second", "ops", [
            ("max(rate(spanfleet_leases_expired_total[$__rate_interval]))", "leases that ran out"),
            (total("spanfleet_stale_commits_rejected_total"), "reports refused")]),
        ("timeseries", "Wait for a database connection", "s", quantiles(POOL)),
    ]),
    "job": ("Spanfleet: jobs and data", [
        ("stat", "Texts in the last hour", "short", [("sum(increase(spanfleet_texts_exported_total[1h]))", "texts")]),
        ("stat", "Annotations in the last hour", "short", [("sum(increase(spanfleet_annotations_exported_total[1h]))", "annotations")]),
        ("stat", "Losses in the last hour", "short", [("sum(increase(spanfleet_losses_total[1h]))", "losses")]),
        ("timeseries", "Jobs a second, by status", "ops", [(total("spanfleet_jobs_total", "status"), "{{status}}")]),
        ("timeseries", "Texts and annotations a second", "ops", [
            (total("spanfleet_texts_exported_total"), "texts"), (total("spanfleet_annotations_exported_total"), "annotations")]),
        ("timeseries", "Losses a second, by reason", "ops", [(total("spanfleet_losses_total", "reason"), "{{reason}}")]),
        ("timeseries", "Time of a partition, by format (95 %)", "s", [(share(PARTITION, 0.95, "format"), "{{format}}")]),
        ("timeseries", "Partitions a second, by format", "ops", [
            (total(f"{PARTITION}_count", "format", '{outcome="done"}'), "{{format}}")]),
        ("timeseries", "Downloads a second", "ops", [(total("spanfleet_downloads_total"), "links")]),
    ]),
    "storage": ("Spanfleet: the store", [
        ("timeseries", "Bytes of parts a second", "Bps", [(total("spanfleet_bytes_uploaded_total"), "uploaded")]),
        ("timeseries", "Requests a second", "ops", [(total(f"{STORE}_count", "op"), "{{op}}")]),
        ("timeseries", "Requests that fail, a second", "ops", [
            (total(f"{STORE}_count", "op, outcome", '{outcome!="ok"}'), "{{op}} {{outcome}}")]),
        ("timeseries", "Time of a request (95 %)", "s", [(share(STORE, 0.95, "op"), "{{op}}")]),
        ("timeseries", "Uploads under way", "short", [("sum(spanfleet_multipart_inflight)", "uploads")]),
        ("timeseries", "Expired jobs whose objects stand", "short", [("max(spanfleet_expiry_backlog)", "jobs")]),
        ("timeseries", "Orphans deleted a second", "ops", [(total("spanfleet_orphans_deleted_total", "kind"), "{{kind}}")]),
    ]),
    "broker": ("Spanfleet: outbox and broker", [
        ("stat", "Processes whose publishing is blocked", "short", [("sum(spanfleet_broker_blocked)", "blocked")]),
        ("stat", "Oldest hint in the outbox", "s", [("max(spanfleet_outbox_oldest_seconds)", "age")]),
        ("stat", "Hints in the outbox", "short", [("max(spanfleet_outbox_unpublished)", "unpublished")]),
        ("timeseries", "Outbox", "short", [("max(spanfleet_outbox_unpublished)", "unpublished")]),
        ("timeseries", "Age of the oldest hint", "s", [("max(spanfleet_outbox_oldest_seconds)", "outbox"),
                                                      ("max(spanfleet_queue_lag_seconds)", "queue lag")]),
        ("timeseries", "Time of a confirm", "s", quantiles(CONFIRM)),
        ("timeseries", "Hints published a second", "ops", [(total(f"{CONFIRM}_count"), "confirmed")]),
        ("timeseries", "Returned hints a second", "ops", [(total("spanfleet_publish_returned_total"), "returned")]),
        ("timeseries", "Connections rebuilt a second", "ops", [(total("spanfleet_broker_reconnects_total"), "rebuilt")]),
    ]),
}


def panel(number, kind, title, unit, queries):
    targets = [{"refId": chr(ord("A") + place), "datasource": SOURCE, "expr": query, "legendFormat": legend}
               for place, (query, legend) in enumerate(queries)]
    per_row = 24 // WIDTH
    grid = {"w": WIDTH, "h": HEIGHT, "x": number % per_row * WIDTH, "y": number // per_row * HEIGHT}
    defaults = {"unit": unit, "min": 0}
    return {"id": number + 1, "type": kind, "title": title, "datasource": SOURCE, "gridPos": grid,
            "fieldConfig": {"defaults": defaults, "overrides": []}, "targets": targets}


def dashboard(name, title, panels):
    source = {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"}
    return {"uid": f"spanfleet-{name}", "title": title, "tags": ["spanfleet"], "timezone": "browser",
            "schemaVersion": 39, "version": 1, "editable": False, "refresh": "30s",
            "time": {"from": "now-6h", "to": "now"}, "templating": {"list": [source]},
            "links": [{"type": "dashboards", "title": "Spanfleet", "tags": ["spanfleet"], "asDropdown": True}],
            "panels": [panel(number, *parts) for number, parts in enumerate(panels)]}


def written():
    """Every file's name and text."""
    for name, (title, panels) in DASHBOARDS.items():
        yield HERE / f"{name}.json", json.dumps(dashboard(name, title, panels), indent=1) + "\n"


def main():
    stale = [(path, text) for path, text in written() if not path.exists() or path.read_text() != text]
    if "--check" in sys.argv:
        names = ", ".join(path.name for path, _ in stale)
        sys.exit(f"stale: {names}; run deploy/grafana/dashboards.py" if stale else 0)
    for path, text in stale:
        path.write_text(text)


if __name__ == "__main__":
    main()
