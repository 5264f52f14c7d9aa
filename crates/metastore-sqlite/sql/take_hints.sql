-- $1 hints at most, $2 out per user at most. A hint is out while a relay is sending it, and from then on until
-- its task is claimed (the claim deletes it).
WITH shares AS (
    SELECT user_id, count(*) AS hints_out FROM outbox
    WHERE taken_until IS NOT NULL AND (published_at IS NOT NULL OR taken_until > strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
    GROUP BY user_id
),
candidates AS (
    SELECT o.id,
        COALESCE(s.hints_out, 0) + row_number() OVER (PARTITION BY o.user_id ORDER BY o.due_at, o.id) AS turn
    FROM outbox o LEFT JOIN shares s ON s.user_id = o.user_id
    WHERE o.published_at IS NULL AND o.due_at <= strftime('%Y-%m-%dT%H:%M:%fZ', 'now') AND (o.taken_until IS NULL OR o.taken_until <= strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
)
UPDATE outbox SET taken_until = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '30 seconds')
WHERE id IN (SELECT id FROM candidates WHERE turn <= $2 ORDER BY turn, id LIMIT $1)
RETURNING id, partition_id, traceparent
