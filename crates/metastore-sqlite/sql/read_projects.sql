SELECT id, name FROM projects WHERE $1 IS NULL OR name = $1 ORDER BY id
