-- Keys begin with the project, as in PostgreSQL, where tables can be spread over machines by it. What belongs to issues
-- that are gone is left behind; of those only events remain to be deleted.
CREATE TABLE errtrack_issue_hour_2 (
    project_id BIGINT NOT NULL,
    hour BIGINT NOT NULL,
    issue_id BIGINT NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (project_id, hour, issue_id)
) WITHOUT ROWID;
INSERT INTO errtrack_issue_hour_2 (project_id, hour, issue_id, count)
SELECT i.project_id, n.hour, n.issue_id, n.count FROM errtrack_issue_hour n JOIN errtrack_issue i ON i.id = n.issue_id
ORDER BY i.project_id, n.hour, n.issue_id;
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

ALTER TABLE errtrack_deleted_issue ADD COLUMN project_id BIGINT NOT NULL DEFAULT 0;
UPDATE errtrack_deleted_issue SET project_id = COALESCE(
    (SELECT e.project_id FROM errtrack_event e WHERE e.issue_id = errtrack_deleted_issue.issue_id LIMIT 1), 0
);
