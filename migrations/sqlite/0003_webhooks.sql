-- Who is told when a job ends. Derived from the job itself: no row can be lost between the two.
ALTER TABLE export_jobs ADD COLUMN webhook_url TEXT;
ALTER TABLE export_jobs ADD COLUMN webhook_attempts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE export_jobs ADD COLUMN webhook_due_at TEXT; -- NULL: not tried yet
ALTER TABLE export_jobs ADD COLUMN webhook_done_at TEXT; -- told, or given up; older than ended_at after a retry
CREATE INDEX idx_export_jobs_webhook ON export_jobs(id) WHERE webhook_url IS NOT NULL;
