INSERT INTO export_downloads (job_id, user_id, path) VALUES ($1, $2, $3)
