-- Keys begin with the project, as in PostgreSQL, where tables can be spread over machines by it. What belongs to issues
-- that are gone is left behind; of those only events remain to be deleted.
-- The day stands before the issue, so that what is busy today is written in few places, and the hours of a day are read
-- from one.
CREATE TABLE errtrack_issue_hour_2 (
    project_id BIGINT NOT NULL,
    day BIGINT NOT NULL,
    issue_id BIGINT NOT NULL,
    hour BIGINT NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (project_id, day, issue_id, hour)
) WITHOUT ROWID;
INSERT INTO errtrack_issue_hour_2 (project_id, day, issue_id, hour, count)
SELECT i.project_id, n.hour / 24, n.issue_id, n.hour, n.count
FROM errtrack_issue_hour n JOIN errtrack_issue i ON i.id = n.issue_id
ORDER BY i.project_id, n.hour / 24, n.issue_id, n.hour;
DROP TABLE errtrack_issue_hour;
ALTER TABLE errtrack_issue_hour_2 RENAME TO errtrack_issue_hour;

-- The trigger goes with the table.
CREATE TABLE errtrack_issue_user_2 (
    project_id BIGINT NOT NULL,
    issue_id BIGINT NOT NULL,
    user_hash BIGINT NOT NULL,
    PRIMARY KEY (project_id, issue_id, user_hash)
) WITHOUT ROWID;
INSERT INTO errtrack_issue_user_2 (project_id, issue_id, user_hash)
SELECT i.project_id, u.issue_id, u.user_hash FROM errtrack_issue_user u JOIN errtrack_issue i ON i.id = u.issue_id
ORDER BY i.project_id, u.issue_id, u.user_hash;
DROP TABLE errtrack_issue_user;
ALTER TABLE errtrack_issue_user_2 RENAME TO errtrack_issue_user;
CREATE TRIGGER errtrack_issue_user_new AFTER INSERT ON errtrack_issue_user BEGIN
    UPDATE errtrack_issue SET user_count = user_count + 1 WHERE id = NEW.issue_id;
END;

CREATE TABLE errtrack_issue_tag_2 (
    project_id BIGINT NOT NULL,
    issue_id BIGINT NOT NULL,
    tag BIGINT NOT NULL,
    count BIGINT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (project_id, issue_id, tag)
) WITHOUT ROWID;
INSERT INTO errtrack_issue_tag_2 (project_id, issue_id, tag, count, key, value)
SELECT i.project_id, t.issue_id, t.tag, t.count, t.key, t.value
FROM errtrack_issue_tag t JOIN errtrack_issue i ON i.id = t.issue_id
ORDER BY i.project_id, t.issue_id, t.tag;
DROP TABLE errtrack_issue_tag;
ALTER TABLE errtrack_issue_tag_2 RENAME TO errtrack_issue_tag;

-- Somebody wants to keep it.
ALTER TABLE errtrack_event ADD COLUMN pinned BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX errtrack_event_pinned ON errtrack_event (project_id, issue_id, timestamp) WHERE pinned;

-- The oldest events of a project: ids grow with the time of arrival.
DROP INDEX errtrack_event_id;
CREATE INDEX errtrack_event_arrival ON errtrack_event (project_id, id);

-- Issues that are gone, as before, by project now.
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
