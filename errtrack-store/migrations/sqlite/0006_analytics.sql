-- Events per project, bucket of time, environment and level, and the issues that they made. The width of a bucket is in hours
-- (1, 24, or 0 for all of time), its start in hours since 1970.
CREATE TABLE errtrack_rollup (
    project_id BIGINT NOT NULL,
    width BIGINT NOT NULL,
    start BIGINT NOT NULL,
    environment TEXT NOT NULL,
    level BIGINT NOT NULL,
    count BIGINT NOT NULL,
    new_issues BIGINT NOT NULL,
    PRIMARY KEY (project_id, width, start, environment, level)
) WITHOUT ROWID;
-- Environments and levels of earlier hours are not known: they count for none, and as errors.
INSERT INTO errtrack_rollup (project_id, width, start, environment, level, count, new_issues)
SELECT project_id, width, start, '', 40, SUM(count), SUM(new_issues) FROM (
    SELECT h.project_id, w.width, CASE w.width WHEN 0 THEN 0 WHEN 1 THEN h.hour ELSE h.hour / 24 * 24 END AS start,
        h.count, 0 AS new_issues
    FROM errtrack_project_hour h CROSS JOIN (SELECT 1 AS width UNION ALL SELECT 24 UNION ALL SELECT 0) w
    UNION ALL
    SELECT i.project_id, w.width,
        CASE w.width WHEN 0 THEN 0 WHEN 1 THEN i.first_seen / 3600000000 ELSE i.first_seen / 86400000000 * 24 END, 0, 1
    FROM errtrack_issue i CROSS JOIN (SELECT 1 AS width UNION ALL SELECT 24 UNION ALL SELECT 0) w
    WHERE i.lead_group IS NULL
) GROUP BY project_id, width, start;
DROP TABLE errtrack_project_hour;

-- How often issues were resolved, and how long after they were first seen. Each counts once as a whole, and once for every
-- environment that it was seen in.
CREATE TABLE errtrack_resolution (
    project_id BIGINT NOT NULL,
    whole BIGINT NOT NULL,
    width BIGINT NOT NULL,
    start BIGINT NOT NULL,
    environment TEXT NOT NULL,
    count BIGINT NOT NULL,
    micros BIGINT NOT NULL,
    PRIMARY KEY (project_id, whole, width, start, environment)
) WITHOUT ROWID;
INSERT INTO errtrack_resolution (project_id, whole, width, start, environment, count, micros)
SELECT project_id, whole, width, start, environment, COUNT(*), SUM(micros) FROM (
    SELECT i.project_id, e.whole, w.width, e.environment, MAX(i.resolved_at - i.first_seen, 0) AS micros,
        CASE w.width WHEN 0 THEN 0 WHEN 1 THEN i.resolved_at / 3600000000 ELSE i.resolved_at / 86400000000 * 24 END AS start
    FROM (
        SELECT id, 1 AS whole, '' AS environment FROM errtrack_issue
        UNION ALL
        SELECT issue_id, 0, value FROM errtrack_issue_tag
        WHERE tag BETWEEN 877218414186201088 AND 877218963942014975 AND key = 'environment'
    ) e
    JOIN errtrack_issue i ON i.id = e.id
    CROSS JOIN (SELECT 1 AS width UNION ALL SELECT 24 UNION ALL SELECT 0) w
    WHERE i.status = 1 AND i.resolved_at IS NOT NULL AND i.merged_into IS NULL
) GROUP BY project_id, whole, width, start, environment;

-- Triggers, so that nobody who resolves an issue can forget to count it. An issue is resolved when it is told so now, not when
-- it takes over what was decided before.
CREATE TRIGGER errtrack_issue_resolved AFTER UPDATE OF status ON errtrack_issue
WHEN NEW.status = 1 AND OLD.status <> 1 AND NEW.merged_into IS NULL AND NEW.resolved_at = NEW.updated_at
BEGIN
    INSERT INTO errtrack_resolution (project_id, whole, width, start, environment, count, micros)
    SELECT NEW.project_id, e.whole, w.width,
        CASE w.width WHEN 0 THEN 0 WHEN 1 THEN NEW.resolved_at / 3600000000 ELSE NEW.resolved_at / 86400000000 * 24 END,
        e.environment, 1, MAX(NEW.resolved_at - NEW.first_seen, 0)
    FROM (
        SELECT 1 AS whole, '' AS environment
        UNION ALL
        SELECT 0, t.value FROM errtrack_issue_tag t
        WHERE t.project_id = NEW.project_id AND t.issue_id = NEW.id
            AND t.tag BETWEEN 877218414186201088 AND 877218963942014975 AND t.key = 'environment'
    ) e CROSS JOIN (SELECT 1 AS width UNION ALL SELECT 24 UNION ALL SELECT 0) w
    WHERE TRUE
    ON CONFLICT (project_id, whole, width, start, environment)
    DO UPDATE SET count = count + excluded.count, micros = micros + excluded.micros;
END;
-- How often issues were changed other than by batches, or went, or their project did. Whoever keeps copies of figures looks
-- whether it is what it was. A batch that reopens an issue shows by what it counts.
CREATE TRIGGER errtrack_issue_edited AFTER UPDATE OF status, merged_into ON errtrack_issue
WHEN (OLD.status <> NEW.status AND NOT (OLD.status = 1 AND NEW.regressed)) OR OLD.merged_into IS NOT NEW.merged_into
BEGIN
    INSERT INTO errtrack_meta (name, value) VALUES ('edits', '1')
    ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(value AS BIGINT) + 1 AS TEXT);
END;
CREATE TRIGGER errtrack_issue_deleted AFTER DELETE ON errtrack_issue
BEGIN
    INSERT INTO errtrack_meta (name, value) VALUES ('edits', '1')
    ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(value AS BIGINT) + 1 AS TEXT);
END;
CREATE TRIGGER errtrack_project_deleted AFTER DELETE ON errtrack_project
BEGIN
    INSERT INTO errtrack_meta (name, value) VALUES ('edits', '1')
    ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(value AS BIGINT) + 1 AS TEXT);
END;

-- Readings over time that add up: requests by route, the machine, checks of services, heartbeats. Each process writes its own;
-- width and start in minutes, the start since 1970.
CREATE TABLE errtrack_series (
    project_id BIGINT NOT NULL,
    series BIGINT NOT NULL,
    width BIGINT NOT NULL,
    start BIGINT NOT NULL,
    name TEXT NOT NULL,
    node TEXT NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (project_id, series, width, start, name, node)
) WITHOUT ROWID;
