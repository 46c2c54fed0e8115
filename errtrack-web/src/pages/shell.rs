//! What surrounds every page: links, theme, who looks at it, and the guards at the door.

use super::{
    assets,
    banner::{self, Banner},
    failure::Failure,
    text, theme,
};
use crate::{access::Caller, app::App, error::Error, links::Links};
use axum::{
    extract::FromRequestParts,
    http::{Method, request::Parts},
};
use errtrack_core::{Member, Project};
use std::convert::Infallible;

static NOBODY: Caller = Caller::NOBODY;

/// The surroundings of a page, before it is known what the page shows.
#[derive(Debug, Clone)]
pub(super) struct Shell {
    pub(super) links: Links,
    /// The path and query of the request, relative to the mount point.
    pub(super) here: String,
    pub(super) caller: Option<Caller>,
    theme: Option<&'static str>,
    has_sign_in: bool,
    has_members: bool,
    banner: Option<Banner>,
}

/// Somebody who may look at pages.
#[derive(Debug)]
pub(super) struct Viewer(pub(super) Shell);

/// Somebody who may change things.
#[derive(Debug)]
pub(super) struct Editor(pub(super) Shell);

/// Somebody who may change settings.
#[derive(Debug)]
pub(super) struct Admin(pub(super) Shell);

/// Somebody who may change what concerns everybody.
#[derive(Debug)]
pub(super) struct AdminOfAll(pub(super) Shell);

/// What the layout template shows.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) title: String,
    /// Which entry of the main menu the page belongs to.
    pub(super) area: &'static str,
    pub(super) theme: Option<&'static str>,
    pub(super) css: String,
    pub(super) js: String,
    pub(super) icon: String,
    pub(super) home: String,
    pub(super) overview: String,
    pub(super) issues: String,
    pub(super) performance: String,
    pub(super) monitoring: String,
    pub(super) start: String,
    pub(super) rules: String,
    /// Only there for somebody who may change settings.
    pub(super) privacy: Option<String>,
    /// Only there for somebody who may change settings.
    pub(super) projects_url: Option<String>,
    pub(super) system: String,
    /// Only there for somebody who may change what concerns everybody.
    pub(super) people: Option<People>,
    /// Only there for a member.
    pub(super) account: Option<String>,
    pub(super) docs: String,
    /// What everybody has to know now, on whatever page.
    pub(super) banner: Option<Banner>,
    pub(super) theme_url: String,
    /// Only there for somebody who has signed in here.
    pub(super) logout_url: Option<String>,
    /// Where the theme form returns to.
    pub(super) here: String,
    pub(super) who: Option<Who>,
    /// The name of the chosen project, and the others; empty where there is only one.
    pub(super) project: String,
    pub(super) projects: Vec<Choice>,
    pub(super) version: &'static str,
}

/// Links to what is about people and keys.
#[derive(Debug, Clone)]
pub(super) struct People {
    /// Only there where members and keys are kept here.
    pub(super) team: Option<String>,
    pub(super) keys: Option<String>,
    pub(super) audit: String,
}

/// A person in a circle.
#[derive(Debug, Clone)]
pub(super) struct Who {
    pub(super) name: String,
    pub(super) initials: String,
}

/// A line of a menu, a tab, a chip.
#[derive(Debug, Clone)]
pub(super) struct Choice {
    pub(super) label: String,
    pub(super) url: String,
    pub(super) current: bool,
    pub(super) note: String,
}

impl Shell {
    pub(super) fn layout(&self, title: impl Into<String>) -> Layout {
        let links = &self.links;
        let caller = self.caller();
        let guest = || caller.name.as_deref().map(Who::named);
        Layout {
            title: title.into(),
            area: "issues",
            theme: self.theme,
            css: links.path(assets::path("style.css")),
            js: links.path(assets::path("app.js")),
            icon: links.path(assets::path("icon.svg")),
            home: links.home(),
            overview: links.path("/overview"),
            issues: links.path("/issues"),
            performance: links.path("/performance"),
            monitoring: links.path("/monitoring"),
            start: links.path("/start"),
            rules: links.path("/settings/rules"),
            privacy: self.may_admin().then(|| links.path("/settings/privacy")),
            projects_url: self.may_admin().then(|| links.path("/settings/projects")),
            system: links.path("/settings/system"),
            people: self.may_admin_all().then(|| People {
                team: self.has_members.then(|| links.path("/settings/team")),
                keys: self.has_members.then(|| links.path("/settings/keys")),
                audit: links.path("/settings/audit"),
            }),
            account: caller.member.as_ref().map(|_| links.path("/settings/account")),
            docs: links.path("/docs"),
            banner: self.banner.clone(),
            theme_url: links.path("/theme"),
            logout_url: (self.caller.is_some() && self.has_sign_in).then(|| links.path("/logout")),
            here: self.here.clone(),
            who: caller.member.as_ref().map(Who::member).or_else(guest),
            project: String::new(),
            projects: Vec::new(),
            version: env!("CARGO_PKG_VERSION"),
        }
    }

    /// Who looks; nobody, who sees nothing, where it was not asked.
    pub(super) fn caller(&self) -> &Caller {
        self.caller.as_ref().unwrap_or(&NOBODY)
    }

    /// Whether the caller may change things; buttons that would be refused are not shown.
    pub(super) fn may_write(&self) -> bool {
        self.caller().permissions.write
    }

    /// Whether the caller may change settings of projects.
    pub(super) fn may_admin(&self) -> bool {
        self.caller().permissions.admin
    }

    /// Whether the caller may change what concerns everybody, and see what may hold secrets of all.
    pub(super) fn may_admin_all(&self) -> bool {
        self.caller().is_admin_of_all()
    }

    /// Only for tests of templates.
    #[cfg(test)]
    pub(super) fn sample(caller: Caller) -> Self {
        let links = Links::sample("/errors", "https://shop.example.com/errors");
        let banner = Some(Banner::sample());
        Self {
            links,
            here: "/issues".into(),
            caller: Some(caller),
            theme: None,
            has_sign_in: true,
            has_members: true,
            banner,
        }
    }

    async fn admit(parts: &mut Parts, app: &App, allowed: fn(&Caller) -> bool) -> Result<Self, Failure> {
        let Ok(mut shell) = Self::from_request_parts(parts, app).await;
        match Caller::find(app, parts).await? {
            Some(caller) if allowed(&caller) => shell.caller = Some(caller),
            Some(_) => return Err(Error::forbidden("your role does not allow this").into()),
            None if shell.has_sign_in => return Err(Failure::Elsewhere(shell.sign_in_url(&parts.method))),
            None => {
                let message = "the program that this dashboard is part of does not let you in; sign in there first";
                return Err(Error::forbidden(message).into());
            }
        }
        Ok(shell)
    }

    /// The sign-in page, which leads back here; a form that was sent cannot be sent again that way.
    fn sign_in_url(&self, method: &Method) -> String {
        if method.is_safe() && self.here != "/" {
            self.links.path(text::url("/login", &[("next", &self.here)]))
        } else {
            self.links.path("/login")
        }
    }
}

impl Layout {
    /// Adds the menu of projects, where there are several. `url` makes the link of each.
    pub(super) fn with_projects(
        mut self,
        projects: &[Project],
        chosen: Option<&Project>,
        url: impl Fn(Option<&Project>) -> String,
    ) -> Self {
        self.project = chosen.map_or_else(|| "All projects".into(), name);
        if projects.len() < 2 {
            self.project = projects.first().map(name).unwrap_or_default();
            return self;
        }
        let choice = |project: Option<&Project>| Choice {
            label: project.map_or_else(|| "All projects".into(), name),
            url: url(project),
            current: project.map(|p| p.id) == chosen.map(|p| p.id),
            note: String::new(),
        };
        self.projects = std::iter::once(None).chain(projects.iter().map(Some)).map(choice).collect();
        self
    }
}

/// The name of a project for people.
pub(super) fn name(project: &Project) -> String {
    let name = if project.name.is_empty() { &project.slug } else { &project.name };
    text::line(name, 60)
}

impl Who {
    fn member(member: &Member) -> Self {
        Self::named(if member.name.is_empty() { &member.email } else { &member.name })
    }

    /// A person known by a name or an address.
    pub(super) fn named(name: &str) -> Self {
        let words = name.split('@').next().unwrap_or(name).split([' ', '.', '-', '_']);
        let initials: String =
            words.filter_map(|word| word.chars().next()).take(2).flat_map(char::to_uppercase).collect();
        Self { name: text::line(name, 80), initials: text::visible(&initials) }
    }
}

impl FromRequestParts<App> for Shell {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let links = Links::from_request_parts(parts, app).await?;
        let here = parts.uri.path_and_query().map_or("/", |p| p.as_str()).to_owned();
        let theme = theme::chosen(&parts.headers);
        let (has_sign_in, has_members) = (app.access().has_sign_in(), app.access().has_members());
        let banner = banner::of(app);
        Ok(Self { links, here, caller: None, theme, has_sign_in, has_members, banner })
    }
}

impl FromRequestParts<App> for Viewer {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        Shell::admit(parts, app, |caller| caller.permissions.read).await.map(Self)
    }
}

impl FromRequestParts<App> for Editor {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        Shell::admit(parts, app, |caller| caller.permissions.write).await.map(Self)
    }
}

impl FromRequestParts<App> for Admin {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        Shell::admit(parts, app, |caller| caller.permissions.admin).await.map(Self)
    }
}

impl FromRequestParts<App> for AdminOfAll {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        Shell::admit(parts, app, Caller::is_admin_of_all).await.map(Self)
    }
}
