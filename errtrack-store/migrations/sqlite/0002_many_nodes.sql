-- Somebody wants to keep it.
ALTER TABLE errtrack_event ADD COLUMN pinned BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX errtrack_event_pinned ON errtrack_event (project_id, issue_id, timestamp) WHERE pinned;

-- The oldest events of a project: ids grow with the time of arrival.
DROP INDEX errtrack_event_id;
CREATE INDEX errtrack_event_arrival ON errtrack_event (project_id, id);

-- Issues that are gone, as before, by project now. An issue whose project cannot be told has nothing left but hours.
ALTER TABLE errtrack_deleted_issue RENAME TO errtrack_deleted_issue_1;
CREATE TABLE errtrack_deleted_issue (
    project_id BIGINT NOT NULL,
    issue_id BIGINT NOT NULL,
    first_hour BIGINT NOT NULL,
    last_hour BIGINT NOT NULL,
    PRIMARY KEY (project_id, issue_id)
) WITHOUT ROWID;
INSERT INTO errtrack_deleted_issue (project_id, issue_id, first_hour, last_hour)
SELECT COALESCE((SELECT e.project_id FROM errtrack_event e WHERE e.issue_id = d.issue_id LIMIT 1), 0),
    d.issue_id, d.first_hour, d.last_hour
FROM errtrack_deleted_issue_1 d;
DROP TABLE errtrack_deleted_issue_1;

-- Projects that are gone, but not yet all that belongs to them.
CREATE TABLE errtrack_deleted_project (
    project_id BIGINT NOT NULL PRIMARY KEY
) WITHOUT ROWID;

-- What became of events (see `Balance`).
CREATE TABLE errtrack_balance (
    project_id BIGINT NOT NULL PRIMARY KEY,
    captured BIGINT NOT NULL,
    stored BIGINT NOT NULL,
    coalesced BIGINT NOT NULL,
    sampled BIGINT NOT NULL,
    ignored BIGINT NOT NULL,
    limited BIGINT NOT NULL,
    dropped_by_queue BIGINT NOT NULL,
    dropped_by_store BIGINT NOT NULL
) WITHOUT ROWID;

-- Events that could not be written, with the reason.
CREATE TABLE errtrack_set_aside (
    project_id BIGINT NOT NULL,
    id BLOB NOT NULL,
    at BIGINT NOT NULL,
    times BIGINT NOT NULL,
    codec BIGINT NOT NULL,
    reason TEXT NOT NULL,
    payload BLOB NOT NULL,
    PRIMARY KEY (project_id, id)
);
CREATE INDEX errtrack_set_aside_at ON errtrack_set_aside (at);

-- The last batch of each writer that may have had to repeat one.
CREATE TABLE errtrack_writer (
    id BLOB NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL,
    at BIGINT NOT NULL
) WITHOUT ROWID;

-- Who does a job, and until when.
CREATE TABLE errtrack_lease (
    name TEXT NOT NULL PRIMARY KEY,
    holder BLOB NOT NULL,
    ends_at BIGINT NOT NULL
) WITHOUT ROWID;

-- Single values of the whole store.
CREATE TABLE errtrack_meta (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
