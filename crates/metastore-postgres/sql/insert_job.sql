-- The job as `read_jobs` shows it; no row comes back when the public id or the idempotency key is taken.
INSERT INTO export_jobs
    (job_uuid, project_id, requested_by, export_format_id, export_parameters, options, filter_criteria,
    include_metadata, include_relations, include_hierarchies, expires_at, idempotency_key, traceparent,
    webhook_url)
VALUES ($1::uuid, $2, $3, $4, $5::jsonb, $6::json, $7::jsonb, $8, $9, $10,
    now() + make_interval(secs => $11), $12, $13, $14)
ON CONFLICT DO NOTHING
RETURNING id, job_uuid, project_id, requested_by, export_format_id,
    (SELECT format_name FROM export_formats f WHERE f.id = export_format_id) AS format_name,
    (SELECT format_type FROM export_formats f WHERE f.id = export_format_id) AS format_type, export_parameters,
    options, filter_criteria, include_metadata, include_relations, include_hierarchies, phase,
    parts_total, parts_done, parts_failed, progress_percentage, error_message, output_file_path,
    output_file_size, output_format_version, compression_used, download_count, expires_at,
    completed_at, processing_time_ms, created_at, updated_at, as_of, schema, files, traceparent, summary
