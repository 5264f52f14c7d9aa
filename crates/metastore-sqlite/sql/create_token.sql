INSERT INTO api_tokens (user_id, token_hash, expires_at) VALUES ($1, $2, strftime('%Y-%m-%dT%H:%M:%fZ', 'now', $3 || ' seconds')) RETURNING id
