-- The annotation platform that exports are made from, on the laptop. Times are RFC 3339 text in UTC.

CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    is_admin INTEGER NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);

CREATE TABLE projects (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);

CREATE TABLE project_members (
    project_id INTEGER NOT NULL REFERENCES projects(id) ON DELETE CASCADE,
    user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    PRIMARY KEY (project_id, user_id)
);

CREATE TABLE texts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL REFERENCES projects(id) ON DELETE CASCADE,
    external_id TEXT,
    content TEXT NOT NULL,
    metadata TEXT, -- JSON
    tokens TEXT, -- JSON: gold tokenization: [{"start", "end", "pos", "lemma", "chunk"}]
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);
CREATE INDEX idx_texts_project ON texts(project_id, id);
CREATE UNIQUE INDEX idx_texts_external ON texts(project_id, external_id);

CREATE TABLE labels (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL REFERENCES projects(id) ON DELETE CASCADE,
    parent_id INTEGER REFERENCES labels(id) ON DELETE CASCADE,
    name TEXT NOT NULL CHECK (name <> '')
);
CREATE UNIQUE INDEX idx_labels_name ON labels(project_id, COALESCE(parent_id, 0), name);

CREATE TABLE annotations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    text_id INTEGER NOT NULL REFERENCES texts(id) ON DELETE CASCADE,
    label_id INTEGER NOT NULL REFERENCES labels(id),
    annotator_id INTEGER REFERENCES users(id),
    external_id TEXT,
    start_char INTEGER, -- code points; both NULL: a label of the whole text
    end_char INTEGER,
    fragments TEXT, -- JSON: [[start, end], …] of a discontinuous span whose hull is start_char..end_char
    selected_text TEXT,
    confidence_score REAL,
    metadata TEXT, -- JSON
    created_at TEXT,
    CHECK ((start_char IS NULL) = (end_char IS NULL))
);
CREATE INDEX idx_annotations_text ON annotations(text_id, id);

CREATE TABLE relations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    text_id INTEGER NOT NULL REFERENCES texts(id) ON DELETE CASCADE,
    source_annotation_id INTEGER NOT NULL REFERENCES annotations(id) ON DELETE CASCADE,
    target_annotation_id INTEGER NOT NULL REFERENCES annotations(id) ON DELETE CASCADE,
    relation_type TEXT NOT NULL,
    confidence_score REAL
);
CREATE INDEX idx_relations_text ON relations(text_id, id);
CREATE INDEX idx_relations_source ON relations(source_annotation_id);
CREATE INDEX idx_relations_target ON relations(target_annotation_id);
