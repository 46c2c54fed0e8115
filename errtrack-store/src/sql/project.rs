//! Projects and their public keys.

pub(crate) const ALL: &str = "
SELECT p.id, p.slug, p.name, p.platform, k.key FROM errtrack_project p
LEFT JOIN errtrack_public_key k ON k.project_id = p.id ORDER BY p.id, k.id";

pub(crate) const BY_SLUG: &str = "
SELECT p.id, p.slug, p.name, p.platform, k.key FROM errtrack_project p
LEFT JOIN errtrack_public_key k ON k.project_id = p.id WHERE p.slug = $1 ORDER BY k.id";

pub(crate) const INSERT: &str = "
INSERT INTO errtrack_project (slug, name, created_at) VALUES ($1, $1, $2)
ON CONFLICT (slug) DO NOTHING RETURNING id";

pub(crate) const INSERT_KEY: &str = "
INSERT INTO errtrack_public_key (project_id, key)
SELECT id, $2 FROM errtrack_project WHERE id = $1
ON CONFLICT (key) DO NOTHING";

#[cfg(test)]
pub(crate) const EVERY: &[&str] = &[ALL, BY_SLUG, INSERT, INSERT_KEY];
