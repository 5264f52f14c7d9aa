SELECT id, template_name, framework, task_type, data_format, label_encoding, preprocessing_steps,
    validation_schema, framework_config, example_usage, is_active, usage_count
FROM ml_export_templates
WHERE is_active AND ($1 IS NULL OR framework = $1) AND ($2 IS NULL OR task_type = $2)
ORDER BY id
