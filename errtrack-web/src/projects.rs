//! Making and changing projects, for the API and the pages.

use crate::{app::App, error::Error};
use axum::http::StatusCode;
use errtrack_core::{
    Project, ProjectId, slugify,
    store::{NewProject, ProjectChange},
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
    done(app.store().create_project(&project).await?)
}

/// Changes what is given of a project; answers it.
pub(crate) async fn update(
    app: &App,
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
    done(app.store().update_project(&project).await?)
}

/// Deletes a project with all that belongs to it, but not the one to which this program itself reports.
pub(crate) async fn delete(app: &App, project: ProjectId) -> Result<(), Error> {
    if project == app.tracker().project().id {
        return Err(Error::new(StatusCode::CONFLICT, "id: this program reports to that project itself"));
    }
    if app.store().delete_project(project).await? { Ok(()) } else { Err(Error::not_found("project")) }
}

/// Adds a public key to a project: one that clients already use, or a new one. Answers it.
pub(crate) async fn add_key(app: &App, project: ProjectId, key: Option<&str>) -> Result<String, Error> {
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
    if app.store().add_public_key(project, &key).await? {
        return Ok(key);
    }
    Err(Error::new(StatusCode::CONFLICT, "public_key: a project has it already"))
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
