-- The holder says that it writes nothing more; its job is closed, so the task stays as it is.
UPDATE export_partitions SET lease_until = now() WHERE id = $1 AND fence = $2 AND state = 'leased'
