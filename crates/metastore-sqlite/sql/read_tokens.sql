SELECT t.id, u.name AS owner, t.created_at, t.expires_at, t.revoked_at
FROM api_tokens t JOIN users u ON u.id = t.user_id
ORDER BY t.id
