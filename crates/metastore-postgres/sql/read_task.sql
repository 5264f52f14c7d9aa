SELECT kind, number, bounds, state, fence, attempts, crashes, lease_owner,
    next_attempt_at <= now() AS is_due,
    COALESCE(lease_until <= now(), FALSE) AS is_lease_over
FROM export_partitions WHERE id = $1
