-- Counts a try and puts the next one off, so that two dispatchers do not call at once.
UPDATE export_jobs SET
    webhook_attempts = webhook_attempts + 1,
    webhook_due_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', min(3600, 5 << min(webhook_attempts, 10)) || ' seconds')
WHERE id IN (
    SELECT id FROM export_jobs
    WHERE webhook_url IS NOT NULL AND ended_at IS NOT NULL
        AND (webhook_done_at IS NULL OR webhook_done_at < ended_at)
        AND (webhook_due_at IS NULL OR webhook_due_at <= strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
    ORDER BY id LIMIT $1
)
RETURNING id, webhook_url, webhook_attempts
