-- What no index of ours lets happen, unless somebody changed the tables: a key with two jobs, a stranger's download.
SELECT 'I9' AS invariant, j.job_uuid FROM export_downloads d
JOIN export_jobs j ON j.id = d.job_id JOIN users u ON u.id = d.user_id
WHERE d.user_id <> j.requested_by AND NOT u.is_admin
UNION
SELECT 'I10', j.job_uuid FROM export_jobs j
WHERE j.idempotency_key IS NOT NULL AND EXISTS (
        SELECT 1 FROM export_jobs k
        WHERE k.requested_by = j.requested_by AND k.idempotency_key = j.idempotency_key AND k.id < j.id
    )
LIMIT $1
