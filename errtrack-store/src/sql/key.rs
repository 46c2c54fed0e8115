//! API keys.

use super::{Sql, sql};

pub(crate) const ALL: Sql = sql!(
    "
SELECT id, hash, name, preview, permissions, projects, expires_at, last_used, created_at, created_by
FROM errtrack_api_key ORDER BY created_at, id"
);

pub(crate) const ADD: Sql = sql!(
    "
INSERT INTO errtrack_api_key
  (id, hash, name, preview, permissions, projects, expires_at, last_used, created_at, created_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
);

pub(crate) const DELETE: Sql = sql!("DELETE FROM errtrack_api_key WHERE id = $1");

pub(crate) const NOTE_USE: Sql =
    sql!("UPDATE errtrack_api_key SET last_used = $2 WHERE id = $1 AND (last_used IS NULL OR last_used < $2)");

#[cfg(test)]
pub(crate) const EVERY: &[Sql] = &[ALL, ADD, DELETE, NOTE_USE];
