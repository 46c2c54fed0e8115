//! What processes on one database share: leases, balances, the marks of writers, single values.

use super::{Sql, sql};

/// `$1` the name, `$2` who asks, `$3` for how long. Changes no row if another has it.
pub(crate) const LEASE: Sql = sql!(
    "
INSERT INTO errtrack_lease (name, holder, ends_at) VALUES ($1, $2, ",
    now,
    " + $3)
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, ends_at = excluded.ends_at
WHERE errtrack_lease.holder = excluded.holder OR errtrack_lease.ends_at <= ",
    now
);
pub(crate) const RELEASE: Sql = sql!("DELETE FROM errtrack_lease WHERE name = $1 AND holder = $2");

/// `$1` the project, then the counters. For no project that is gone.
pub(crate) const ADD_BALANCE: Sql = sql!(
    "
INSERT INTO errtrack_balance (
  project_id, captured, stored, coalesced, sampled, ignored, limited, dropped_by_queue, dropped_by_store
)
SELECT id, $2, $3, $4, $5, $6, $7, $8, $9 FROM errtrack_project WHERE id = $1
ON CONFLICT (project_id) DO UPDATE SET
  captured = errtrack_balance.captured + excluded.captured,
  stored = errtrack_balance.stored + excluded.stored,
  coalesced = errtrack_balance.coalesced + excluded.coalesced,
  sampled = errtrack_balance.sampled + excluded.sampled,
  ignored = errtrack_balance.ignored + excluded.ignored,
  limited = errtrack_balance.limited + excluded.limited,
  dropped_by_queue = errtrack_balance.dropped_by_queue + excluded.dropped_by_queue,
  dropped_by_store = errtrack_balance.dropped_by_store + excluded.dropped_by_store"
);
pub(crate) const BALANCES: Sql = sql!(
    "
SELECT project_id, captured, stored, coalesced, sampled, ignored, limited, dropped_by_queue, dropped_by_store
FROM errtrack_balance ORDER BY project_id"
);

/// `$1` the writer, `$2` the number of its batch, `$3` the time. Changes no row if the batch was committed before.
pub(crate) const CLAIM: Sql = sql!(
    "
INSERT INTO errtrack_writer (id, number, at) VALUES ($1, $2, $3)
ON CONFLICT (id) DO UPDATE SET number = excluded.number, at = excluded.at
WHERE errtrack_writer.number < excluded.number"
);
/// Marks of writers that wrote last before `$1`.
pub(crate) const DELETE_WRITERS: Sql = sql!("DELETE FROM errtrack_writer WHERE at < $1");

pub(crate) const META: Sql = sql!("SELECT value FROM errtrack_meta WHERE name = $1");
pub(crate) const PUT_META: Sql = sql!(
    "
INSERT INTO errtrack_meta (name, value) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET value = excluded.value"
);

#[cfg(test)]
pub(crate) const EVERY: &[Sql] = &[LEASE, RELEASE, ADD_BALANCE, BALANCES, CLAIM, DELETE_WRITERS, META, PUT_META];
