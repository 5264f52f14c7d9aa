INSERT INTO outbox (partition_id, user_id, due_at)
SELECT id, $2, next_attempt_at FROM export_partitions WHERE id = $1 AND state = 'ready'
ON CONFLICT (partition_id) DO UPDATE SET due_at = excluded.due_at, taken_until = NULL, published_at = NULL
