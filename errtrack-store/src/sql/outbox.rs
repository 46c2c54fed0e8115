//! Notifications on their way.

use super::{Sql, sql};

/// `$1` the entries as a JSON list of lists, `$2` the time. Answers a row for each that is new.
pub(crate) const INSERT: Sql = sql!(
    "
INSERT INTO errtrack_outbox (key, channel, recipients, ordering, firing, due_at, next_at, made_at, notification)
",
    either(
        "SELECT r.value ->> 0, r.value ->> 1, r.value ->> 2, r.value ->> 3, r.value ->> 4, r.value ->> 5, r.value ->> 5, $2,
  r.value ->> 6
FROM json_each($1) r WHERE TRUE ORDER BY r.key",
        "SELECT r ->> 0, r ->> 1, r ->> 2, r ->> 3, r ->> 4, CAST(r ->> 5 AS BIGINT), CAST(r ->> 5 AS BIGINT), $2, r ->> 6
FROM json_array_elements(CAST($1 AS JSON)) WITH ORDINALITY e (r, n) ORDER BY n"
    ),
    "
ON CONFLICT (key) DO NOTHING RETURNING ",
    either("1", "CAST(1 AS BIGINT)")
);

/// What is due by `$1`. Goes from channel to channel by the index, not through what waits.
pub(crate) const DUE_CHANNELS: Sql = sql!(
    "
WITH RECURSIVE c (channel) AS (
  SELECT MIN(channel) FROM errtrack_outbox WHERE state = 0
  UNION ALL
  SELECT (SELECT MIN(o.channel) FROM errtrack_outbox o WHERE o.state = 0 AND o.channel > c.channel)
  FROM c WHERE c.channel IS NOT NULL
)
SELECT c.channel FROM c WHERE c.channel IS NOT NULL AND EXISTS (
  SELECT 1 FROM errtrack_outbox o
  WHERE o.state = 0 AND o.channel = c.channel AND o.next_at <= $1 AND o.leased_until <= ",
    now,
    "
) ORDER BY c.channel"
);

/// `$1` who takes, `$2` the channel, `$3` what is due by then, `$4` how many, `$5` for how long.
pub(crate) const LEASE: Sql = sql!(
    "
WITH due AS MATERIALIZED (
  SELECT o.id FROM errtrack_outbox o
  WHERE o.state = 0 AND o.channel = $2 AND o.next_at <= $3 AND o.leased_until <= ",
    now,
    "
    AND NOT EXISTS (
      SELECT 1 FROM errtrack_outbox p
      WHERE p.state = 0 AND p.channel = o.channel AND p.ordering = o.ordering AND p.id < o.id AND o.ordering <> ''
    )
  ORDER BY o.next_at, o.id LIMIT $4",
    either("", " FOR UPDATE SKIP LOCKED"),
    "
)
UPDATE errtrack_outbox SET node = $1, attempts = attempts + 1, leased_until = $5 + ",
    now,
    "
WHERE id IN (SELECT id FROM due)
RETURNING id, key, channel, recipients, ordering, firing, due_at, notification, state, attempts, made_at, next_at, settled_at,
  error"
);

/// `$1` the key, `$2` who says so, `$3` the state, `$4` when next, if again, `$5` when it was settled, `$6` what went wrong. A
/// digest that has arrived says no longer of what.
pub(crate) const SETTLE: Sql = sql!(
    "
UPDATE errtrack_outbox SET
  state = $3, next_at = COALESCE($4, next_at), settled_at = $5, error = $6, node = NULL, leased_until = 0,
  notification = CASE
    WHEN $3 = 1 AND notification LIKE '{\"trigger\":\"digest\"%' THEN '{\"trigger\":\"digest\"}' ELSE notification
  END
WHERE key = $1 AND state = 0 AND ($3 = 1 OR node = $2)"
);

/// `$1` the key, `$2` from when on.
pub(crate) const RETRY: Sql = sql!(
    "
UPDATE errtrack_outbox SET state = 0, attempts = 0, next_at = $2, settled_at = NULL WHERE key = $1 AND state = 2"
);

/// Settled before `$1`, at most `$2`.
pub(crate) const DROP: Sql = sql!(
    "
DELETE FROM errtrack_outbox WHERE id IN (
  SELECT id FROM errtrack_outbox WHERE settled_at < $1 ORDER BY settled_at LIMIT $2
)"
);

/// A list: `$1` the firing, `$2` the state, `$3` the channel, `$4` how many.
macro_rules! list {
    ($where:literal) => {
        sql!(
            "
SELECT id, key, channel, recipients, ordering, firing, due_at, notification, state, attempts, made_at, next_at, settled_at,
  error
FROM errtrack_outbox WHERE ",
            $where,
            "
  AND (CAST($1 AS TEXT) IS NULL OR firing = $1) AND (CAST($2 AS BIGINT) IS NULL OR state = $2)
  AND (CAST($3 AS TEXT) IS NULL OR channel = $3)
ORDER BY id DESC LIMIT $4"
        )
    };
}
pub(crate) const OF_FIRING: Sql = list!("firing = $1");
pub(crate) const FAILED: Sql = list!("state = 2");
pub(crate) const NEWEST: Sql = list!("TRUE");

pub(crate) const COUNTS: Sql = sql!(
    "
SELECT channel, state, COUNT(*) FROM errtrack_outbox WHERE state = 0 GROUP BY channel, state
UNION ALL
SELECT channel, state, COUNT(*) FROM errtrack_outbox WHERE state = 2 GROUP BY channel, state
ORDER BY 1"
);

#[cfg(test)]
pub(crate) const EVERY: &[Sql] = &[INSERT, DUE_CHANNELS, LEASE, SETTLE, RETRY, DROP, OF_FIRING, FAILED, NEWEST, COUNTS];
