-- Counts a try and puts the next one off, so that two dispatchers do not call at once.
UPDATE export_jobs SET
    webhook_attempts = webhook_attempts + 1,
    webhook_due_at = now() + make_interval(secs => least(3600, 5 << least(webhook_attempts, 10)))
WHERE id IN (
    SELECT id FROM export_jobs
    WHERE webhook_url IS NOT NULL AND ended_at IS NOT NULL
        AND (webhook_done_at IS NULL OR webhook_done_at < ended_at)
        AND (webhook_due_at IS NULL OR webhook_due_at <= now())
    ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED
)
RETURNING id, webhook_url, webhook_attempts
