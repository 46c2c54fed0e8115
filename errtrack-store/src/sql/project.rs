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

pub(crate) const INSERT_KEY: Sql = sql!(
    "
INSERT INTO errtrack_public_key (project_id, key)
SELECT id, $2 FROM errtrack_project WHERE id = $1
ON CONFLICT (key) DO NOTHING"
);

#[cfg(test)]
pub(crate) const EVERY: &[Sql] = &[ALL, BY_SLUG, INSERT, INSERT_KEY];
