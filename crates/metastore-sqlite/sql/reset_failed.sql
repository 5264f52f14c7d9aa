-- The fence stays: it never goes back.
UPDATE export_partitions
SET state = 'ready', attempts = 0, crashes = 0, next_attempt_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), ended_at = NULL
WHERE job_id = $1 AND state = 'failed'
