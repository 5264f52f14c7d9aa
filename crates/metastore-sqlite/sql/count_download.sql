UPDATE export_jobs SET download_count = download_count + 1
WHERE job_uuid = $1 AND phase = 'succeeded' AND expires_at > strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
RETURNING id
