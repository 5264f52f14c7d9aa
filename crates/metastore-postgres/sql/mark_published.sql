-- A row that somebody holds is being claimed, hence about to go: never wait for it.
UPDATE outbox SET published_at = now(), taken_until = COALESCE(taken_until, now())
WHERE id IN (
    SELECT id FROM outbox WHERE id IN (SELECT value::bigint FROM json_array_elements_text($1::json)) ORDER BY id FOR UPDATE SKIP LOCKED
)
