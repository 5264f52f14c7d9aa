SELECT id FROM export_jobs
WHERE requested_by = $1 AND (job_uuid = $2 OR idempotency_key = $3)
ORDER BY id LIMIT 1
