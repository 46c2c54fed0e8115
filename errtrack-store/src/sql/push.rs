//! Browsers that members let be notified.

use super::{Sql, sql};

pub(crate) const KEY: Sql = sql!("SELECT document FROM errtrack_push_key WHERE id = 1");

/// The first one stays.
pub(crate) const OFFER_KEY: Sql =
    sql!("INSERT INTO errtrack_push_key (id, document) VALUES (1, $1) ON CONFLICT (id) DO NOTHING");

pub(crate) const OF_MEMBER: Sql = sql!(
    "
SELECT id, member_id, endpoint, public_key, secret, label, created_at, delivered_at, failed_at, error
FROM errtrack_push_subscription WHERE member_id = $1 ORDER BY created_at, id"
);

pub(crate) const MEMBERS: Sql = sql!(
    "SELECT m.id FROM errtrack_member m
WHERE EXISTS (SELECT 1 FROM errtrack_push_subscription s WHERE s.member_id = m.id) ORDER BY m.created_at, m.id"
);

/// `$1` the member, `$2` an endpoint that does not count.
pub(crate) const OTHERS: Sql =
    sql!("SELECT COUNT(*) FROM errtrack_push_subscription WHERE member_id = $1 AND endpoint <> $2");

pub(crate) const PUT: Sql = sql!(
    "
INSERT INTO errtrack_push_subscription AS s (id, member_id, endpoint, public_key, secret, label, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (endpoint) DO UPDATE SET
  id = CASE WHEN s.member_id = excluded.member_id THEN s.id ELSE excluded.id END,
  created_at = CASE WHEN s.member_id = excluded.member_id THEN s.created_at ELSE excluded.created_at END,
  delivered_at = CASE WHEN s.member_id = excluded.member_id THEN s.delivered_at END,
  member_id = excluded.member_id, public_key = excluded.public_key, secret = excluded.secret, label = excluded.label,
  failed_at = NULL, error = NULL
RETURNING id, member_id, endpoint, public_key, secret, label, created_at, delivered_at, failed_at, error"
);

pub(crate) const REMOVE: Sql = sql!("DELETE FROM errtrack_push_subscription WHERE member_id = $1 AND id = $2");
pub(crate) const REMOVE_ALL: Sql = sql!("DELETE FROM errtrack_push_subscription WHERE member_id = $1");

/// `$2` the time, `$3` what went wrong, if something did. What came earlier does not take the place of what came later.
pub(crate) const NOTE: Sql = sql!(
    "
UPDATE errtrack_push_subscription SET
  delivered_at = CASE WHEN CAST($3 AS TEXT) IS NULL AND (delivered_at IS NULL OR delivered_at < $2) THEN $2 ELSE delivered_at END,
  failed_at = CASE WHEN CAST($3 AS TEXT) IS NULL THEN NULL ELSE $2 END,
  error = CAST($3 AS TEXT)
WHERE id = $1"
);

#[cfg(test)]
pub(crate) const EVERY: &[Sql] = &[KEY, OFFER_KEY, OF_MEMBER, MEMBERS, OTHERS, PUT, REMOVE, REMOVE_ALL, NOTE];
