//! Fields of a body that several endpoints take.

use crate::{
    access::Caller,
    app::App,
    error::Error,
    ingest::fields::{Fields, Wrong},
};
use errtrack_core::{Project, ProjectId};
use serde_json::Value;
use std::{fmt::Display, str::FromStr};

/// A text that is one of some words.
pub(super) fn word<T: FromStr<Err: Display>>(fields: &mut Fields, name: &str) -> Result<Option<T>, Error> {
    let Some(text) = fields.text(name)? else { return Ok(None) };
    text.parse().map(Some).map_err(|error| Wrong::new(name, format!("is {error}")).into())
}

/// A list of texts.
pub(super) fn texts(fields: &mut Fields, name: &str) -> Result<Option<Vec<String>>, Error> {
    let wrong = || Error::bad_request(format!("{name}: must be a list of texts"));
    let Some(value) = fields.any(name) else { return Ok(None) };
    let Value::Array(list) = value else { return Err(wrong()) };
    let text = |value: Value| if let Value::String(text) = value { Ok(text) } else { Err(wrong()) };
    list.into_iter().map(text).collect::<Result<_, _>>().map(Some)
}

/// `projects`: slugs of projects that the caller may see.
pub(super) async fn projects(app: &App, caller: &Caller, fields: &mut Fields) -> Result<Option<Vec<ProjectId>>, Error> {
    let Some(slugs) = texts(fields, "projects")? else { return Ok(None) };
    let mut projects = Vec::with_capacity(slugs.len());
    for slug in slugs {
        let project = caller.project_by_slug(app, &slug.to_lowercase()).await?;
        let project = project.ok_or_else(|| Error::bad_request(format!("projects: there is no project {slug}")))?;
        if !projects.contains(&project.id) {
            projects.push(project.id);
        }
    }
    Ok(Some(projects))
}

/// The slugs of projects, for an answer; of one that is gone its number.
pub(super) fn slugs(projects: Option<&[ProjectId]>, known: &[Project]) -> Option<Vec<String>> {
    let slug = |id: &ProjectId| {
        known.iter().find(|project| project.id == *id).map_or_else(|| id.to_string(), |project| project.slug.clone())
    };
    projects.map(|projects| projects.iter().map(slug).collect())
}
