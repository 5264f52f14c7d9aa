UPDATE api_tokens SET revoked_at = now()
WHERE id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
