-- Tasks of closed jobs stay leased: nothing can become of them, and the job's end does not depend on them.
SELECT p.id FROM export_partitions p JOIN export_jobs j ON j.id = p.job_id
WHERE p.state = 'leased' AND p.lease_until <= now() AND j.phase IN ('accepted', 'planning', 'running', 'finalizing')
ORDER BY p.lease_until LIMIT $1
