-- Times are microseconds since 1970, hours are hours since 1970.
CREATE TABLE errtrack_project (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    platform TEXT,
    last_number BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL
);

CREATE TABLE errtrack_public_key (
    id INTEGER PRIMARY KEY,
    project_id BIGINT NOT NULL,
    key TEXT NOT NULL UNIQUE
);

CREATE TABLE errtrack_issue (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id BIGINT NOT NULL,
    number BIGINT NOT NULL,
    uuid BLOB NOT NULL,
    fingerprint BLOB NOT NULL,
    status BIGINT NOT NULL DEFAULT 0,
    regressed BOOLEAN NOT NULL DEFAULT FALSE,
    level BIGINT NOT NULL,
    count BIGINT NOT NULL,
    stored_count BIGINT NOT NULL,
    user_count BIGINT NOT NULL,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    resolved_at BIGINT,
    last_event BLOB NOT NULL,
    type TEXT NOT NULL,
    value TEXT NOT NULL,
    culprit TEXT NOT NULL,
    source TEXT,
    platform TEXT,
    environment TEXT,
    first_release TEXT,
    last_release TEXT,
    assigned_to TEXT
);
CREATE UNIQUE INDEX errtrack_issue_number ON errtrack_issue (project_id, number);
CREATE INDEX errtrack_issue_uuid ON errtrack_issue (uuid);
CREATE INDEX errtrack_issue_last_seen ON errtrack_issue (project_id, last_seen);

CREATE TABLE errtrack_grouping (
    project_id BIGINT NOT NULL,
    fingerprint BLOB NOT NULL,
    issue_id BIGINT NOT NULL,
    PRIMARY KEY (project_id, fingerprint)
) WITHOUT ROWID;
CREATE INDEX errtrack_grouping_issue ON errtrack_grouping (issue_id);

CREATE TABLE errtrack_event (
    row INTEGER PRIMARY KEY,
    project_id BIGINT NOT NULL,
    issue_id BIGINT NOT NULL,
    timestamp BIGINT NOT NULL,
    id BLOB NOT NULL,
    client_id BLOB NOT NULL,
    codec BIGINT NOT NULL,
    payload BLOB NOT NULL
);
CREATE UNIQUE INDEX errtrack_event_client_id ON errtrack_event (project_id, client_id);
CREATE INDEX errtrack_event_id ON errtrack_event (id);
CREATE INDEX errtrack_event_issue ON errtrack_event (issue_id, timestamp);

-- The hour stands before the issue, so that a busy hour is written in one place of the tree.
CREATE TABLE errtrack_issue_hour (
    hour BIGINT NOT NULL,
    issue_id BIGINT NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (hour, issue_id)
) WITHOUT ROWID;

CREATE TABLE errtrack_project_hour (
    project_id BIGINT NOT NULL,
    hour BIGINT NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (project_id, hour)
) WITHOUT ROWID;

CREATE TABLE errtrack_issue_user (
    issue_id BIGINT NOT NULL,
    user_hash BIGINT NOT NULL,
    PRIMARY KEY (issue_id, user_hash)
) WITHOUT ROWID;

-- So that a batch need not ask first which of its users are new.
CREATE TRIGGER errtrack_issue_user_new AFTER INSERT ON errtrack_issue_user BEGIN
    UPDATE errtrack_issue SET user_count = user_count + 1 WHERE id = NEW.issue_id;
END;

-- `tag` is a hash of key and value, the key in its upper bits: rows of one key stand together, and small keys sort fast.
CREATE TABLE errtrack_issue_tag (
    issue_id BIGINT NOT NULL,
    tag BIGINT NOT NULL,
    count BIGINT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (issue_id, tag)
) WITHOUT ROWID;

-- Issues that are gone, but whose events and tallies are still being deleted in small steps.
CREATE TABLE errtrack_deleted_issue (
    issue_id BIGINT PRIMARY KEY,
    first_hour BIGINT NOT NULL,
    last_hour BIGINT NOT NULL
);

CREATE TABLE errtrack_member (
    id BLOB PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    password_hash TEXT,
    created_at BIGINT NOT NULL
) WITHOUT ROWID;

CREATE TABLE errtrack_token (
    kind BIGINT NOT NULL,
    hash BLOB NOT NULL,
    member_id BLOB NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (kind, hash)
) WITHOUT ROWID;
CREATE INDEX errtrack_token_expires_at ON errtrack_token (expires_at);
