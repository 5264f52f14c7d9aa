-- Where the trace of a hint's job goes on (W3C `traceparent`); NULL where nobody traces, or an older version wrote it.
ALTER TABLE outbox ADD COLUMN traceparent TEXT;
