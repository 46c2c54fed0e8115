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
