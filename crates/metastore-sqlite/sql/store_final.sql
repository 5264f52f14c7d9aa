UPDATE export_jobs SET
    final_fence = $2,
    files = $3,
    output_file_path = $4,
    output_file_size = $5,
    output_format_version = $6,
    compression_used = $7,
    summary = $8
WHERE id = $1
