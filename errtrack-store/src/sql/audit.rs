//! The audit log.

use super::{Sql, sql};

pub(crate) const ADD: Sql = sql!(
    "
INSERT INTO errtrack_audit (at, who, action, target, details, project_id, address)
VALUES ($1, $2, $3, $4, $5, $6, $7)"
);

/// `$1` how many stay.
pub(crate) const TRIM: Sql =
    sql!("DELETE FROM errtrack_audit WHERE id <= (SELECT MAX(id) FROM errtrack_audit) - CAST($1 AS BIGINT)");

/// `$1` the first id that is left out, `$2` how many.
pub(crate) const PAGE: Sql = sql!(
    "
SELECT id, at, who, action, target, details, project_id, address FROM errtrack_audit
WHERE id < $1 ORDER BY id DESC LIMIT $2"
);

#[cfg(test)]
pub(crate) const EVERY: &[Sql] = &[ADD, TRIM, PAGE];
