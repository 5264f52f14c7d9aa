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
    completed_at = CASE WHEN $3 = 'succeeded' THEN now() ELSE completed_at END,
    processing_time_ms = CASE WHEN $3 = 'succeeded'
        THEN LEAST(round(extract(epoch FROM now() - created_at) * 1000), 2147483647)
        ELSE processing_time_ms END,
    ended_at = CASE
        WHEN $3 IN ('succeeded', 'cancelled', 'failed') THEN now()
        WHEN $3 IN ('expiring', 'expired') THEN ended_at END,
    updated_at = now()
WHERE id = $1 AND phase = $2
