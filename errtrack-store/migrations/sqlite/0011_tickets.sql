-- Issues of GitHub, GitLab or Jira that stand for issues. Each stands under the group whose name the issue has. One without a
-- URL is a place for what is being made, until that time.
CREATE TABLE errtrack_ticket (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL UNIQUE,
    project_id BIGINT NOT NULL,
    issue_id BIGINT NOT NULL,
    integration TEXT,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    url TEXT,
    title TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    reserved_until BIGINT NOT NULL
);
CREATE INDEX errtrack_ticket_issue ON errtrack_ticket (project_id, issue_id, id);
