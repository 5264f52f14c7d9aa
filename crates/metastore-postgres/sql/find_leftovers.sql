-- Not while a worker may still be writing.
SELECT j.id FROM export_jobs j
WHERE j.swept_at IS NULL AND j.phase IN ('succeeded', 'cancelled') AND NOT EXISTS (
        SELECT 1 FROM export_partitions p
        WHERE p.job_id = j.id AND p.state = 'leased' AND p.lease_until > now()
    )
ORDER BY j.id LIMIT $1
