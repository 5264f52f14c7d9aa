INSERT INTO project_members (user_id, project_id) VALUES ($1, $2) ON CONFLICT DO NOTHING
