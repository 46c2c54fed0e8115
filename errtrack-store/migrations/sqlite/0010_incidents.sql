-- Incidents. A rule has at most one that is open.
CREATE TABLE errtrack_incident (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL UNIQUE,
    project_id BIGINT,
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    severity TEXT NOT NULL,
    status TEXT NOT NULL,
    assigned_to TEXT,
    rule TEXT,
    firings BIGINT NOT NULL,
    channels TEXT NOT NULL,
    opened_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    resolved_at BIGINT
);
CREATE UNIQUE INDEX errtrack_incident_rule ON errtrack_incident (rule) WHERE rule IS NOT NULL AND resolved_at IS NULL;
CREATE INDEX errtrack_incident_open ON errtrack_incident (id) WHERE resolved_at IS NULL;
CREATE INDEX errtrack_incident_resolved ON errtrack_incident (resolved_at) WHERE resolved_at IS NOT NULL;
CREATE INDEX errtrack_incident_project ON errtrack_incident (project_id, id);

-- What happened to them: who did what when.
CREATE TABLE errtrack_incident_entry (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    incident_id BIGINT NOT NULL,
    at BIGINT NOT NULL,
    author TEXT NOT NULL,
    kind TEXT NOT NULL,
    old_value TEXT,
    new_value TEXT,
    text TEXT NOT NULL,
    firing TEXT
);
CREATE INDEX errtrack_incident_entry_incident ON errtrack_incident_entry (incident_id, id);

-- The issues that are linked to them: the group whose name the issue has.
CREATE TABLE errtrack_incident_issue (
    incident_id BIGINT NOT NULL,
    issue_id BIGINT NOT NULL,
    project_id BIGINT NOT NULL,
    PRIMARY KEY (incident_id, issue_id)
) WITHOUT ROWID;
CREATE INDEX errtrack_incident_issue_issue ON errtrack_incident_issue (project_id, issue_id);
