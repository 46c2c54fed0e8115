-- Notifications that are to be sent, and for a while those that were: state 0 waits, 1 has arrived, 2 was given up.
CREATE TABLE errtrack_outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    channel TEXT NOT NULL,
    -- A JSON list.
    recipients TEXT NOT NULL,
    ordering TEXT NOT NULL,
    firing TEXT,
    due_at BIGINT NOT NULL,
    made_at BIGINT NOT NULL,
    -- A JSON document.
    notification TEXT NOT NULL,
    state BIGINT NOT NULL DEFAULT 0,
    attempts BIGINT NOT NULL DEFAULT 0,
    next_at BIGINT NOT NULL,
    -- Who has it until when.
    node TEXT,
    leased_until BIGINT NOT NULL DEFAULT 0,
    settled_at BIGINT,
    error TEXT
);
CREATE INDEX errtrack_outbox_due ON errtrack_outbox (channel, next_at) WHERE state = 0;
CREATE INDEX errtrack_outbox_ordering ON errtrack_outbox (channel, ordering, id) WHERE state = 0;
CREATE INDEX errtrack_outbox_failed ON errtrack_outbox (id) WHERE state = 2;
CREATE INDEX errtrack_outbox_firing ON errtrack_outbox (firing) WHERE firing IS NOT NULL;
CREATE INDEX errtrack_outbox_settled ON errtrack_outbox (settled_at) WHERE settled_at IS NOT NULL;

-- Channels that people have set up, and when each was last tried.
CREATE TABLE errtrack_integration (
    name TEXT PRIMARY KEY,
    -- A JSON document; it holds secrets. Without one the program itself was told how.
    config TEXT,
    changed_at BIGINT NOT NULL,
    tested_at BIGINT,
    test_error TEXT
) WITHOUT ROWID;
