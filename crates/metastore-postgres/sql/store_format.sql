INSERT INTO export_formats
    (format_name, format_type, format_schema, transformation_rules, output_structure, is_ml_ready,
        supports_streaming, compression_options, file_extensions, metadata)
VALUES ($1, $2, $3::jsonb, $4::jsonb, $5::jsonb, $6, $7, $8::jsonb, ARRAY(SELECT
    json_array_elements_text($9::json)), $10::jsonb)
ON CONFLICT (format_name) DO UPDATE SET
    format_type = excluded.format_type,
    format_schema = excluded.format_schema,
    transformation_rules = excluded.transformation_rules,
    output_structure = excluded.output_structure,
    is_ml_ready = excluded.is_ml_ready,
    supports_streaming = excluded.supports_streaming,
    compression_options = excluded.compression_options,
    file_extensions = excluded.file_extensions,
    metadata = excluded.metadata,
    updated_at = now()
