//! Channels that people have set up.

use super::{Sql, sql};

pub(crate) const ALL: Sql =
    sql!("SELECT name, config, changed_at, tested_at, test_error FROM errtrack_integration ORDER BY name");

/// `$1` the name, `$2` the configuration, `$3` the time.
pub(crate) const PUT: Sql = sql!(
    "
INSERT INTO errtrack_integration (name, config, changed_at) VALUES ($1, $2, $3)
ON CONFLICT (name) DO UPDATE SET config = excluded.config, changed_at = excluded.changed_at"
);
pub(crate) const DELETE: Sql = sql!("DELETE FROM errtrack_integration WHERE name = $1 AND config IS NOT NULL");

/// `$1` the name, `$2` the time, `$3` what went wrong.
pub(crate) const NOTE_TEST: Sql = sql!(
    "
INSERT INTO errtrack_integration (name, changed_at, tested_at, test_error) VALUES ($1, $2, $2, $3)
ON CONFLICT (name) DO UPDATE SET tested_at = excluded.tested_at, test_error = excluded.test_error"
);

#[cfg(test)]
pub(crate) const EVERY: &[Sql] = &[ALL, PUT, DELETE, NOTE_TEST];
