SELECT number, report FROM export_partitions
WHERE job_id = $1 AND kind = 'encode' AND state = 'done' AND number >= $2
ORDER BY number LIMIT $3
