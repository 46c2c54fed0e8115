//! Whom the host lets in.

use errtrack_core::Role;

/// Somebody whom the host's own login has let in; made by what is given to [`Access::host`](crate::Access::host).
#[derive(Debug, Clone)]
pub struct Guest {
    pub(super) role: Role,
    pub(super) name: Option<String>,
    pub(super) projects: Option<Vec<String>>,
}

impl Guest {
    /// Somebody with that role in all projects.
    #[must_use]
    pub fn new(role: Role) -> Self {
        Self { role, name: None, projects: None }
    }

    /// Who it is, for the audit log and on the pages; an address or a name.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Only these projects, by their slugs. What is in others is not there for this guest, and what concerns everybody
    /// (keys, members, retention) is closed to it whatever its role is. A slug that no project has yet counts from the
    /// moment that one has it.
    #[must_use]
    pub fn projects(mut self, slugs: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.projects = Some(slugs.into_iter().map(Into::into).collect());
        self
    }
}

impl From<Role> for Guest {
    fn from(role: Role) -> Self {
        Self::new(role)
    }
}
