-- No row comes back when the public id or the idempotency key is taken.
INSERT INTO export_jobs
    (job_uuid, project_id, requested_by, export_format_id, export_parameters, options, filter_criteria,
    include_metadata, include_relations, include_hierarchies, expires_at, idempotency_key, traceparent,
    webhook_url)
VALUES ($1::uuid, $2, $3, $4, $5::jsonb, $6::json, $7::jsonb, $8, $9, $10,
    now() + make_interval(secs => $11), $12, $13, $14)
ON CONFLICT DO NOTHING
RETURNING id
