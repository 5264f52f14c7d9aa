SELECT id, format_name, format_type, format_schema, transformation_rules, output_structure, is_ml_ready,
    supports_streaming, compression_options, file_extensions AS file_extensions, metadata
FROM export_formats
WHERE ($1 IS NULL OR id = $1) AND ($2 IS NULL OR format_name = $2)
ORDER BY id
