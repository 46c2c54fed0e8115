//! Members: the people who sign in.

use crate::Timestamp;
use serde::Serialize;
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// What a member may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Reads and writes: resolves, deletes, makes rules.
    Developer,
    /// Also changes settings.
    Admin,
    /// Also changes owners.
    Owner,
}

impl Role {
    /// The name used in JSON and in the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Developer => "developer",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(name: &str) -> Result<Self, UnknownRole> {
        [Self::Viewer, Self::Developer, Self::Admin, Self::Owner]
            .into_iter()
            .find(|r| r.as_str() == name)
            .ok_or(UnknownRole)
    }
}

/// The error of parsing a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not one of viewer, developer, admin, owner")]
pub struct UnknownRole;

/// A person who may sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The public id.
    pub id: Uuid,
    /// The address to sign in with, in lower case.
    pub email: String,
    /// The name for people; empty if none was given.
    pub name: String,
    /// What the member may do.
    pub role: Role,
    /// The argon2id hash of the password in PHC form; `None` until one is set.
    pub password_hash: Option<String>,
    /// When the member was added.
    pub created_at: Timestamp,
}

/// The SHA-256 of a secret token. Tokens themselves are never stored.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash(pub [u8; 32]);

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

/// What a stored token is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// Carried in the cookie of a signed-in browser.
    Session,
    /// Signs in once.
    SignInLink,
}
