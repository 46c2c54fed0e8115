-- Numbers of projects as a JSON list; all without it.
ALTER TABLE errtrack_member ADD COLUMN projects TEXT;
ALTER TABLE errtrack_member ADD COLUMN status TEXT NOT NULL DEFAULT 'active';
ALTER TABLE errtrack_member ADD COLUMN second_factor TEXT;
ALTER TABLE errtrack_member ADD COLUMN last_active BIGINT;

ALTER TABLE errtrack_token ADD COLUMN created_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE errtrack_token ADD COLUMN about TEXT NOT NULL DEFAULT '';
CREATE INDEX errtrack_token_member ON errtrack_token (member_id, kind);

CREATE TABLE errtrack_api_key (
    id BLOB PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    name TEXT NOT NULL,
    preview TEXT NOT NULL,
    -- JSON lists; all projects without one.
    permissions TEXT NOT NULL,
    projects TEXT,
    expires_at BIGINT,
    last_used BIGINT,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL
) WITHOUT ROWID;

-- Who did what when; bounded, the oldest go.
CREATE TABLE errtrack_audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at BIGINT NOT NULL,
    who TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    details TEXT NOT NULL,
    project_id BIGINT,
    address TEXT
);
