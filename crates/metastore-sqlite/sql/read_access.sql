-- One row when the project exists and the user may use it.
SELECT p.id FROM projects p
WHERE p.id = $1 AND ($3 OR EXISTS (SELECT 1 FROM project_members m WHERE m.project_id = p.id AND m.user_id = $2))
