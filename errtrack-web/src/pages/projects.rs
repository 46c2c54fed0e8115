//! Projects: their names, keys and DSNs.

use super::{
    failure::Failure,
    page::Page,
    shell::{self, Admin, AdminOfAll, Layout, Shell},
    text,
};
use crate::{
    app::App,
    error::Error,
    projects,
    quotas::{self, Quota},
};
use askama::Template;
use axum::{
    Form,
    extract::{Path, State},
    response::Redirect,
};
use errtrack_core::{Project, ProjectId, Timestamp, store::ProjectRetention};
use serde::Deserialize;

/// The page.
#[derive(Debug, Template)]
#[template(path = "projects.html")]
pub(super) struct ProjectsPage {
    layout: Layout,
    action: String,
    /// Whether the caller may make and delete projects.
    is_for_all: bool,
    projects: Vec<Shown>,
}

/// A project as the page shows it.
#[derive(Debug)]
struct Shown {
    id: i64,
    name: String,
    slug: String,
    platform: String,
    url: String,
    issues: String,
    keys: Vec<Key>,
    /// Days and events that it keeps; empty for what the program says.
    age_days: String,
    events: String,
    /// Events that it may have in a month, and how many it has had; both empty where that is not limited.
    quota: String,
    used: String,
    /// This program reports to it itself.
    is_own: bool,
}

/// A public key.
#[derive(Debug)]
struct Key {
    /// Of what the page refers to it by.
    id: String,
    key: String,
    dsn: String,
}

/// `GET /settings/projects`
pub(super) async fn show(State(app): State<App>, Admin(shell): Admin) -> Result<Page<ProjectsPage>, Failure> {
    let projects = shell.caller().projects(&app).await?;
    let kept = app.store().settings(ProjectRetention::SETTING).await?;
    let (now, mut quotas) = (Timestamp::now(), Vec::new());
    for (id, quota) in quotas::all(&app).await? {
        if let (Some(most), true) = (quota.events_per_month, projects.iter().any(|project| project.id == id)) {
            quotas.push((id, most, quotas::read(&app, id, now).await?));
        }
    }
    Ok(Page::new(ProjectsPage::new(&shell, &projects, &kept, &quotas, app.tracker().project())))
}

impl ProjectsPage {
    fn new(
        shell: &Shell,
        projects: &[Project],
        kept: &[(ProjectId, String)],
        quotas: &[(ProjectId, u64, u64)],
        own: &Project,
    ) -> Self {
        let mut layout = shell.layout("Projects");
        layout.area = "projects";
        let action = shell.links.path("/settings/projects");
        let kept = |project: &Project| {
            let json = kept.iter().find(|(id, _)| *id == project.id).map(|(_, json)| json.as_str());
            json.map(ProjectRetention::from_json).unwrap_or_default()
        };
        let quota = |project: &Project| quotas.iter().find(|(id, ..)| *id == project.id);
        let shown = |project: &Project| Shown {
            quota: quota(project).map(|(_, most, _)| most.to_string()).unwrap_or_default(),
            used: quota(project).map(|(_, _, used)| text::count(*used)).unwrap_or_default(),
            age_days: kept(project).age_days.map(|days| days.to_string()).unwrap_or_default(),
            events: kept(project).events.map(|events| events.to_string()).unwrap_or_default(),
            id: project.id.0,
            name: shell::name(project),
            slug: text::line(&project.slug, 60),
            platform: project.platform.as_deref().map_or_else(String::new, |platform| text::line(platform, 100)),
            url: format!("{action}/{}", project.id),
            issues: shell
                .links
                .path(text::url("/issues", &[("q", &format!("is:unresolved project:{}", project.slug))])),
            keys: (1..)
                .zip(&project.public_keys)
                .map(|(place, key)| Key {
                    id: format!("dsn-{}-{place}", project.id),
                    key: text::line(key, 100),
                    dsn: text::line(&shell.links.dsn(key, project.id), 400),
                })
                .collect(),
            is_own: project.id == own.id,
        };
        let projects = projects.iter().map(shown).collect();
        Self { layout, is_for_all: shell.caller().is_admin_of_all(), projects, action }
    }

    #[cfg(test)]
    pub(super) fn samples(shell: &Shell) -> Vec<Self> {
        use super::samples::{HOSTILE, project};
        let own = project("checkout-api", 1);
        let mut hostile = project("shop", 2);
        (hostile.name, hostile.platform) = (HOSTILE.into(), Some(HOSTILE.into()));
        hostile.public_keys = vec![HOSTILE.into(), "key".into()];
        let kept = [(own.id, r#"{"age_days":30,"events":1000}"#.to_owned())];
        let quotas = [(own.id, 100_000, 12_345)];
        vec![Self::new(shell, &[own.clone(), hostile], &kept, &quotas, &own), Self::new(shell, &[], &[], &[], &own)]
    }
}

/// A project as the forms say it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Draft {
    slug: String,
    name: String,
    platform: String,
}

/// `POST /settings/projects`: makes one.
pub(super) async fn create(
    State(app): State<App>,
    AdminOfAll(shell): AdminOfAll,
    Form(draft): Form<Draft>,
) -> Result<Redirect, Failure> {
    let Draft { slug, name, platform } = &draft;
    let made = projects::create(&app, shell.caller(), None, Some(slug.trim()), Some(name), Some(platform)).await?;
    Ok(back(&shell, &made))
}

/// `POST /settings/projects/{id}`: changes it.
pub(super) async fn update(
    State(app): State<App>,
    Admin(shell): Admin,
    Path(id): Path<String>,
    Form(draft): Form<Draft>,
) -> Result<Redirect, Failure> {
    let project = shell.caller().find_project(&app, &id).await?;
    let Draft { slug, name, platform } = &draft;
    let changed =
        projects::update(&app, shell.caller(), project, Some(slug.trim()), Some(name), Some(Some(platform))).await?;
    Ok(back(&shell, &changed))
}

/// `POST /settings/projects/{id}/delete`
pub(super) async fn delete(
    State(app): State<App>,
    AdminOfAll(shell): AdminOfAll,
    Path(id): Path<String>,
) -> Result<Redirect, Failure> {
    let project = shell.caller().find_project(&app, &id).await?;
    projects::delete(&app, shell.caller(), &project).await?;
    Ok(Redirect::to(&shell.links.path("/settings/projects")))
}

/// A public key.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct KeyForm {
    public_key: String,
}

/// `POST /settings/projects/{id}/keys`: adds the one that is given, or a new one.
pub(super) async fn add_key(
    State(app): State<App>,
    Admin(shell): Admin,
    Path(id): Path<String>,
    Form(form): Form<KeyForm>,
) -> Result<Redirect, Failure> {
    let project = shell.caller().find_project(&app, &id).await?;
    projects::add_key(&app, shell.caller(), &project, Some(&form.public_key)).await?;
    Ok(back(&shell, &project))
}

/// `POST /settings/projects/{id}/keys/remove`
pub(super) async fn remove_key(
    State(app): State<App>,
    Admin(shell): Admin,
    Path(id): Path<String>,
    Form(form): Form<KeyForm>,
) -> Result<Redirect, Failure> {
    let project = shell.caller().find_project(&app, &id).await?;
    // One that is gone already is what was asked for.
    projects::remove_key(&app, shell.caller(), &project, &form.public_key).await?;
    Ok(back(&shell, &project))
}

/// What a project keeps.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Kept {
    age_days: String,
    events: String,
}

/// How many events a project may have.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Most {
    events_per_month: String,
}

/// `POST /settings/projects/{id}/quota`
pub(super) async fn set_quota(
    State(app): State<App>,
    Admin(shell): Admin,
    Path(id): Path<String>,
    Form(form): Form<Most>,
) -> Result<Redirect, Failure> {
    let quota = Quota::of(number("events_per_month", &form.events_per_month)?)?;
    let project = shell.caller().find_project(&app, &id).await?;
    quotas::set(&app, shell.caller(), &project, quota).await?;
    Ok(back(&shell, &project))
}

/// A number of a form; nothing where it is empty.
fn number(field: &str, text: &str) -> Result<Option<i64>, Error> {
    match text.trim() {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| Error::bad_request(format!("{field}: must be a number"))),
    }
}

/// `POST /settings/projects/{id}/retention`
pub(super) async fn set_retention(
    State(app): State<App>,
    Admin(shell): Admin,
    Path(id): Path<String>,
    Form(form): Form<Kept>,
) -> Result<Redirect, Failure> {
    let own = projects::retention_of(number("age_days", &form.age_days)?, number("events", &form.events)?)?;
    let project = shell.caller().find_project(&app, &id).await?;
    projects::set_retention(&app, shell.caller(), &project, &own).await?;
    Ok(back(&shell, &project))
}

fn back(shell: &Shell, project: &Project) -> Redirect {
    Redirect::to(&shell.links.path(format!("/settings/projects#project-{}", project.id)))
}
