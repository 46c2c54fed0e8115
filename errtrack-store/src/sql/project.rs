//! Projects and their public keys.

use super::{Sql, sql};

pub(crate) const ALL: Sql = sql!(
    "
SELECT p.id, p.slug, p.name, p.platform, k.key FROM errtrack_project p
LEFT JOIN errtrack_public_key k ON k.project_id = p.id ORDER BY p.id, k.id"
);

pub(crate) const BY_SLUG: Sql = sql!(
    "
SELECT p.id, p.slug, p.name, p.platform, k.key FROM errtrack_project p
LEFT JOIN errtrack_public_key k ON k.project_id = p.id WHERE p.slug = $1 ORDER BY k.id"
);

pub(crate) const INSERT: Sql = sql!(
    "
INSERT INTO errtrack_project (slug, name, created_at) VALUES ($1, $1, $2)
ON CONFLICT (slug) DO NOTHING RETURNING id"
);

/// A project of the slug `$1`, the name `$2`, the platform `$3` at the time `$4`.
pub(crate) const CREATE: Sql = sql!(
    "
INSERT INTO errtrack_project (slug, name, platform, created_at) VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING RETURNING id"
);
/// The same with the number `$5`.
pub(crate) const CREATE_AS: Sql = sql!(
    "
INSERT INTO errtrack_project (id, slug, name, platform, created_at)
SELECT CAST($5 AS BIGINT), CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS BIGINT)
WHERE NOT EXISTS (SELECT 1 FROM errtrack_deleted_project d WHERE d.project_id = $5)
ON CONFLICT DO NOTHING RETURNING id"
);
/// Numbers that are given from now on lie above `$1`. SQLite sees to it by itself.
pub(crate) const RESERVE: Sql = sql!(either(
    "SELECT CAST($1 AS BIGINT)",
    "
SELECT setval(s.name, GREATEST(nextval(s.name), CAST($1 AS BIGINT)))
FROM (SELECT CAST(pg_get_serial_sequence('errtrack_project', 'id') AS REGCLASS) AS name) s"
));
/// Gives the project `$1` the slug `$2`, the name `$3` and the platform `$4`, unless another has that slug.
pub(crate) const UPDATE: Sql = sql!(
    "
UPDATE errtrack_project SET slug = $2, name = $3, platform = $4
WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM errtrack_project o WHERE o.slug = $2 AND o.id <> $1)
RETURNING id"
);
pub(crate) const DELETE_KEY: Sql = sql!("DELETE FROM errtrack_public_key WHERE project_id = $1 AND key = $2");

pub(crate) const INSERT_KEY: Sql = sql!(
    "
INSERT INTO errtrack_public_key (project_id, key)
SELECT id, $2 FROM errtrack_project WHERE id = $1
ON CONFLICT (key) DO NOTHING"
);

#[cfg(test)]
pub(crate) const EVERY: &[Sql] = &[ALL, BY_SLUG, INSERT, CREATE, CREATE_AS, RESERVE, UPDATE, DELETE_KEY, INSERT_KEY];
