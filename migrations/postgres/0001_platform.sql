-- The annotation platform that exports are made from. `spanfleet import` fills these tables; an existing
-- platform offers them as tables or views of the same columns.

CREATE TABLE users (
    id SERIAL PRIMARY KEY,
    name VARCHAR(255) NOT NULL UNIQUE,
    is_admin BOOLEAN NOT NULL DEFAULT FALSE,
    created_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE projects (
    id SERIAL PRIMARY KEY,
    name VARCHAR(255) NOT NULL UNIQUE,
    created_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE project_members (
    project_id INTEGER NOT NULL REFERENCES projects(id) ON DELETE CASCADE,
    user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    PRIMARY KEY (project_id, user_id)
);

-- JSON and not JSONB: keys keep their order and numbers their digits, so that an export of imported data is
-- byte for byte the export of the file it came from.
CREATE TABLE texts (
    id BIGSERIAL PRIMARY KEY,
    project_id INTEGER NOT NULL REFERENCES projects(id) ON DELETE CASCADE,
    external_id TEXT,
    content TEXT NOT NULL,
    metadata JSON,
    tokens JSON, -- gold tokenization: [{"start", "end", "pos", "lemma", "chunk"}]
    created_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX idx_texts_project ON texts(project_id, id);
CREATE UNIQUE INDEX idx_texts_external ON texts(project_id, external_id);

CREATE TABLE labels (
    id SERIAL PRIMARY KEY,
    project_id INTEGER NOT NULL REFERENCES projects(id) ON DELETE CASCADE,
    parent_id INTEGER REFERENCES labels(id) ON DELETE CASCADE,
    name TEXT NOT NULL CHECK (name <> '')
);
CREATE UNIQUE INDEX idx_labels_name ON labels(project_id, COALESCE(parent_id, 0), name);

CREATE TABLE annotations (
    id BIGSERIAL PRIMARY KEY,
    text_id BIGINT NOT NULL REFERENCES texts(id) ON DELETE CASCADE,
    label_id INTEGER NOT NULL REFERENCES labels(id),
    annotator_id INTEGER REFERENCES users(id),
    external_id TEXT,
    start_char INTEGER, -- code points; both NULL: a label of the whole text
    end_char INTEGER,
    fragments JSON, -- [[start, end], …] of a discontinuous span whose hull is start_char..end_char
    selected_text TEXT,
    confidence_score DOUBLE PRECISION,
    metadata JSON,
    created_at TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP,
    CHECK ((start_char IS NULL) = (end_char IS NULL))
);
CREATE INDEX idx_annotations_text ON annotations(text_id, id);

CREATE TABLE relations (
    id BIGSERIAL PRIMARY KEY,
    text_id BIGINT NOT NULL REFERENCES texts(id) ON DELETE CASCADE,
    source_annotation_id BIGINT NOT NULL REFERENCES annotations(id) ON DELETE CASCADE,
    target_annotation_id BIGINT NOT NULL REFERENCES annotations(id) ON DELETE CASCADE,
    relation_type TEXT NOT NULL,
    confidence_score DOUBLE PRECISION
);
CREATE INDEX idx_relations_text ON relations(text_id, id);
-- Deleting an annotation looks for its relations.
CREATE INDEX idx_relations_source ON relations(source_annotation_id);
CREATE INDEX idx_relations_target ON relations(target_annotation_id);
