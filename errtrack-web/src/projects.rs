//! Making and changing projects, for the API and the pages.

use crate::{
    access::{Caller, Deed},
    app::App,
    error::Error,
};
use axum::http::StatusCode;
use errtrack_core::{
    Project, ProjectId, slugify,
    store::{NewProject, ProjectChange, ProjectRetention},
};

/// Characters of a slug, a name or a platform, and a key.
const SLUG: usize = 50;
const NAME: usize = 100;
const KEY: usize = 64;
/// The largest number that a project can be given.
const LARGEST: i64 = 0x7fff_ffff;

/// Makes a project; answers it.
pub(crate) async fn create(
    app: &App,
    caller: &Caller,
    id: Option<i64>,
    slug: Option<&str>,
    name: Option<&str>,
    platform: Option<&str>,
) -> Result<Project, Error> {
    let wanted = name.map(str::trim).filter(|name| !name.is_empty());
    let slug = match (slug.filter(|slug| !slug.is_empty()), wanted) {
        (Some(slug), _) => self::slug(slug)?.to_owned(),
        (None, Some(name)) => slugify(name),
        (None, None) => return Err(Error::bad_request("slug: is required, or a name to make it of")),
    };
    if slug.is_empty() {
        return Err(Error::bad_request("name: must hold an ASCII letter or digit, as no slug is given"));
    }
    if id.is_some_and(|id| !(1..=LARGEST).contains(&id)) {
        return Err(Error::bad_request(format!("id: must be a number from 1 to {LARGEST}")));
    }
    let name = text("name", wanted.unwrap_or(&slug))?;
    let platform = self::platform(platform)?;
    let project = NewProject { id: id.map(ProjectId), slug, name, platform };
    let project = done(app.store().create_project(&project).await?)?;
    caller.did(app, Deed::new("project.create", &project.slug).of(project.id)).await;
    Ok(project)
}

/// Changes what is given of a project; answers it.
pub(crate) async fn update(
    app: &App,
    caller: &Caller,
    mut project: Project,
    slug: Option<&str>,
    name: Option<&str>,
    platform: Option<Option<&str>>,
) -> Result<Project, Error> {
    if let Some(slug) = slug {
        self::slug(slug)?.clone_into(&mut project.slug);
    }
    if let Some(name) = name {
        project.name = text("name", name.trim())?;
    }
    if let Some(platform) = platform {
        project.platform = self::platform(platform)?;
    }
    let project = done(app.store().update_project(&project).await?)?;
    caller.did(app, Deed::new("project.change", &project.slug).details(&project.name).of(project.id)).await;
    Ok(project)
}

/// Deletes a project with all that belongs to it, but not the one to which this program itself reports.
pub(crate) async fn delete(app: &App, caller: &Caller, project: &Project) -> Result<(), Error> {
    if project.id == app.tracker().project().id {
        return Err(Error::new(StatusCode::CONFLICT, "id: this program reports to that project itself"));
    }
    if !app.store().delete_project(project.id).await? {
        return Err(Error::not_found("project"));
    }
    caller.did(app, Deed::new("project.delete", &project.slug).of(project.id)).await;
    Ok(())
}

/// Adds a public key to a project: one that clients already use, or a new one. Answers it.
pub(crate) async fn add_key(app: &App, caller: &Caller, project: &Project, key: Option<&str>) -> Result<String, Error> {
    let key = match key.map(str::trim).filter(|key| !key.is_empty()) {
        None => uuid::Uuid::new_v4().simple().to_string(),
        Some(key) => {
            let fits = key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
            if !fits || key.len() > KEY {
                let what = format!("must be up to {KEY} ASCII letters, digits, dashes and underscores");
                return Err(Error::bad_request(format!("public_key: {what}")));
            }
            key.to_owned()
        }
    };
    if !app.store().add_public_key(project.id, &key).await? {
        return Err(Error::new(StatusCode::CONFLICT, "public_key: a project has it already"));
    }
    caller.did(app, Deed::new("project.add_key", &project.slug).details(&key).of(project.id)).await;
    Ok(key)
}

/// Takes a public key away; `false` if the project has no such key.
pub(crate) async fn remove_key(app: &App, caller: &Caller, project: &Project, key: &str) -> Result<bool, Error> {
    let removed = app.store().remove_public_key(project.id, key).await?;
    if removed {
        caller.did(app, Deed::new("project.remove_key", &project.slug).details(key).of(project.id)).await;
    }
    Ok(removed)
}

/// What was set for what a project keeps.
pub(crate) async fn retention(app: &App, project: ProjectId) -> Result<ProjectRetention, Error> {
    let all = app.store().settings(ProjectRetention::SETTING).await?;
    let own = all.iter().find(|(id, _)| *id == project);
    Ok(own.map(|(_, json)| ProjectRetention::from_json(json)).unwrap_or_default())
}

/// What a project shall keep, as a form or a request says it.
pub(crate) fn retention_of(age_days: Option<i64>, events: Option<i64>) -> Result<ProjectRetention, Error> {
    let days = |days: i64| u32::try_from(days).ok().filter(|days| (1..=36_500).contains(days));
    let wrong = |field: &str, what: &str| Error::bad_request(format!("{field}: must be {what}"));
    let age_days = age_days.map(|n| days(n).ok_or_else(|| wrong("age_days", "a number of days from 1 to 36500")));
    let number = |n: i64| u64::try_from(n).ok().filter(|n| *n > 0);
    let events = events.map(|n| number(n).ok_or_else(|| wrong("events", "a number from 1")));
    Ok(ProjectRetention { age_days: age_days.transpose()?, events: events.transpose()? })
}

/// Sets what a project keeps.
pub(crate) async fn set_retention(
    app: &App,
    caller: &Caller,
    project: &Project,
    own: &ProjectRetention,
) -> Result<(), Error> {
    let json = own.to_json();
    if !app.store().put_setting(project.id, ProjectRetention::SETTING, json.as_deref()).await? {
        return Err(Error::not_found("project"));
    }
    let details = json.unwrap_or_default();
    caller.did(app, Deed::new("retention.change", &project.slug).details(details).of(project.id)).await;
    Ok(())
}

fn slug(slug: &str) -> Result<&str, Error> {
    if slugify(slug) == slug && !slug.is_empty() {
        return Ok(slug);
    }
    let what = format!("must be up to {SLUG} lower-case ASCII letters, digits and single dashes between them");
    Err(Error::bad_request(format!("slug: {what}")))
}

fn text(field: &str, text: &str) -> Result<String, Error> {
    if text.is_empty() {
        return Err(Error::bad_request(format!("{field}: must not be empty")));
    }
    if text.chars().count() > NAME {
        return Err(Error::bad_request(format!("{field}: must not be longer than {NAME} characters")));
    }
    Ok(text.to_owned())
}

fn platform(platform: Option<&str>) -> Result<Option<String>, Error> {
    let given = platform.map(str::trim).filter(|platform| !platform.is_empty());
    given.map(|platform| text("platform", platform)).transpose()
}

fn done(change: ProjectChange) -> Result<Project, Error> {
    let taken = |message: &str| Err(Error::new(StatusCode::CONFLICT, message));
    match change {
        ProjectChange::Done(project) => Ok(project),
        ProjectChange::Gone => Err(Error::not_found("project")),
        ProjectChange::SlugTaken => taken("slug: another project has it"),
        ProjectChange::IdTaken => taken("id: another project has it, or is being deleted"),
    }
}
