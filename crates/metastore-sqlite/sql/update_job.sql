UPDATE export_jobs SET
    phase = $3,
    status = $4,
    parts_total = $5,
    parts_done = $6,
    parts_failed = $7,
    progress_percentage = COALESCE($8, progress_percentage),
    error_message = CASE
        WHEN $3 = 'failed' THEN COALESCE($9, error_message)
        WHEN $3 IN ('expiring', 'expired') THEN error_message END,
    completed_at = CASE WHEN $3 = 'succeeded' THEN strftime('%Y-%m-%dT%H:%M:%fZ', 'now') ELSE completed_at END,
    processing_time_ms = CASE WHEN $3 = 'succeeded'
        THEN CAST(min(round((julianday('now') - julianday(created_at)) * 86400000), 2147483647) AS INTEGER)
        ELSE processing_time_ms END,
    ended_at = CASE
        WHEN $3 IN ('succeeded', 'cancelled', 'failed') THEN strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
        WHEN $3 IN ('expiring', 'expired') THEN ended_at END,
    updated_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
WHERE id = $1 AND phase = $2
