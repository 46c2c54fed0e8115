//! The services that take tickets, and the settings that each needs.

use crate::{
    Field, Settings,
    kind::{field, masked_settings, merged_settings, required, secret},
};
use std::{fmt, str::FromStr};

/// A service that takes tickets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TicketKind {
    /// Issues of GitHub, also of GitHub Enterprise.
    GitHub,
    /// Issues of GitLab.
    GitLab,
    /// Issues of Jira, Cloud or Data Center.
    Jira,
}

const LABELS: Field = field("labels", "Labels", "bug, errtrack; with commas between");
const GITHUB: &[Field] = &[
    secret(required("token", "Token", "github_pat_…, which may read and write issues of the repository")),
    required("repository", "Repository", "acme/shop"),
    field("api_url", "Address of the API", "https://api.github.com unless set; https://github.example.com/api/v3"),
    LABELS,
];
const GITLAB: &[Field] = &[
    secret(required("token", "Token", "glpat-…, with the scope `api`")),
    required("project", "Project", "acme/shop, or its number"),
    field("url", "Address", "https://gitlab.com unless set"),
    LABELS,
];
const JIRA: &[Field] = &[
    required("url", "Address", "https://acme.atlassian.net"),
    field("email", "E-mail address", "whose API token it is (Cloud); empty for a personal access token (Data Center)"),
    secret(required("token", "Token", "the API token, or the personal access token")),
    required("project", "Project", "its key: SHOP"),
    field("issue_type", "Type of issue", "Bug unless set"),
    field("labels", "Labels", "bug, errtrack; with commas between, without spaces"),
];

impl TicketKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::GitHub, Self::GitLab, Self::Jira];

    /// Its name in JSON; also the name of its first integration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GitHub => "github",
            Self::GitLab => "gitlab",
            Self::Jira => "jira",
        }
    }

    /// Its name for people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::GitHub => "GitHub",
            Self::GitLab => "GitLab",
            Self::Jira => "Jira",
        }
    }

    /// The settings that it takes.
    #[must_use]
    pub const fn fields(self) -> &'static [Field] {
        match self {
            Self::GitHub => GITHUB,
            Self::GitLab => GITLAB,
            Self::Jira => JIRA,
        }
    }

    /// Whether this program can ask it.
    #[must_use]
    pub const fn is_built_in(self) -> bool {
        cfg!(feature = "webhook")
    }

    /// Where tickets go, for people: a repository or a project.
    #[must_use]
    pub fn target(self, settings: &Settings) -> &str {
        let name = if self == Self::GitHub { "repository" } else { "project" };
        settings.get(name).map_or("", |target| target.trim())
    }

    /// Settings as people may see them: of a token its end.
    #[must_use]
    pub fn masked(self, settings: &Settings) -> Settings {
        masked_settings(self.fields(), settings)
    }

    /// What is set after somebody has set `given`: a secret that is left out, or given as it is shown, stays as it is.
    #[must_use]
    pub fn merged(self, before: Option<&Settings>, given: &Settings) -> Settings {
        merged_settings(self.fields(), before, given)
    }
}

impl fmt::Display for TicketKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The error of parsing a [`TicketKind`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be one of github, gitlab, jira")]
pub struct UnknownTicketKind;

impl FromStr for TicketKind {
    type Err = UnknownTicketKind;

    fn from_str(text: &str) -> Result<Self, UnknownTicketKind> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(UnknownTicketKind)
    }
}
