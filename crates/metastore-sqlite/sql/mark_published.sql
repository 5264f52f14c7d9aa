UPDATE outbox SET published_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), taken_until = COALESCE(taken_until, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
WHERE id IN (SELECT value FROM json_each($1))
