-- Locked in the order in which the sweeper renews hints, so that the two can't wait for each other.
WITH doomed AS (
    SELECT o.id FROM outbox o JOIN export_partitions p ON p.id = o.partition_id
    WHERE p.job_id = $1 ORDER BY o.partition_id FOR UPDATE OF o
)
DELETE FROM outbox USING doomed WHERE outbox.id = doomed.id
