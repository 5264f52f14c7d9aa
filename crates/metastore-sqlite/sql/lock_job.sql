-- The job by its number, or of a task. The transaction is the only writer, hence no lock.
SELECT id, requested_by, phase, parts_total, parts_done, parts_failed
FROM export_jobs
WHERE id = COALESCE($1, (SELECT job_id FROM export_partitions WHERE id = $2))
