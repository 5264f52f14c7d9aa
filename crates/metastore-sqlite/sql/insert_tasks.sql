-- Tasks with their hints, in order.
INSERT INTO export_partitions (job_id, kind, number, bounds)
SELECT $1, $2, key, value FROM json_each($3)
ORDER BY key;
INSERT INTO outbox (partition_id, user_id, due_at, traceparent)
SELECT p.id, j.requested_by, p.next_attempt_at, j.traceparent
FROM export_partitions p JOIN export_jobs j ON j.id = p.job_id
WHERE p.job_id = $1 AND p.kind = $2
ORDER BY p.id
