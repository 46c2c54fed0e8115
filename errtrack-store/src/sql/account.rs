//! Members and tokens.

use super::{Sql, sql};

pub(crate) const BY_EMAIL: Sql =
    sql!("SELECT id, email, name, role, password_hash, created_at FROM errtrack_member WHERE email = $1");

pub(crate) const COUNT: Sql = sql!("SELECT COUNT(*) FROM errtrack_member");

pub(crate) const PUT: Sql = sql!(
    "
INSERT INTO errtrack_member (id, email, name, role, password_hash, created_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (email) DO UPDATE SET name = excluded.name, role = excluded.role, password_hash = excluded.password_hash
RETURNING id, email, name, role, password_hash, created_at"
);

pub(crate) const PUT_TOKEN: Sql = sql!(
    "
INSERT INTO errtrack_token (kind, hash, member_id, expires_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (kind, hash) DO UPDATE SET member_id = excluded.member_id, expires_at = excluded.expires_at"
);

pub(crate) const TOKEN_MEMBER: Sql = sql!(
    "
SELECT m.id, m.email, m.name, m.role, m.password_hash, m.created_at FROM errtrack_token t
JOIN errtrack_member m ON m.id = t.member_id WHERE t.kind = $1 AND t.hash = $2 AND t.expires_at > $3"
);

pub(crate) const TAKE_TOKEN: Sql =
    sql!("DELETE FROM errtrack_token WHERE kind = $1 AND hash = $2 RETURNING expires_at");

#[cfg(test)]
pub(crate) const EVERY: &[Sql] = &[BY_EMAIL, COUNT, PUT, PUT_TOKEN, TOKEN_MEMBER, TAKE_TOKEN];
