-- What is counted and kept of a fingerprint stands under a row of its own here. When issues are merged, one row more is made
-- for the issue, which holds the sum and the name; the others are its groups, and are not shown. A group whose name the
-- issue has is numbered below zero meanwhile.
ALTER TABLE errtrack_issue ADD COLUMN merged_into BIGINT;
-- Of a merged issue alone: the group whose name it has.
ALTER TABLE errtrack_issue ADD COLUMN lead_group BIGINT;
CREATE INDEX errtrack_issue_merged ON errtrack_issue (merged_into) WHERE merged_into IS NOT NULL;

-- Issues are counted by it, without their rows.
DROP INDEX errtrack_issue_status;
CREATE INDEX errtrack_issue_status ON errtrack_issue (project_id, status, regressed, merged_into);

CREATE OR REPLACE VIEW errtrack_issues AS
SELECT
    upper(p.slug) || '-' || i.number AS short_id,
    encode(i.uuid, 'hex')::UUID AS id,
    p.slug AS project,
    CASE i.status WHEN 1 THEN 'resolved' WHEN 2 THEN 'ignored' ELSE 'unresolved' END AS status,
    i.regressed,
    i.type,
    i.value,
    i.culprit,
    i.source,
    i.platform,
    i.environment,
    i.first_release,
    i.last_release,
    i.assigned_to,
    i.count AS events,
    i.stored_count AS stored_events,
    i.user_count AS users,
    to_timestamp(i.first_seen / 1e6) AS first_seen,
    to_timestamp(i.last_seen / 1e6) AS last_seen,
    to_timestamp(i.created_at / 1e6) AS created_at,
    to_timestamp(i.updated_at / 1e6) AS updated_at,
    to_timestamp(i.resolved_at / 1e6) AS resolved_at
FROM errtrack_issue i JOIN errtrack_project p ON p.id = i.project_id
WHERE i.merged_into IS NULL;

CREATE OR REPLACE VIEW errtrack_events AS
SELECT
    encode(e.id, 'hex')::UUID AS id,
    encode(e.client_id, 'hex')::UUID AS event_id,
    p.slug AS project,
    upper(p.slug) || '-' || i.number AS issue,
    g.type,
    to_timestamp(e.timestamp / 1e6) AS timestamp,
    to_timestamp(('x' || encode(substr(e.id, 1, 6), 'hex'))::BIT(48)::BIGINT / 1e3) AS received_at
FROM errtrack_event e
JOIN errtrack_issue g ON g.id = e.issue_id
JOIN errtrack_issue i ON i.id = COALESCE(g.merged_into, g.id)
JOIN errtrack_project p ON p.id = e.project_id;

CREATE OR REPLACE VIEW errtrack_hours AS
SELECT p.slug AS project, upper(p.slug) || '-' || i.number AS issue, to_timestamp(n.hour * 3600) AS hour, n.count AS events
FROM errtrack_issue_hour n
JOIN errtrack_issue i ON i.id = n.issue_id
JOIN errtrack_project p ON p.id = n.project_id
WHERE i.merged_into IS NULL;

CREATE OR REPLACE VIEW errtrack_tags AS
SELECT
    p.slug AS project,
    upper(p.slug) || '-' || i.number AS issue,
    t.key,
    -- All values beyond the first hundred are counted as one.
    NULLIF(t.value, E'\x1f') AS value,
    t.count AS events
FROM errtrack_issue_tag t
JOIN errtrack_issue i ON i.id = t.issue_id
JOIN errtrack_project p ON p.id = t.project_id
WHERE i.merged_into IS NULL;
