INSERT INTO export_partitions (job_id, kind, number, bounds)
SELECT $1, $2, ordinality - 1, value FROM json_array_elements_text($3::json) WITH ORDINALITY
ORDER BY ordinality
