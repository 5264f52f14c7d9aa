SELECT j.id, j.job_uuid, j.project_id, j.requested_by, j.export_format_id, f.format_name, f.format_type, j.export_parameters,
    j.options, j.filter_criteria, j.include_metadata, j.include_relations, j.include_hierarchies, j.phase,
    j.parts_total, j.parts_done, j.parts_failed, j.progress_percentage, j.error_message, j.output_file_path,
    j.output_file_size, j.output_format_version, j.compression_used, j.download_count, j.expires_at,
    j.completed_at, j.processing_time_ms, j.created_at, j.updated_at, j.as_of, j.schema, j.files, j.traceparent, j.summary
FROM export_jobs j JOIN export_formats f ON f.id = j.export_format_id
WHERE j.id IN (SELECT value::bigint FROM json_array_elements_text($1::json))
ORDER BY j.id DESC
