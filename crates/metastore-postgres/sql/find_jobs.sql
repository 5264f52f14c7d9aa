SELECT id FROM export_jobs
WHERE ($1 IS NULL OR requested_by = $1)
    AND ($2 IS NULL OR project_id = $2)
    AND ($3 IS NULL OR status = $3)
    AND ($4 IS NULL OR id < $4)
ORDER BY id DESC LIMIT $5
