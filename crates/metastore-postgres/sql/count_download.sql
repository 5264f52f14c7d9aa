UPDATE export_jobs SET download_count = download_count + 1
WHERE job_uuid = $1::uuid AND phase = 'succeeded' AND expires_at > now()
RETURNING id
