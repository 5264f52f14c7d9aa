INSERT INTO export_partitions (job_id, kind, number, bounds)
SELECT $1, $2, key, value FROM json_each($3)
ORDER BY key
