INSERT INTO users (name, is_admin) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET is_admin = users.is_admin OR excluded.is_admin
RETURNING id
