UPDATE export_jobs SET webhook_done_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), webhook_attempts = 0, webhook_due_at = NULL WHERE id = $1
