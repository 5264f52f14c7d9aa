-- The project of an id or a name, when the user may use it.
SELECT p.id FROM projects p
WHERE (p.id = $1 OR p.name = $2)
    AND ($4 OR EXISTS (SELECT 1 FROM project_members m WHERE m.project_id = p.id AND m.user_id = $3))
