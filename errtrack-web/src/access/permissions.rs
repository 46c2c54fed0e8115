//! The four permissions, and which roles have them.

use errtrack_core::{Permission, Role};

/// What a key or a member may do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Permissions {
    /// Report.
    pub ingest: bool,
    /// See.
    pub read: bool,
    /// Resolve, delete, change rules and incidents.
    pub write: bool,
    /// Change settings.
    pub admin: bool,
}

impl Permissions {
    /// Nothing.
    pub(crate) const NONE: Self = Self { ingest: false, read: false, write: false, admin: false };
    /// Reporting alone.
    pub const INGEST: Self = Self { ingest: true, read: false, write: false, admin: false };
    /// Seeing alone.
    pub const READ: Self = Self { ingest: false, read: true, write: false, admin: false };
    /// Changing, which includes seeing and reporting.
    pub const WRITE: Self = Self { ingest: true, read: true, write: true, admin: false };
    /// Everything.
    pub const ALL: Self = Self { ingest: true, read: true, write: true, admin: true };
}

impl From<Role> for Permissions {
    fn from(role: Role) -> Self {
        match role {
            Role::Viewer => Self::READ,
            Role::Developer => Self::WRITE,
            Role::Admin | Role::Owner => Self::ALL,
        }
    }
}

impl From<&[Permission]> for Permissions {
    fn from(list: &[Permission]) -> Self {
        let has = |permission| list.contains(&permission);
        let admin = has(Permission::Admin);
        let write = admin || has(Permission::Write);
        Self { ingest: write || has(Permission::Ingest), read: write || has(Permission::Read), write, admin }
    }
}
