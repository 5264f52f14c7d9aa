SELECT id FROM export_jobs
WHERE phase IN ('succeeded', 'cancelled', 'failed') AND expires_at <= strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
ORDER BY expires_at LIMIT $1
