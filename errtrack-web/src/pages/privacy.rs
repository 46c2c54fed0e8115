//! What is filtered out of a project's events, besides what always is. Tried on a text before it is saved.

use super::{
    failure::Failure,
    page::Page,
    shell::{self, Admin, Layout, Shell},
    start::chosen,
    text,
};
use crate::{access::Deed, app::App, error::Error};
use askama::Template;
use axum::{
    Form,
    extract::{DefaultBodyLimit, Query, State, rejection::FormRejection},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
    routing::{MethodRouter, post},
};
use errtrack_core::{
    Project,
    sanitize::{InvalidSettings, SanitizerSettings},
};
use serde::Deserialize;

/// Bytes of a form: three hundred entries, and a text to try them on.
const LARGEST: usize = 1 << 20;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Params {
    project: Option<String>,
    saved: Option<String>,
}

/// The form as it is sent: an entry a line.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Draft {
    project: String,
    filter_keys: String,
    keep_keys: String,
    patterns: String,
    addresses: String,
    text: String,
    #[serde(rename = "do")]
    step: String,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "privacy.html")]
pub(super) struct PrivacyPage {
    layout: Layout,
    project: String,
    slug: String,
    action: String,
    notice: Option<&'static str>,
    problem: Option<String>,
    /// The list that is wrong.
    wrong: String,
    filter_keys: String,
    keep_keys: String,
    patterns: String,
    /// As the program says, kept, filtered.
    addresses: [(&'static str, &'static str, bool); 3],
    text: String,
    /// What became of the text.
    after: Option<String>,
}

/// `GET /settings/privacy`
pub(super) async fn show(
    State(app): State<App>,
    Admin(shell): Admin,
    Query(params): Query<Params>,
) -> Result<Page<PrivacyPage>, Failure> {
    let projects = shell.caller().projects(&app).await?;
    let project = chosen(&app, &shell, &projects, params.project.as_deref())?;
    let settings = app.tracker().sanitizer_settings(project.id).await?;
    let mut page = PrivacyPage::new(&shell, &projects, project, &Draft::of(&settings));
    page.notice = params.saved.is_some().then_some("Saved. It holds for events that come from now on.");
    Ok(Page::new(page))
}

/// `POST /settings/privacy`, which takes more than other forms.
pub(super) fn form() -> MethodRouter<App> {
    post(change).layer(DefaultBodyLimit::max(LARGEST))
}

async fn change(
    State(app): State<App>,
    Admin(shell): Admin,
    form: Result<Form<Draft>, FormRejection>,
) -> Result<Response, Failure> {
    let Form(draft) = form.map_err(|error| Error::new(error.status(), error.body_text()))?;
    let projects = shell.caller().projects(&app).await?;
    let project = chosen(&app, &shell, &projects, Some(&draft.project).filter(|p| !p.is_empty()).map(String::as_str))?;
    let settings = draft.settings();
    let mut page = PrivacyPage::new(&shell, &projects, project, &draft);
    match app.tracker().preview_sanitizer(&settings, &draft.text) {
        Ok(_) if draft.step == "save" => {
            if !app.tracker().set_sanitizer_settings(project.id, &settings).await? {
                return Err(Error::not_found("project").into());
            }
            shell.caller().did(&app, Deed::new("sanitizer.change", &project.slug).of(project.id)).await;
            let url = text::url("/settings/privacy", &[("project", &project.slug), ("saved", "1")]);
            Ok(Redirect::to(&shell.links.path(url)).into_response())
        }
        Ok(after) => {
            page.after = Some(text::visible(&after));
            page.notice = Some("Not saved yet.");
            Ok(Page::new(page).into_response())
        }
        Err(invalid) => {
            page.refuse(&invalid);
            Ok(Page::with_status(StatusCode::BAD_REQUEST, page).into_response())
        }
    }
}

impl Draft {
    fn of(settings: &SanitizerSettings) -> Self {
        let addresses = match settings.keep_addresses {
            None => "",
            Some(true) => "keep",
            Some(false) => "filter",
        };
        Self {
            filter_keys: settings.filter_keys.join("\n"),
            keep_keys: settings.keep_keys.join("\n"),
            patterns: settings.patterns.join("\n"),
            addresses: addresses.into(),
            ..Self::default()
        }
    }

    fn settings(&self) -> SanitizerSettings {
        let lines = |text: &str| text.lines().map(str::trim).filter(|l| !l.is_empty()).map(str::to_owned).collect();
        SanitizerSettings {
            filter_keys: lines(&self.filter_keys),
            keep_keys: lines(&self.keep_keys),
            patterns: lines(&self.patterns),
            keep_addresses: match self.addresses.as_str() {
                "keep" => Some(true),
                "filter" => Some(false),
                _ => None,
            },
        }
    }
}

impl PrivacyPage {
    fn new(shell: &Shell, projects: &[Project], project: &Project, draft: &Draft) -> Self {
        let link = |other: Option<&Project>| match other {
            Some(other) => shell.links.path(text::url("/settings/privacy", &[("project", &other.slug)])),
            None => shell.links.path("/issues"),
        };
        let name = shell::name(project);
        let mut layout = shell.layout(format!("Privacy · {name}"));
        layout.area = "privacy";
        let choice = |value, label| (value, label, draft.addresses == value);
        Self {
            layout: layout.with_projects(projects, Some(project), link),
            project: name,
            slug: project.slug.clone(),
            action: shell.links.path("/settings/privacy"),
            notice: None,
            problem: None,
            wrong: String::new(),
            filter_keys: text::visible(&draft.filter_keys),
            keep_keys: text::visible(&draft.keep_keys),
            patterns: text::visible(&draft.patterns),
            addresses: [
                choice("", "As the program says"),
                choice("keep", "Keep them"),
                choice("filter", "Filter them"),
            ],
            text: text::visible(&draft.text),
            after: None,
        }
    }

    fn refuse(&mut self, invalid: &InvalidSettings) {
        let (list, at) = invalid.field().split_once('[').unwrap_or((invalid.field(), ""));
        let entry = at
            .trim_end_matches(']')
            .parse::<usize>()
            .map_or_else(|_| "The list".to_owned(), |index| format!("Entry {}", index + 1));
        let of = match list {
            "filter_keys" => "keys to filter",
            "keep_keys" => "keys to keep",
            _ => "patterns to filter",
        };
        self.problem = Some(format!("{entry} of the {of} {}.", text::line(invalid.why(), 300)));
        list.clone_into(&mut self.wrong);
    }

    #[cfg(test)]
    pub(super) fn samples(shell: &Shell) -> Vec<Self> {
        use super::samples;
        let project = samples::project("checkout-api", 1);
        let hostile = format!("{}\n</textarea><script>alert(1)</script>", samples::HOSTILE);
        let draft = Draft {
            filter_keys: hostile.clone(),
            keep_keys: hostile.clone(),
            patterns: hostile.clone(),
            addresses: "keep".into(),
            text: hostile.clone(),
            ..Draft::default()
        };
        let page = |draft: &Draft| Self::new(shell, std::slice::from_ref(&project), &project, draft);
        let (empty, mut tried, mut wrong) = (page(&Draft::default()), page(&draft), page(&draft));
        tried.after = Some(text::visible(&hostile));
        tried.notice = Some("Not saved yet.");
        if let Err(invalid) = SanitizerSettings::from_json(r#"{"patterns":["a","("]}"#) {
            wrong.refuse(&invalid);
        }
        vec![empty, tried, wrong]
    }
}
