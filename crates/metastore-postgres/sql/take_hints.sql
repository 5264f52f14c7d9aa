-- $1 hints at most, $2 out per user at most. A hint is out while a relay is sending it, and from then on until
-- its task is claimed (the claim deletes it). Two relays at once may exceed a user's share by what both take.
WITH RECURSIVE waiting_users (user_id) AS ( -- one index probe per user, however many hints wait
    (SELECT user_id FROM outbox WHERE published_at IS NULL ORDER BY user_id LIMIT 1)
    UNION ALL
    SELECT (SELECT o.user_id FROM outbox o WHERE o.published_at IS NULL AND o.user_id > w.user_id ORDER BY o.user_id LIMIT 1)
    FROM waiting_users w WHERE w.user_id IS NOT NULL
),
shares AS MATERIALIZED ( -- counted once for each user, not for each hint
    SELECT w.user_id, (
        SELECT count(*) FROM outbox o
        WHERE o.user_id = w.user_id AND o.taken_until IS NOT NULL
            AND (o.published_at IS NOT NULL OR o.taken_until > now())
    ) AS hints_out
    FROM waiting_users w WHERE w.user_id IS NOT NULL
),
candidates AS (
    SELECT c.id, s.hints_out + row_number() OVER (PARTITION BY s.user_id ORDER BY c.due_at, c.id) AS turn
    FROM shares s CROSS JOIN LATERAL (
        SELECT o.id, o.due_at FROM outbox o
        WHERE o.user_id = s.user_id AND o.published_at IS NULL AND o.due_at <= now()
            AND (o.taken_until IS NULL OR o.taken_until <= now())
        ORDER BY o.due_at, o.id
        LIMIT greatest($2 - s.hints_out, 0)
    ) c
),
chosen AS (
    SELECT id FROM candidates ORDER BY turn, id LIMIT $1
),
locked AS ( -- the conditions again: another relay may have been faster
    SELECT o.id FROM outbox o
    WHERE o.id IN (SELECT id FROM chosen) AND o.published_at IS NULL
        AND (o.taken_until IS NULL OR o.taken_until <= now())
    FOR UPDATE SKIP LOCKED
)
UPDATE outbox SET taken_until = now() + INTERVAL '30 seconds'
FROM locked WHERE outbox.id = locked.id
RETURNING outbox.id, outbox.partition_id, outbox.traceparent
