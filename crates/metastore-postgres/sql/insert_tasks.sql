-- Tasks with their hints, in order.
WITH task AS (
    INSERT INTO export_partitions (job_id, kind, number, bounds)
    SELECT $1, $2, ordinality - 1, value FROM json_array_elements_text($3::json) WITH ORDINALITY
    ORDER BY ordinality
    RETURNING id, next_attempt_at
)
INSERT INTO outbox (partition_id, user_id, due_at, traceparent)
SELECT task.id, j.requested_by, task.next_attempt_at, j.traceparent
FROM task JOIN export_jobs j ON j.id = $1
ORDER BY task.id
