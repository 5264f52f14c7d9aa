-- Waiting tasks whose hint was published long ago, hence perhaps lost, or that have none at all.
INSERT INTO outbox (partition_id, user_id, traceparent)
SELECT p.id, j.requested_by, j.traceparent
FROM export_jobs j
JOIN export_partitions p ON p.job_id = j.id AND p.state = 'ready' AND p.next_attempt_at <= strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
LEFT JOIN outbox o ON o.partition_id = p.id
WHERE j.phase IN ('accepted', 'planning', 'running', 'finalizing') AND (o.id IS NULL OR o.published_at <= strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-' || $2 || ' seconds'))
ORDER BY p.id LIMIT $1
ON CONFLICT (partition_id) DO UPDATE SET due_at = excluded.due_at, taken_until = NULL, published_at = NULL
