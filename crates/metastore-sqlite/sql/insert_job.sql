-- No row comes back when the public id or the idempotency key is taken.
INSERT INTO export_jobs
    (job_uuid, project_id, requested_by, export_format_id, export_parameters, options, filter_criteria,
    include_metadata, include_relations, include_hierarchies, expires_at, idempotency_key, traceparent,
    webhook_url)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10,
    strftime('%Y-%m-%dT%H:%M:%fZ', 'now', $11 || ' seconds'), $12, $13, $14)
ON CONFLICT DO NOTHING
RETURNING id
