//! Who owns what in a project: a text with a rule a line, and what is wrong with it at its line.

use super::{
    failure::Failure,
    page::Page,
    shell::{self, Editor, Layout, Shell, Viewer},
    text,
};
use crate::{app::App, error::Error, ownership};
use askama::Template;
use axum::{
    Form,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use errtrack_core::Project;
use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Params {
    project: Option<String>,
    saved: Option<String>,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "ownership.html")]
pub(super) struct OwnershipPage {
    layout: Layout,
    project: String,
    slug: String,
    action: String,
    can_write: bool,
    saved: bool,
    text: String,
    rows: usize,
    assigns: bool,
    problem: Option<String>,
    /// The lines around the one that is wrong: number, text, whether it is that one.
    lines: Vec<(usize, String, bool)>,
}

/// `GET /settings/ownership`
pub(super) async fn show(
    State(app): State<App>,
    Viewer(shell): Viewer,
    Query(params): Query<Params>,
) -> Result<Page<OwnershipPage>, Failure> {
    let projects = shell.caller().projects(&app).await?;
    let project = chosen(&app, &shell, &projects, params.project.as_deref())?;
    let stored = app.tracker().ownership(project.id).await?;
    let mut page = OwnershipPage::new(&shell, &projects, project, stored.text(), stored.assigns(), None);
    page.saved = params.saved.is_some();
    Ok(Page::new(page))
}

/// What is to be saved.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Draft {
    project: Option<String>,
    text: String,
    /// Ticked or not.
    assign: Option<String>,
}

/// `POST /settings/ownership`
pub(super) async fn change(
    State(app): State<App>,
    Editor(shell): Editor,
    Form(draft): Form<Draft>,
) -> Result<Response, Failure> {
    let projects = shell.caller().projects(&app).await?;
    let project = chosen(&app, &shell, &projects, draft.project.as_deref())?;
    let assigns = draft.assign.is_some();
    match ownership::read(&app, project, &draft.text, assigns).await {
        Ok(ownership) => {
            shell.caller().set_ownership(&app, project, &ownership).await?;
            let url = text::url("/settings/ownership", &[("project", &project.slug), ("saved", "1")]);
            Ok(Redirect::to(&shell.links.path(url)).into_response())
        }
        Err(error) if error.status == StatusCode::BAD_REQUEST => {
            let problem = error.message.strip_prefix("text: ").unwrap_or(&error.message);
            let page = OwnershipPage::new(&shell, &projects, project, &draft.text, assigns, Some(problem));
            Ok(Page::with_status(StatusCode::BAD_REQUEST, page).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

/// The project that is asked for; the program's own, or the first that the caller sees, unless one is.
fn chosen<'a>(
    app: &'a App,
    shell: &Shell,
    projects: &'a [Project],
    slug: Option<&str>,
) -> Result<&'a Project, Failure> {
    match slug {
        None => Ok(super::start::first(app, shell, projects)?),
        Some(slug) => {
            Ok(projects.iter().find(|project| project.slug == slug).ok_or_else(|| Error::not_found("project"))?)
        }
    }
}

impl OwnershipPage {
    fn new(
        shell: &Shell,
        projects: &[Project],
        project: &Project,
        written: &str,
        assigns: bool,
        problem: Option<&str>,
    ) -> Self {
        let name = shell::name(project);
        let mut layout = shell.layout(format!("Ownership · {name}"));
        layout.area = "ownership";
        let link = |other: Option<&Project>| match other {
            Some(other) => shell.links.path(text::url("/settings/ownership", &[("project", &other.slug)])),
            None => shell.links.path("/issues"),
        };
        let wrong = problem.and_then(|problem| problem.strip_prefix("line ")?.split(':').next()?.parse::<usize>().ok());
        let near = |number: &usize| wrong.is_some_and(|wrong| number.abs_diff(wrong) <= 2);
        let lines = (1..).zip(written.lines()).filter(|(number, _)| near(number));
        Self {
            layout: layout.with_projects(projects, Some(project), link),
            project: name,
            slug: project.slug.clone(),
            action: shell.links.path("/settings/ownership"),
            can_write: shell.may_write(),
            saved: false,
            text: text::block(written, 70_000),
            rows: written.lines().count().clamp(6, 30) + 2,
            assigns,
            problem: problem.map(|problem| text::line(problem, 400)),
            lines: lines.map(|(number, line)| (number, text::line(line, 300), Some(number) == wrong)).collect(),
        }
    }

    #[cfg(test)]
    pub(super) fn samples(shell: &Shell) -> Vec<Self> {
        use super::samples;
        let project = samples::project("checkout-api", 1);
        let hostile = samples::HOSTILE;
        let problem = format!("line 2: {hostile}");
        vec![
            Self::new(shell, std::slice::from_ref(&project), &project, "", false, None),
            Self::new(
                shell,
                &[project.clone(), samples::project("web", 2)],
                &project,
                &format!("#\n{hostile}\n#"),
                true,
                Some(&problem),
            ),
        ]
    }
}
