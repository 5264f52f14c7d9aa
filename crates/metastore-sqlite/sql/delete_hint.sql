DELETE FROM outbox WHERE partition_id = $1
