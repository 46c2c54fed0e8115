-- What people ask to be told, as JSON. 0 is no project: rules of all.
CREATE TABLE errtrack_alert_rule (
    id BLOB NOT NULL PRIMARY KEY,
    project_id BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    data TEXT NOT NULL
) WITHOUT ROWID;

-- What rules had to say. Issue 0 is none.
CREATE TABLE errtrack_alert_firing (
    id BLOB NOT NULL PRIMARY KEY,
    rule_id BLOB NOT NULL,
    project_id BIGINT NOT NULL,
    issue_id BIGINT NOT NULL,
    at BIGINT NOT NULL,
    data TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX errtrack_alert_firing_at ON errtrack_alert_firing (at, id);
CREATE INDEX errtrack_alert_firing_rule ON errtrack_alert_firing (rule_id, at, id);
CREATE INDEX errtrack_alert_firing_issue ON errtrack_alert_firing (issue_id, rule_id, at);

-- What one evaluation leaves for the next; the one named `version` is raised by each that writes.
CREATE TABLE errtrack_alert_state (
    name TEXT NOT NULL PRIMARY KEY,
    data TEXT NOT NULL
) WITHOUT ROWID;

-- What batches did to issues, until rules have been asked.
CREATE TABLE errtrack_signal (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id BIGINT NOT NULL,
    issue_id BIGINT NOT NULL,
    kind BIGINT NOT NULL,
    at BIGINT NOT NULL,
    count BIGINT NOT NULL,
    level BIGINT NOT NULL,
    environment TEXT,
    release TEXT
);

-- Width -1 is a minute, whose start is in minutes; such rows are kept for some days.
ALTER TABLE errtrack_rollup ADD COLUMN regressions BIGINT NOT NULL DEFAULT 0;
