-- Exports: the specification's three tables, and what the protocol needs beside them, on the laptop.
--
-- Times are RFC 3339 text in UTC with three decimals, so that they compare as text. JSON is text.

CREATE TABLE export_formats (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    format_name TEXT NOT NULL UNIQUE,
    format_type TEXT NOT NULL CHECK (format_type IN ('json', 'xml', 'csv', 'conll', 'brat', 'spacy', 'transformers', 'jsonl', 'tfrecord', 'arrow')),
    format_schema TEXT NOT NULL,
    transformation_rules TEXT NOT NULL DEFAULT '{}',
    output_structure TEXT NOT NULL DEFAULT '{}',
    is_ml_ready INTEGER NOT NULL DEFAULT 0,
    supports_streaming INTEGER NOT NULL DEFAULT 0,
    compression_options TEXT NOT NULL DEFAULT '{}',
    file_extensions TEXT NOT NULL DEFAULT '[]',
    metadata TEXT NOT NULL DEFAULT '{}',
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    updated_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),

    CONSTRAINT valid_format_schema CHECK (json_type(format_schema) = 'object')
);

CREATE TABLE export_jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    job_uuid TEXT NOT NULL UNIQUE DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-8' || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
    project_id INTEGER NOT NULL REFERENCES projects(id) ON DELETE CASCADE,
    requested_by INTEGER NOT NULL REFERENCES users(id),
    export_format_id INTEGER NOT NULL REFERENCES export_formats(id),

    export_parameters TEXT NOT NULL DEFAULT '{}',
    filter_criteria TEXT NOT NULL DEFAULT '{}',
    include_metadata INTEGER NOT NULL DEFAULT 1,
    include_relations INTEGER NOT NULL DEFAULT 0,
    include_hierarchies INTEGER NOT NULL DEFAULT 0,

    status TEXT NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'processing', 'completed', 'failed', 'expired', 'cancelled')),
    progress_percentage REAL NOT NULL DEFAULT 0.0 CHECK (progress_percentage BETWEEN 0 AND 100),
    error_message TEXT,

    output_file_path TEXT,
    output_file_size INTEGER,
    output_format_version TEXT,
    compression_used TEXT,
    download_count INTEGER NOT NULL DEFAULT 0,

    expires_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+7 days')),
    completed_at TEXT,
    processing_time_ms INTEGER,

    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    updated_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),

    -- The protocol's columns.
    phase TEXT NOT NULL DEFAULT 'accepted',
    options TEXT NOT NULL DEFAULT '{}', -- parameters of format, template and job, merged
    idempotency_key TEXT,
    traceparent TEXT,
    parts_total INTEGER NOT NULL DEFAULT 0,
    parts_done INTEGER NOT NULL DEFAULT 0 CHECK (parts_done >= 0),
    parts_failed INTEGER NOT NULL DEFAULT 0 CHECK (parts_failed >= 0),
    schema TEXT NOT NULL DEFAULT '{"labels":[],"relation_types":[]}', -- labels found by the planner
    as_of TEXT, -- when the selection was taken, as the planner said it
    final_fence INTEGER, -- the fence under which the manifest was written
    files TEXT NOT NULL DEFAULT '[]',
    summary TEXT,
    ended_at TEXT, -- when it came to succeeded, cancelled or failed
    swept_at TEXT, -- when its leftovers were removed

    CONSTRAINT parts_add_up CHECK (parts_done + parts_failed <= parts_total),
    -- Also the list of phases: for any other word the CASE is NULL, which no status is.
    CONSTRAINT status_follows_phase CHECK (status IS CASE phase
        WHEN 'accepted' THEN 'pending'
        WHEN 'planning' THEN 'processing'
        WHEN 'running' THEN 'processing'
        WHEN 'finalizing' THEN 'processing'
        WHEN 'succeeded' THEN 'completed'
        WHEN 'expiring' THEN 'expired'
        WHEN 'expired' THEN 'expired'
        WHEN 'cancelled' THEN 'cancelled'
        WHEN 'failed' THEN 'failed' END),
    CONSTRAINT success_is_whole CHECK (phase <> 'succeeded' OR (parts_done = parts_total AND final_fence IS NOT NULL AND completed_at IS NOT NULL))
);

CREATE TABLE ml_export_templates (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    template_name TEXT NOT NULL,
    framework TEXT NOT NULL CHECK (framework IN ('pytorch', 'tensorflow', 'huggingface', 'spacy', 'scikit_learn', 'custom')),
    task_type TEXT NOT NULL CHECK (task_type IN ('token_classification', 'sequence_classification', 'relation_extraction', 'question_answering', 'language_modeling')),

    data_format TEXT NOT NULL,
    label_encoding TEXT NOT NULL DEFAULT '{}',
    preprocessing_steps TEXT NOT NULL DEFAULT '[]',
    validation_schema TEXT NOT NULL DEFAULT '{}',

    framework_config TEXT NOT NULL DEFAULT '{}',
    example_usage TEXT,

    is_active INTEGER NOT NULL DEFAULT 1,
    usage_count INTEGER NOT NULL DEFAULT 0,
    created_by INTEGER NOT NULL REFERENCES users(id),
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    updated_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),

    CONSTRAINT unique_template_per_framework_task UNIQUE (template_name, framework, task_type)
);

CREATE INDEX idx_export_jobs_status ON export_jobs(status);
CREATE INDEX idx_export_jobs_project ON export_jobs(project_id);
CREATE INDEX idx_export_jobs_expires_at ON export_jobs(expires_at);
CREATE INDEX idx_ml_export_templates_framework ON ml_export_templates(framework);
CREATE INDEX idx_ml_export_templates_task_type ON ml_export_templates(task_type);

-- One key, one job.
CREATE UNIQUE INDEX idx_export_jobs_idempotency ON export_jobs(requested_by, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX idx_export_jobs_requested_by ON export_jobs(requested_by, id);
-- These four stay small however many jobs have been: the sweeper and the gauges read them all the time.
CREATE INDEX idx_export_jobs_open ON export_jobs(id) WHERE phase IN ('accepted', 'planning', 'running', 'finalizing');
CREATE INDEX idx_export_jobs_expirable ON export_jobs(expires_at) WHERE phase IN ('succeeded', 'cancelled', 'failed');
CREATE INDEX idx_export_jobs_expiring ON export_jobs(id) WHERE phase = 'expiring';
CREATE INDEX idx_export_jobs_unswept ON export_jobs(id) WHERE swept_at IS NULL AND phase IN ('succeeded', 'cancelled');

-- The tasks of a job: one plan, its partitions, one finalize.
CREATE TABLE export_partitions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id INTEGER NOT NULL REFERENCES export_jobs(id) ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('plan', 'encode', 'finalize')),
    number INTEGER NOT NULL CHECK (number >= 0),
    bounds TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL DEFAULT 'ready' CHECK (state IN ('ready', 'leased', 'done', 'failed')),
    fence INTEGER NOT NULL DEFAULT 0 CHECK (fence >= 0), -- how often it was claimed; never goes back
    attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0), -- failures; an operator may reset them
    crashes INTEGER NOT NULL DEFAULT 0 CHECK (crashes >= 0),
    lease_owner TEXT,
    lease_until TEXT,
    next_attempt_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    last_error TEXT,
    last_error_class TEXT CHECK (last_error_class IN ('transient', 'throttled', 'poison', 'configuration', 'crash')),
    report TEXT, -- objects, counts and losses of a finished partition
    bytes INTEGER CHECK (bytes >= 0),
    texts INTEGER CHECK (texts >= 0),
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    claimed_at TEXT,
    ended_at TEXT,

    UNIQUE (job_id, kind, number),
    CONSTRAINT only_partitions_are_many CHECK (kind = 'encode' OR number = 0),
    CONSTRAINT lease_belongs_to_state CHECK ((state = 'leased') = (lease_until IS NOT NULL)),
    CONSTRAINT done_has_report CHECK (state <> 'done' OR kind <> 'encode' OR report IS NOT NULL),
    CONSTRAINT held_was_claimed CHECK (state NOT IN ('leased', 'done') OR fence > 0)
);
CREATE INDEX idx_export_partitions_leased ON export_partitions(lease_until) WHERE state = 'leased';
CREATE INDEX idx_export_partitions_ready ON export_partitions(job_id, next_attempt_at) WHERE state = 'ready';
CREATE INDEX idx_export_partitions_held ON export_partitions(job_id) WHERE state = 'leased';
CREATE INDEX idx_export_partitions_failed ON export_partitions(job_id, number) WHERE state = 'failed';

-- Every try, written before its first byte goes to storage.
CREATE TABLE export_attempts (
    partition_id INTEGER NOT NULL REFERENCES export_partitions(id) ON DELETE CASCADE,
    fence INTEGER NOT NULL CHECK (fence > 0),
    key_prefix TEXT NOT NULL,
    outcome TEXT CHECK (outcome IN ('committed', 'released', 'failed', 'lost')), -- NULL: may still commit
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    PRIMARY KEY (partition_id, fence)
);

-- The hint of every task that waits for a worker: made with the task, gone when it is claimed.
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    partition_id INTEGER NOT NULL UNIQUE REFERENCES export_partitions(id) ON DELETE CASCADE,
    user_id INTEGER NOT NULL REFERENCES users(id),
    due_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    taken_until TEXT, -- a relay is sending it
    published_at TEXT -- the queue has it
);
CREATE INDEX idx_outbox_unpublished ON outbox(user_id, due_at, id) WHERE published_at IS NULL;
CREATE INDEX idx_outbox_taken ON outbox(user_id) WHERE taken_until IS NOT NULL;
CREATE INDEX idx_outbox_published ON outbox(published_at) WHERE published_at IS NOT NULL;

CREATE TABLE export_downloads (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id INTEGER NOT NULL REFERENCES export_jobs(id) ON DELETE CASCADE,
    user_id INTEGER NOT NULL REFERENCES users(id),
    path TEXT NOT NULL,
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);
CREATE INDEX idx_export_downloads_job ON export_downloads(job_id, id);

-- Tokens by their hash (SHA-256 in hex); the token itself is kept nowhere.
CREATE TABLE api_tokens (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    token_hash TEXT NOT NULL UNIQUE,
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    expires_at TEXT,
    revoked_at TEXT
);
