-- The update that changes nothing makes RETURNING answer for a project that exists.
INSERT INTO projects (name) VALUES ($1)
ON CONFLICT (name) DO UPDATE SET name = excluded.name
RETURNING id, name
