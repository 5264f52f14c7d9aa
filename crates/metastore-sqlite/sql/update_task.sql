UPDATE export_partitions SET
    state = $4,
    claimed_at = CASE WHEN $5 > fence THEN strftime('%Y-%m-%dT%H:%M:%fZ', 'now') ELSE claimed_at END,
    fence = $5,
    attempts = $6,
    crashes = $7,
    lease_owner = CASE WHEN $4 = 'leased' THEN COALESCE($8, lease_owner) END,
    lease_until = CASE WHEN $4 = 'leased' THEN strftime('%Y-%m-%dT%H:%M:%fZ', 'now', $9 || ' seconds') END,
    next_attempt_at = COALESCE(strftime('%Y-%m-%dT%H:%M:%fZ', 'now', $10 || ' seconds'), next_attempt_at),
    last_error = COALESCE($11, last_error),
    last_error_class = COALESCE($12, last_error_class),
    report = COALESCE($13, report),
    bytes = COALESCE($14, bytes),
    texts = COALESCE($15, texts),
    ended_at = CASE WHEN $4 IN ('done', 'failed') THEN strftime('%Y-%m-%dT%H:%M:%fZ', 'now') END
WHERE id = $1 AND fence = $2 AND state = $3
