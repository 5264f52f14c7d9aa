DELETE FROM outbox WHERE partition_id IN (SELECT id FROM export_partitions WHERE job_id = $1)
