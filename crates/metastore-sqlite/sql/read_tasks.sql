-- What `fsck` and the collection of orphans judge by.
SELECT p.id, p.kind, p.number, p.state, p.fence, p.attempts, p.crashes,
    p.next_attempt_at <= strftime('%Y-%m-%dT%H:%M:%fZ', 'now') AS is_due,
    COALESCE(p.lease_until <= strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), FALSE) AS is_lease_over,
    o.id IS NOT NULL AS has_hint,
    COALESCE((SELECT max(a.fence) FROM export_attempts a WHERE a.partition_id = p.id), 0) AS latest_attempt,
    CASE WHEN p.kind = 'encode' AND p.state = 'done' THEN p.report END AS report
FROM export_partitions p LEFT JOIN outbox o ON o.partition_id = p.id
WHERE p.job_id = $1 AND p.id > $2
ORDER BY p.id LIMIT $3
