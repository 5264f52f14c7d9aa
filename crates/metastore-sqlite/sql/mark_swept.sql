UPDATE export_jobs SET swept_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now') WHERE job_uuid = $1 AND swept_at IS NULL
