-- Exports: the specification's three tables, and what the protocol needs beside them.
--
-- The specification's JSON columns are JSONB as it has them; our own are JSON, which keeps the order of keys
-- (the order of `split` decides which text falls where).

CREATE TABLE export_formats (
    id SERIAL PRIMARY KEY,
    format_name VARCHAR(100) NOT NULL UNIQUE,
    format_type VARCHAR(50) NOT NULL CHECK (format_type IN ('json', 'xml', 'csv', 'conll', 'brat', 'spacy', 'transformers', 'jsonl', 'tfrecord', 'arrow')),
    format_schema JSONB NOT NULL,
    transformation_rules JSONB NOT NULL DEFAULT '{}',
    output_structure JSONB NOT NULL DEFAULT '{}',
    is_ml_ready BOOLEAN NOT NULL DEFAULT FALSE,
    supports_streaming BOOLEAN NOT NULL DEFAULT FALSE,
    compression_options JSONB NOT NULL DEFAULT '{}',
    file_extensions TEXT[] NOT NULL DEFAULT ARRAY[]::TEXT[],
    metadata JSONB NOT NULL DEFAULT '{}',
    created_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT valid_format_schema CHECK (jsonb_typeof(format_schema) = 'object')
);

CREATE TABLE export_jobs (
    id SERIAL PRIMARY KEY,
    job_uuid UUID NOT NULL DEFAULT gen_random_uuid() UNIQUE,
    project_id INTEGER NOT NULL REFERENCES projects(id) ON DELETE CASCADE,
    requested_by INTEGER NOT NULL REFERENCES users(id),
    export_format_id INTEGER NOT NULL REFERENCES export_formats(id),

    export_parameters JSONB NOT NULL DEFAULT '{}',
    filter_criteria JSONB NOT NULL DEFAULT '{}',
    include_metadata BOOLEAN NOT NULL DEFAULT TRUE,
    include_relations BOOLEAN NOT NULL DEFAULT FALSE,
    include_hierarchies BOOLEAN NOT NULL DEFAULT FALSE,

    status VARCHAR(20) NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'processing', 'completed', 'failed', 'expired', 'cancelled')),
    progress_percentage FLOAT NOT NULL DEFAULT 0.0 CHECK (progress_percentage BETWEEN 0 AND 100),
    error_message TEXT,

    output_file_path TEXT,
    output_file_size BIGINT,
    output_format_version VARCHAR(20),
    compression_used VARCHAR(20),
    download_count INTEGER NOT NULL DEFAULT 0,

    expires_at TIMESTAMPTZ NOT NULL DEFAULT (CURRENT_TIMESTAMP + INTERVAL '7 days'),
    completed_at TIMESTAMPTZ,
    processing_time_ms INTEGER,

    created_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

    -- The protocol's columns.
    phase TEXT NOT NULL DEFAULT 'accepted',
    options JSON NOT NULL DEFAULT '{}', -- parameters of format, template and job, merged
    idempotency_key TEXT,
    traceparent TEXT,
    parts_total INTEGER NOT NULL DEFAULT 0,
    parts_done INTEGER NOT NULL DEFAULT 0 CHECK (parts_done >= 0),
    parts_failed INTEGER NOT NULL DEFAULT 0 CHECK (parts_failed >= 0),
    schema JSON NOT NULL DEFAULT '{"labels":[],"relation_types":[]}', -- labels found by the planner
    as_of TIMESTAMPTZ, -- when the selection was taken
    final_fence BIGINT, -- the fence under which the manifest was written
    files JSON NOT NULL DEFAULT '[]',
    summary JSON,
    ended_at TIMESTAMPTZ, -- when it came to succeeded, cancelled or failed
    swept_at TIMESTAMPTZ, -- when its leftovers were removed

    CONSTRAINT parts_add_up CHECK (parts_done + parts_failed <= parts_total),
    -- Also the list of phases: for any other word the CASE is NULL, which no status is.
    CONSTRAINT status_follows_phase CHECK (status IS NOT DISTINCT FROM CASE phase
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
    id SERIAL PRIMARY KEY,
    template_name VARCHAR(100) NOT NULL,
    framework VARCHAR(50) NOT NULL CHECK (framework IN ('pytorch', 'tensorflow', 'huggingface', 'spacy', 'scikit_learn', 'custom')),
    task_type VARCHAR(50) NOT NULL CHECK (task_type IN ('token_classification', 'sequence_classification', 'relation_extraction', 'question_answering', 'language_modeling')),

    data_format JSONB NOT NULL,
    label_encoding JSONB NOT NULL DEFAULT '{}',
    preprocessing_steps JSONB NOT NULL DEFAULT '[]',
    validation_schema JSONB NOT NULL DEFAULT '{}',

    framework_config JSONB NOT NULL DEFAULT '{}',
    example_usage TEXT,

    is_active BOOLEAN NOT NULL DEFAULT TRUE,
    usage_count INTEGER NOT NULL DEFAULT 0,
    created_by INTEGER NOT NULL REFERENCES users(id),
    created_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

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
    id BIGSERIAL PRIMARY KEY,
    job_id INTEGER NOT NULL REFERENCES export_jobs(id) ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('plan', 'encode', 'finalize')),
    number INTEGER NOT NULL CHECK (number >= 0),
    bounds TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL DEFAULT 'ready' CHECK (state IN ('ready', 'leased', 'done', 'failed')),
    fence BIGINT NOT NULL DEFAULT 0 CHECK (fence >= 0), -- how often it was claimed; never goes back
    attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0), -- failures; an operator may reset them
    crashes INTEGER NOT NULL DEFAULT 0 CHECK (crashes >= 0),
    lease_owner TEXT,
    lease_until TIMESTAMPTZ,
    next_attempt_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    last_error TEXT,
    last_error_class TEXT CHECK (last_error_class IN ('transient', 'throttled', 'poison', 'configuration', 'crash')),
    report JSON, -- objects, counts and losses of a finished partition
    bytes BIGINT CHECK (bytes >= 0),
    texts BIGINT CHECK (texts >= 0),
    created_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    claimed_at TIMESTAMPTZ,
    ended_at TIMESTAMPTZ,

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
    partition_id BIGINT NOT NULL REFERENCES export_partitions(id) ON DELETE CASCADE,
    fence BIGINT NOT NULL CHECK (fence > 0),
    key_prefix TEXT NOT NULL,
    outcome TEXT CHECK (outcome IN ('committed', 'released', 'failed', 'lost')), -- NULL: may still commit
    created_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (partition_id, fence)
);

-- The hint of every task that waits for a worker: made with the task, gone when it is claimed.
CREATE TABLE outbox (
    id BIGSERIAL PRIMARY KEY,
    partition_id BIGINT NOT NULL UNIQUE REFERENCES export_partitions(id) ON DELETE CASCADE,
    user_id INTEGER NOT NULL REFERENCES users(id),
    due_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    created_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    taken_until TIMESTAMPTZ, -- a relay is sending it
    published_at TIMESTAMPTZ -- the queue has it
);
CREATE INDEX idx_outbox_unpublished ON outbox(user_id, due_at, id) WHERE published_at IS NULL;
CREATE INDEX idx_outbox_taken ON outbox(user_id) WHERE taken_until IS NOT NULL;
CREATE INDEX idx_outbox_published ON outbox(published_at) WHERE published_at IS NOT NULL;

CREATE TABLE export_downloads (
    id BIGSERIAL PRIMARY KEY,
    job_id INTEGER NOT NULL REFERENCES export_jobs(id) ON DELETE CASCADE,
    user_id INTEGER NOT NULL REFERENCES users(id),
    path TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX idx_export_downloads_job ON export_downloads(job_id, id);

-- Tokens by their hash (SHA-256 in hex); the token itself is kept nowhere.
CREATE TABLE api_tokens (
    id BIGSERIAL PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    token_hash TEXT NOT NULL UNIQUE,
    created_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    expires_at TIMESTAMPTZ,
    revoked_at TIMESTAMPTZ
);
