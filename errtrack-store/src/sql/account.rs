//! Members and tokens.

use super::{Sql, sql};

/// What is read of a member, whose table is `m`.
macro_rules! columns {
    () => {
        "m.id, m.email, m.name, m.role, m.status, m.projects, m.password_hash, m.second_factor IS NOT NULL, m.created_at, m.last_active"
    };
}
pub(crate) use columns;

pub(crate) const BY_EMAIL: Sql = sql!("SELECT ", member_columns, " FROM errtrack_member m WHERE m.email = $1");
pub(crate) const BY_ID: Sql = sql!("SELECT ", member_columns, " FROM errtrack_member m WHERE m.id = $1");
pub(crate) const ALL: Sql = sql!("SELECT ", member_columns, " FROM errtrack_member m ORDER BY m.created_at, m.id");
pub(crate) const COUNT: Sql = sql!("SELECT COUNT(*) FROM errtrack_member");

pub(crate) const PUT: Sql = sql!(
    "
INSERT INTO errtrack_member AS m (id, email, name, role, status, projects, password_hash, created_at, last_active)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (email) DO UPDATE SET name = excluded.name, role = excluded.role, status = excluded.status,
  projects = excluded.projects, password_hash = excluded.password_hash
RETURNING ",
    either(
        "id, email, name, role, status, projects, password_hash, second_factor IS NOT NULL, created_at, last_active",
        "m.id, m.email, m.name, m.role, m.status, m.projects, m.password_hash, m.second_factor IS NOT NULL, m.created_at, m.last_active"
    )
);

pub(crate) const ADD: Sql = sql!(
    "
INSERT INTO errtrack_member (id, email, name, role, status, projects, password_hash, created_at, last_active)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (email) DO NOTHING"
);

/// The active owners. Whoever changes members waits here for whoever else does, so that not each of two owners lets the
/// other one go.
pub(crate) const LOCK_OWNERS: Sql = sql!(
    "SELECT id FROM errtrack_member WHERE role = 'owner' AND status = 'active' ORDER BY id",
    either("", " FOR UPDATE")
);

/// A member whom nobody else changes until the transaction ends.
pub(crate) const LOCK: Sql =
    sql!("SELECT ", member_columns, " FROM errtrack_member m WHERE m.id = $1", either("", " FOR UPDATE"));

/// The status of a member whom nobody else changes until the transaction ends.
pub(crate) const LOCK_STATUS: Sql = sql!("SELECT status FROM errtrack_member WHERE id = $1", either("", " FOR UPDATE"));

pub(crate) const CHANGE: Sql = sql!(
    "UPDATE errtrack_member SET name = $2, role = $3, status = $4, projects = $5, password_hash = $6 WHERE id = $1"
);

pub(crate) const DELETE: Sql = sql!("DELETE FROM errtrack_member WHERE id = $1");

/// `$2` the kind that stays, if any.
pub(crate) const DELETE_TOKENS: Sql = sql!("DELETE FROM errtrack_token WHERE member_id = $1 AND kind <> $2");

pub(crate) const NOTE_ACTIVITY: Sql =
    sql!("UPDATE errtrack_member SET last_active = $2 WHERE id = $1 AND (last_active IS NULL OR last_active < $2)");

pub(crate) const SECOND_FACTOR: Sql = sql!("SELECT second_factor FROM errtrack_member WHERE id = $1");

/// `$2` what it was, `$3` what it shall be.
pub(crate) const SWAP_SECOND_FACTOR: Sql = sql!(
    "
UPDATE errtrack_member SET second_factor = $3
WHERE id = $1 AND (second_factor = CAST($2 AS TEXT) OR (second_factor IS NULL AND CAST($2 AS TEXT) IS NULL))"
);

pub(crate) const PUT_TOKEN: Sql = sql!(
    "
INSERT INTO errtrack_token (kind, hash, member_id, expires_at, created_at, about) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (kind, hash) DO UPDATE SET member_id = excluded.member_id, expires_at = excluded.expires_at"
);

pub(crate) const TOKEN_MEMBER: Sql = sql!(
    "SELECT ",
    member_columns,
    " FROM errtrack_token t JOIN errtrack_member m ON m.id = t.member_id
WHERE t.kind = $1 AND t.hash = $2 AND t.expires_at > $3 AND m.status <> 'disabled'"
);

pub(crate) const TAKE_TOKEN: Sql =
    sql!("DELETE FROM errtrack_token WHERE kind = $1 AND hash = $2 RETURNING expires_at");

pub(crate) const TOKENS: Sql = sql!(
    "
SELECT hash, created_at, expires_at, about FROM errtrack_token
WHERE member_id = $1 AND kind = $2 AND expires_at > $3 ORDER BY created_at DESC, hash"
);

/// `$3` the one that stays, if any.
pub(crate) const END_TOKENS: Sql = sql!("DELETE FROM errtrack_token WHERE member_id = $1 AND kind = $2 AND hash <> $3");

#[cfg(test)]
pub(crate) const EVERY: &[Sql] = &[
    BY_EMAIL,
    BY_ID,
    ALL,
    COUNT,
    PUT,
    ADD,
    LOCK_OWNERS,
    LOCK,
    LOCK_STATUS,
    CHANGE,
    DELETE,
    DELETE_TOKENS,
    NOTE_ACTIVITY,
    SECOND_FACTOR,
    SWAP_SECOND_FACTOR,
    PUT_TOKEN,
    TOKEN_MEMBER,
    TAKE_TOKEN,
    TOKENS,
    END_TOKENS,
];
