-- Browsers that members let be notified.
CREATE TABLE errtrack_push_subscription (
    id BYTEA PRIMARY KEY,
    member_id BYTEA NOT NULL,
    endpoint TEXT NOT NULL UNIQUE,
    -- What messages are encrypted with: the browser's public key, and a secret that it shares.
    public_key BYTEA NOT NULL,
    secret BYTEA NOT NULL,
    label TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    delivered_at BIGINT,
    failed_at BIGINT,
    error TEXT
);
CREATE INDEX errtrack_push_subscription_member ON errtrack_push_subscription (member_id, created_at);

-- The key that push services know this installation by: one row. It is a secret.
CREATE TABLE errtrack_push_key (
    id BIGINT PRIMARY KEY,
    document TEXT NOT NULL
);
