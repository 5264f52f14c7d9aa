INSERT INTO outbox (partition_id, user_id, due_at, traceparent)
SELECT p.id, $2, p.next_attempt_at, j.traceparent
FROM export_partitions p JOIN export_jobs j ON j.id = p.job_id
WHERE p.id = $1 AND p.state = 'ready'
ON CONFLICT (partition_id) DO UPDATE SET due_at = excluded.due_at, taken_until = NULL, published_at = NULL
