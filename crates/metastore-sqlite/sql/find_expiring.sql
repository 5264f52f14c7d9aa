-- Not while a worker may still be writing: what it writes after the deletion would stay for ever.
SELECT j.id FROM export_jobs j
WHERE j.phase = 'expiring' AND NOT EXISTS (
        SELECT 1 FROM export_partitions p
        WHERE p.job_id = j.id AND p.state = 'leased' AND p.lease_until > strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
    )
ORDER BY j.id LIMIT $1
