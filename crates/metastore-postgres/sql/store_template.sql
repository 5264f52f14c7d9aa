INSERT INTO ml_export_templates
    (template_name, framework, task_type, data_format, label_encoding, preprocessing_steps,
        validation_schema, framework_config, example_usage, is_active, created_by)
VALUES ($1, $2, $3, $4::jsonb, $5::jsonb, $6::jsonb, $7::jsonb, $8::jsonb, $9, $10, $11)
ON CONFLICT (template_name, framework, task_type) DO UPDATE SET
    data_format = excluded.data_format,
    label_encoding = excluded.label_encoding,
    preprocessing_steps = excluded.preprocessing_steps,
    validation_schema = excluded.validation_schema,
    framework_config = excluded.framework_config,
    example_usage = excluded.example_usage,
    is_active = excluded.is_active,
    updated_at = now()
