INSERT INTO export_attempts (partition_id, fence, key_prefix) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
