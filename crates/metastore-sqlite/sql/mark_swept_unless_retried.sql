-- Every attempt has a fence of its own, counted from 1.
UPDATE export_jobs SET swept_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now') WHERE job_uuid = $1 AND swept_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM export_partitions p WHERE p.job_id = export_jobs.id AND p.fence > 1)
