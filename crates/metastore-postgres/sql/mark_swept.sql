UPDATE export_jobs SET swept_at = now() WHERE job_uuid = $1::uuid AND swept_at IS NULL
