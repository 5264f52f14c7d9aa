SELECT kind, number, last_error FROM export_partitions
WHERE job_id = $1 AND state = 'failed'
ORDER BY number, id LIMIT 1
