//! The rules of a project: what is ignored, and what is one issue. Edited as one form, tried before they are saved.

mod draft;
mod trial;

use super::{
    failure::Failure,
    page::Page,
    shell::{self, Editor, Layout, Shell, Viewer},
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
use draft::{Draft, DraftRule, Step};
use errtrack_core::{Field, InvalidRules, Project, Rules, rules::preview::Preview};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use trial::Trial;

/// Bytes of a form: two hundred rules with all that they may hold.
const LARGEST: usize = 1 << 20;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Params {
    project: Option<String>,
    saved: Option<String>,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "rules.html")]
pub(super) struct RulesPage {
    layout: Layout,
    project: String,
    slug: String,
    action: String,
    can_write: bool,
    /// What the form was made from, so that a change by somebody else is noticed.
    was: String,
    notice: Option<&'static str>,
    problem: Option<String>,
    rules: Vec<RuleView>,
    trial: Option<Trial>,
}

/// A rule of the form.
#[derive(Debug)]
struct RuleView {
    index: usize,
    number: usize,
    is_first: bool,
    is_last: bool,
    name: String,
    ignores: bool,
    parts: String,
    conditions: Vec<ConditionView>,
    /// What is wrong with it.
    problem: Option<String>,
    /// The part of it that is wrong.
    wrong: String,
    /// How many events it decided about in a dry run.
    applied: Option<String>,
}

/// A condition of the form; the last one is blank.
#[derive(Debug)]
struct ConditionView {
    number: usize,
    options: Vec<(&'static str, bool)>,
    tag: String,
    pattern: String,
    is_wrong: bool,
}

/// What a page is made of.
#[derive(Debug, Default)]
struct Showing {
    draft: Draft,
    was: String,
    notice: Option<&'static str>,
    problem: Option<String>,
    invalid: Option<InvalidRules>,
    preview: Option<Preview>,
}

/// `GET /settings/rules`
pub(super) async fn show(
    State(app): State<App>,
    Viewer(shell): Viewer,
    Query(params): Query<Params>,
) -> Result<Page<RulesPage>, Failure> {
    let projects = shell.caller().projects(&app).await?;
    let project = chosen(&app, &shell, &projects, params.project.as_deref())?;
    let stored = app.tracker().rules(project.id).await?;
    let notice = params.saved.is_some().then_some("Saved. The rules hold from now on.");
    let showing = Showing { draft: Draft::of(&stored), was: mark(&stored), notice, ..Showing::default() };
    Ok(Page::new(RulesPage::new(&shell, &projects, project, &showing)))
}

/// `POST /settings/rules`, which takes more than other forms.
pub(super) fn form() -> MethodRouter<App> {
    post(change).layer(DefaultBodyLimit::max(LARGEST))
}

/// Saves the draft, or shows it again with what the button asked for.
async fn change(
    State(app): State<App>,
    Editor(shell): Editor,
    form: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Result<Response, Failure> {
    let Form(pairs) = form.map_err(|error| Error::new(error.status(), error.body_text()))?;
    let of = |name: &str| pairs.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
    let projects = shell.caller().projects(&app).await?;
    let project = chosen(&app, &shell, &projects, of("project"))?;
    let step = Step::read(of("do").unwrap_or_default());
    let mut draft = Draft::read(&pairs);
    draft.take(step);
    let checked = draft.check();
    let stored = app.tracker().rules(project.id).await?;
    let mut showing = Showing { draft, was: mark(&stored), ..Showing::default() };
    let mut status = StatusCode::OK;
    match (step, checked) {
        (Step::Save, Ok(_)) if of("was").is_some_and(|was| was != showing.was) => {
            status = StatusCode::CONFLICT;
            let meanwhile =
                "Somebody has changed these rules since you opened them. To replace theirs by yours, save again.";
            showing.problem = Some(meanwhile.into());
        }
        (Step::Save, Ok(rules)) => {
            if !app.tracker().set_rules(project.id, &rules).await? {
                return Err(Error::not_found("project").into());
            }
            shell.caller().did(&app, Deed::new("rules.change", &project.slug).of(project.id)).await;
            let url = text::url("/settings/rules", &[("project", &project.slug), ("saved", "1")]);
            return Ok(Redirect::to(&shell.links.path(url)).into_response());
        }
        (Step::Preview, Ok(rules)) => showing.preview = Some(app.tracker().preview_rules(project.id, &rules).await?),
        (Step::Preview | Step::Save, Err(invalid)) => {
            status = StatusCode::BAD_REQUEST;
            showing.invalid = Some(invalid);
        }
        _ => {}
    }
    // What is not saved stays comparable to what it was made from; a conflict is told once.
    if status != StatusCode::CONFLICT
        && let Some(was) = of("was")
    {
        was.clone_into(&mut showing.was);
    }
    if showing.problem.is_none() && showing.draft != Draft::of(&stored) {
        showing.notice = Some("Not saved yet.");
    }
    Ok(Page::with_status(status, RulesPage::new(&shell, &projects, project, &showing)).into_response())
}

/// A mark by which two sets of rules are told apart.
fn mark(rules: &Rules) -> String {
    let digest = Sha256::digest(rules.to_json().to_string());
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

impl RulesPage {
    fn new(shell: &Shell, projects: &[Project], project: &Project, showing: &Showing) -> Self {
        let link = |other: Option<&Project>| match other {
            Some(other) => shell.links.path(text::url("/settings/rules", &[("project", &other.slug)])),
            None => shell.links.path("/issues"),
        };
        let name = shell::name(project);
        let mut layout = shell.layout(format!("Rules · {name}"));
        layout.area = "rules";
        let of_all = showing.invalid.as_ref().filter(|invalid| invalid.rule().is_none());
        let problem =
            showing.problem.clone().or_else(|| of_all.map(|invalid| format!("The rules {}.", invalid.what())));
        let trial = showing.preview.as_ref().map(|preview| Trial::new(preview, &shell.links));
        let count = showing.draft.rules.len();
        let rule = |(index, rule): (usize, &DraftRule)| {
            let invalid = showing.invalid.as_ref().filter(|invalid| invalid.rule() == Some(index));
            let applied = trial.as_ref().and_then(|trial| trial.applied.get(index).cloned());
            RuleView::new(rule, index, index + 1 == count, invalid, applied)
        };
        Self {
            layout: layout.with_projects(projects, Some(project), link),
            project: name,
            slug: project.slug.clone(),
            action: shell.links.path("/settings/rules"),
            can_write: shell.may_write(),
            was: showing.was.clone(),
            notice: showing.notice,
            problem: problem.map(|problem| text::line(&problem, 400)),
            rules: showing.draft.rules.iter().enumerate().map(rule).collect(),
            trial,
        }
    }

    #[cfg(test)]
    pub(super) fn samples(shell: &Shell) -> Vec<Self> {
        use super::samples;
        use errtrack_core::{
            Rule,
            rules::preview::{Affected, Group},
        };
        let project = samples::project("checkout-api", 1);
        let hostile = samples::HOSTILE;
        let markup = "\"><script>alert(1)</script>' onload=x";
        let rules = Rules::new(vec![
            Rule::new().named("health checks").route("GET /health").status("5*").tag("plan", "pro"),
            Rule::new().message(format!("*{markup}*")).fingerprint(["{{ default }}", markup]).named(markup),
        ])
        .unwrap();
        let affected = |issue, rule| Affected { issue, events: 3, of: 10, example: Default::default(), rule };
        let from =
            || vec![affected(samples::issue(1), Some(1)), affected(samples::issue_pages().pop().unwrap().0, None)];
        let group = |into| Group { into, parts: vec![hostile.into(), "db".into()], from: from() };
        let preview = Preview {
            issues: 2,
            events: 1_204,
            is_cut: true,
            applied: vec![3, 4],
            ignored_events: 6,
            ignored: from(),
            groups: vec![group(None), group(Some(samples::issue(7)))],
            left_out: 3,
        };
        let draft = Draft::of(&rules);
        let wrong = Draft {
            rules: vec![DraftRule {
                conditions: vec![draft::DraftCondition {
                    field: "type".into(),
                    pattern: "re:(".into(),
                    ..Default::default()
                }],
                name: hostile.into(),
                ..DraftRule::default()
            }],
        };
        let invalid = wrong.check().err();
        vec![
            Self::new(shell, std::slice::from_ref(&project), &project, &Showing::default()),
            Self::new(
                shell,
                &[project.clone(), samples::project("web", 2)],
                &project,
                &Showing { draft, preview: Some(preview), notice: Some("Not saved yet."), ..Showing::default() },
            ),
            Self::new(
                shell,
                std::slice::from_ref(&project),
                &project,
                &Showing { draft: wrong, invalid, problem: Some(hostile.into()), ..Showing::default() },
            ),
        ]
    }
}

impl RuleView {
    fn new(
        rule: &DraftRule,
        index: usize,
        is_last: bool,
        invalid: Option<&InvalidRules>,
        applied: Option<String>,
    ) -> Self {
        let wrong = invalid.and_then(InvalidRules::part).unwrap_or_default();
        let condition = |(number, condition): (usize, &draft::DraftCondition)| {
            let name =
                if condition.field == "tag" { format!("tag.{}", condition.tag) } else { condition.field.clone() };
            ConditionView {
                number,
                options: options(&condition.field),
                tag: text::visible(&condition.tag),
                pattern: text::visible(&condition.pattern),
                is_wrong: !wrong.is_empty() && (wrong == name || wrong == condition.field),
            }
        };
        let mut conditions: Vec<_> = (1..).zip(&rule.conditions).map(condition).collect();
        let number = conditions.len() + 1;
        let field = if conditions.is_empty() { "type" } else { "message" };
        conditions.push(ConditionView {
            number,
            options: options(field),
            tag: String::new(),
            pattern: String::new(),
            is_wrong: wrong == "match",
        });
        let said = |invalid: &InvalidRules| match invalid.part() {
            Some("match") | None => format!("The rule {}.", text::line(invalid.what(), 300)),
            Some(part) => format!("The {} {}.", text::line(part, 80), text::line(invalid.what(), 300)),
        };
        Self {
            index,
            number: index + 1,
            is_first: index == 0,
            is_last,
            name: text::visible(&rule.name),
            ignores: rule.action != "fingerprint",
            parts: text::visible(&rule.parts),
            conditions,
            problem: invalid.map(said),
            wrong: wrong.to_owned(),
            applied,
        }
    }
}

/// The fields to choose from.
fn options(chosen: &str) -> Vec<(&'static str, bool)> {
    let tag = Field::Tag(String::new());
    Field::NAMED.iter().chain([&tag]).map(|field| (field.kind(), field.kind() == chosen)).collect()
}
