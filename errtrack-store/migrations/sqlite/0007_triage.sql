-- What ends a status that does not last: the issue was resolved in this release, or in the next after that; it is ignored
-- until that time, or that many events.
ALTER TABLE errtrack_issue ADD COLUMN resolved_in TEXT;
ALTER TABLE errtrack_issue ADD COLUMN resolved_after TEXT;
ALTER TABLE errtrack_issue ADD COLUMN ignored_until BIGINT;
ALTER TABLE errtrack_issue ADD COLUMN ignored_until_count BIGINT;
CREATE INDEX errtrack_issue_ignored_until ON errtrack_issue (ignored_until) WHERE ignored_until IS NOT NULL;

-- Releases, and since when there are events of each.
CREATE TABLE errtrack_release (
    project_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    first_seen BIGINT NOT NULL,
    PRIMARY KEY (project_id, name)
) WITHOUT ROWID;
CREATE INDEX errtrack_release_first_seen ON errtrack_release (project_id, first_seen);

-- What people said about issues. It stands under the group whose name the issue has.
CREATE TABLE errtrack_comment (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id BIGINT NOT NULL,
    issue_id BIGINT NOT NULL,
    at BIGINT NOT NULL,
    author TEXT NOT NULL,
    text TEXT NOT NULL
);
CREATE INDEX errtrack_comment_issue ON errtrack_comment (project_id, issue_id, id);
