UPDATE export_attempts SET outcome = $3 WHERE partition_id = $1 AND fence = $2 AND outcome IS NULL
