-- Every attempt has a fence of its own, counted from 1.
UPDATE export_jobs SET swept_at = now() WHERE job_uuid = $1::uuid AND swept_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM export_partitions p WHERE p.job_id = export_jobs.id AND p.fence > 1)
