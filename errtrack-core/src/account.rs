//! Members: the people who sign in.

use crate::{ProjectId, Timestamp};
use serde::Serialize;
use std::{fmt, net::IpAddr, str::FromStr, time::Duration};
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

/// Whether a member may sign in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MemberStatus {
    /// Yes.
    #[default]
    Active,
    /// Not before the invitation is taken up.
    Invited,
    /// No more.
    Disabled,
}

impl MemberStatus {
    /// The name used in JSON and in the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Invited => "invited",
            Self::Disabled => "disabled",
        }
    }
}

impl FromStr for MemberStatus {
    type Err = UnknownMemberStatus;

    fn from_str(name: &str) -> Result<Self, UnknownMemberStatus> {
        [Self::Active, Self::Invited, Self::Disabled]
            .into_iter()
            .find(|s| s.as_str() == name)
            .ok_or(UnknownMemberStatus)
    }
}

/// The error of parsing the status of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not one of active, invited, disabled")]
pub struct UnknownMemberStatus;

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
    /// Whether the member may sign in.
    pub status: MemberStatus,
    /// The projects that the member may see; `None` means all.
    pub projects: Option<Vec<ProjectId>>,
    /// The argon2id hash of the password in PHC form; `None` until one is set.
    pub password_hash: Option<String>,
    /// Whether signing in asks for more than the password. A store answers it; what is written does not change it.
    pub has_second_factor: bool,
    /// When the member was added.
    pub created_at: Timestamp,
    /// When the member last did something, to the minute.
    pub last_active: Option<Timestamp>,
}

impl Member {
    /// An active member without a name or password, made now; the address is taken in lower case.
    #[must_use]
    pub fn new(email: &str, role: Role) -> Self {
        Self {
            id: Uuid::now_v7(),
            email: email.trim().to_lowercase(),
            name: String::new(),
            role,
            status: MemberStatus::Active,
            projects: None,
            password_hash: None,
            has_second_factor: false,
            created_at: Timestamp::now(),
            last_active: None,
        }
    }

    /// Whether this is somebody who can change owners.
    #[must_use]
    pub fn is_active_owner(&self) -> bool {
        self.role == Role::Owner && self.status == MemberStatus::Active
    }
}

/// What to change about a member; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemberChange {
    /// The name for people.
    pub name: Option<String>,
    /// What the member may do.
    pub role: Option<Role>,
    /// Whether the member may sign in.
    pub status: Option<MemberStatus>,
    /// The projects that the member may see; `Some(None)` means all.
    pub projects: Option<Option<Vec<ProjectId>>>,
    /// The argon2id hash of the password.
    pub password_hash: Option<String>,
}

impl MemberChange {
    /// The member as it is after the change.
    #[must_use]
    pub fn of(&self, member: &Member) -> Member {
        let mut after = member.clone();
        if let Some(name) = &self.name {
            after.name.clone_from(name);
        }
        after.role = self.role.unwrap_or(after.role);
        after.status = self.status.unwrap_or(after.status);
        if let Some(projects) = &self.projects {
            after.projects.clone_from(projects);
        }
        if self.password_hash.is_some() {
            after.password_hash.clone_from(&self.password_hash);
        }
        after
    }
}

/// What came of changing or deleting a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemberChanged {
    /// It is done; the member as it is now, or was when it went.
    Done(Member),
    /// There is no such member.
    Gone,
    /// Nothing was changed: no active owner would be left.
    LastOwner,
}

/// What a key may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Permission {
    /// To report.
    Ingest,
    /// To see.
    Read,
    /// To resolve, delete, change rules; includes seeing and reporting.
    Write,
    /// To change settings; includes everything.
    Admin,
}

impl Permission {
    /// Every permission.
    pub const ALL: [Self; 4] = [Self::Ingest, Self::Read, Self::Write, Self::Admin];

    /// The name used in JSON and in the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

impl FromStr for Permission {
    type Err = UnknownPermission;

    fn from_str(name: &str) -> Result<Self, UnknownPermission> {
        Self::ALL.into_iter().find(|p| p.as_str() == name).ok_or(UnknownPermission)
    }
}

/// The error of parsing a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not one of ingest, read, write, admin")]
pub struct UnknownPermission;

/// A key that programs are known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// The public id.
    pub id: Uuid,
    /// The SHA-256 of the key, which is stored nowhere.
    pub hash: TokenHash,
    /// The name for people.
    pub name: String,
    /// What is shown of the key: `sk_****7890`.
    pub preview: String,
    /// What it may be used for.
    pub permissions: Vec<Permission>,
    /// The projects that it opens; `None` means all.
    pub projects: Option<Vec<ProjectId>>,
    /// From when on it opens nothing.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it, as the audit log names people.
    pub created_by: String,
}

/// A token of a member, as a store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What it is good for.
    pub kind: TokenKind,
    /// The hash of the token.
    pub hash: TokenHash,
    /// Whose it is.
    pub member: Uuid,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is good for nothing.
    pub expires_at: Timestamp,
    /// What is known of who got it, for people: a browser, an address.
    pub about: String,
}

impl Token {
    /// A token, made now, that lasts that long.
    #[must_use]
    pub fn new(kind: TokenKind, hash: TokenHash, member: Uuid, lasts: Duration) -> Self {
        let now = Timestamp::now();
        Self { kind, hash, member, created_at: now, expires_at: now.plus(lasts), about: String::new() }
    }
}

/// An entry of the audit log: who did what when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its place in the log, given by the store when it is written; later entries have larger ones.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// Who: an address, the name of a key.
    pub who: String,
    /// What was done, as `member.invite`.
    pub action: String,
    /// What it was done to.
    pub target: String,
    /// What else is known, for people.
    pub details: String,
    /// The project that it concerns.
    pub project: Option<ProjectId>,
    /// The address that the request came from.
    pub address: Option<IpAddr>,
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
    /// Lets somebody who is invited become a member, once.
    Invitation,
    /// Sets a new password, once.
    PasswordReset,
    /// Given for the right password while the second factor is still asked for.
    HalfSignIn,
}
