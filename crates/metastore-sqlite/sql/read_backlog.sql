-- A hint stands for a waiting task, and the heads count the finished ones: no scan over tasks.
SELECT
    (SELECT count(*) FROM export_jobs WHERE phase IN ('accepted', 'planning', 'running', 'finalizing')) AS jobs_open,
    (SELECT count(*) FROM outbox) AS ready,
    (SELECT count(*) FROM export_partitions p JOIN export_jobs j ON j.id = p.job_id
        WHERE p.state = 'leased' AND j.phase IN ('accepted', 'planning', 'running', 'finalizing')) AS leased,
    (SELECT COALESCE(sum(parts_done), 0) FROM export_jobs
        WHERE phase IN ('accepted', 'planning', 'running', 'finalizing') OR phase = 'failed') AS done,
    (SELECT count(*) FROM export_partitions p JOIN export_jobs j ON j.id = p.job_id
        WHERE p.state = 'failed' AND (j.phase IN ('accepted', 'planning', 'running', 'finalizing') OR j.phase = 'failed')) AS failed,
    (SELECT COALESCE((julianday('now') - julianday(min(due_at))) * 86400, 0.0) FROM outbox WHERE due_at <= strftime('%Y-%m-%dT%H:%M:%fZ', 'now')) AS oldest_ready_seconds,
    (SELECT count(*) FROM outbox WHERE published_at IS NULL) AS outbox_unpublished,
    (SELECT COALESCE((julianday('now') - julianday(min(due_at))) * 86400, 0.0) FROM outbox
        WHERE published_at IS NULL AND due_at <= strftime('%Y-%m-%dT%H:%M:%fZ', 'now')) AS outbox_oldest_seconds,
    (SELECT count(*) FROM export_jobs
        WHERE phase IN ('succeeded', 'cancelled', 'failed') AND expires_at <= strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
        + (SELECT count(*) FROM export_jobs WHERE phase = 'expiring') AS expiry_backlog
