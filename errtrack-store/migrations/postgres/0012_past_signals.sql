-- Of the event that caused a signal; tags as a JSON object.
ALTER TABLE errtrack_signal ADD COLUMN source TEXT;
ALTER TABLE errtrack_signal ADD COLUMN tags TEXT;

-- Signals that rules were asked about. They are kept for some days, so that it can be told what another rule would have said.
CREATE TABLE errtrack_past_signal (
    id BIGINT NOT NULL PRIMARY KEY,
    project_id BIGINT NOT NULL,
    issue_id BIGINT NOT NULL,
    kind BIGINT NOT NULL,
    at BIGINT NOT NULL,
    count BIGINT NOT NULL,
    level BIGINT NOT NULL,
    environment TEXT,
    release TEXT,
    source TEXT,
    tags TEXT
);
CREATE INDEX errtrack_past_signal_kind ON errtrack_past_signal (kind, at);
CREATE INDEX errtrack_past_signal_at ON errtrack_past_signal (at);
CREATE INDEX errtrack_past_signal_issue ON errtrack_past_signal (issue_id);
INSERT INTO errtrack_meta (name, value)
VALUES ('past_signals', CAST(CAST(FLOOR(EXTRACT(EPOCH FROM clock_timestamp())) AS BIGINT) * 1000000 AS TEXT));

-- What is told of an issue goes with it. By a pattern: JSON may hold an escaped NUL, which PostgreSQL's functions refuse.
CREATE INDEX errtrack_outbox_issue ON errtrack_outbox (substring(notification from '"issue":[{]"id":"([0-9a-f-]{36})"'));
CREATE INDEX errtrack_outbox_digest ON errtrack_outbox (id) WHERE state <> 1 AND firing IS NULL;
-- A digest that has arrived need not say of what any longer.
UPDATE errtrack_outbox SET notification = '{"trigger":"digest"}'
WHERE state = 1 AND notification LIKE '{"trigger":"digest"%';
