//! One alert rule: made, changed, tried, and what it had to say.

use super::{FIRINGS, FiringView, Said, draft::Draft, firings, trigger_name};
use crate::{
    access::Caller,
    alerts::{self, says},
    app::App,
    error::Error,
    pages::{
        failure::Failure,
        page::Page,
        shell::{self, Editor, Layout, Shell, Viewer},
        text,
    },
};
use askama::Template;
use axum::{
    Form,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use errtrack_core::{
    Level, Project, Timestamp,
    alert::{AlertRule, RuleState, preview::Preview},
    store::FiringQuery,
};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The page.
#[derive(Debug, Template)]
#[template(path = "alert.html")]
pub(in crate::pages) struct EditPage {
    layout: Layout,
    heading: String,
    list: String,
    action: String,
    can_write: bool,
    is_new: bool,
    is_on: bool,
    notice: Option<&'static str>,
    /// The field that is wrong, and what is wrong with it.
    problem: Option<(String, String)>,
    preview: Option<PreviewView>,
    draft: BTreeMap<&'static str, String>,
    whens: Vec<(&'static str, &'static str, bool)>,
    projects: Vec<(String, String, bool)>,
    levels: Vec<(&'static str, bool)>,
    severities: Vec<(&'static str, bool)>,
    firings: Vec<FiringView>,
}

/// What it would have said, ready to be shown.
#[derive(Debug)]
struct PreviewView {
    says: String,
    now: Option<String>,
    at: Vec<crate::pages::time::When>,
}

/// The fields of the form.
const FIELDS: [&str; 18] = [
    "name",
    "condition",
    "threshold",
    "time_window",
    "environment",
    "filter",
    "notifications",
    "recipients",
    "owners_only",
    "cooldown",
    "digest",
    "quiet_from",
    "quiet_until",
    "utc_offset",
    "severity",
    "resolve",
    "enabled",
    "when",
];
const SEVERITIES: [&str; 4] = ["low", "medium", "high", "critical"];
/// Times of a preview that are listed.
const TIMES: usize = 10;

/// What a page is made of.
#[derive(Debug, Default)]
struct Showing {
    draft: Draft,
    stored: Option<AlertRule>,
    state: RuleState,
    notice: Option<&'static str>,
    problem: Option<Error>,
    preview: Option<Preview>,
}

impl EditPage {
    /// What a field holds.
    fn get(&self, name: &str) -> &str {
        self.draft.get(name).map_or("", String::as_str)
    }

    /// What is wrong with a field; empty if nothing is.
    fn wrong(&self, name: &str) -> &str {
        self.problem.as_ref().filter(|(field, _)| field == name).map_or("", |(_, why)| why)
    }

    fn is(&self, name: &str) -> bool {
        !self.get(name).is_empty()
    }

    fn new(shell: &Shell, projects: &[Project], showing: &Showing, said: Said<'_>, now: Timestamp) -> Self {
        let Showing { draft, stored, .. } = showing;
        let heading = stored.as_ref().map_or_else(|| "New alert rule".to_owned(), |rule| text::line(&rule.name, 100));
        let mut layout = shell.layout(heading.clone());
        layout.area = "alerts";
        let path = stored.as_ref().map_or_else(|| "/alerts".to_owned(), |rule| format!("/alerts/{}", rule.id));
        let when = draft.get("when");
        let whens = AlertRule::TRIGGERS.map(|trigger| (trigger.as_str(), trigger_name(trigger)));
        let whens = [("condition", "A condition is met")].into_iter().chain(whens);
        let own = [(String::new(), "All projects".to_owned())].into_iter();
        let own = own.filter(|_| shell.caller().project_ids().is_none());
        let named = projects.iter().map(|project| (project.id.to_string(), shell::name(project)));
        let fields = FIELDS.map(|name| (name, text::visible(draft.get(name))));
        let rules: Vec<_> = stored.iter().map(|rule| (rule.clone(), showing.state.clone())).collect();
        let problem = showing.problem.as_ref().map(|error| {
            let (field, why) = error.message.split_once(": ").unwrap_or(("", &error.message));
            (field.to_owned(), text::line(&text::sentence(why), 400))
        });
        let preview = showing.preview.as_ref().map(|preview| PreviewView {
            says: says(preview),
            now: preview.now.map(super::figure),
            at: preview
                .firings
                .iter()
                .flatten()
                .rev()
                .take(TIMES)
                .map(|at| crate::pages::time::When::new(*at, now))
                .collect(),
        });
        Self {
            layout,
            heading,
            list: shell.links.path("/alerts"),
            action: shell.links.path(path),
            can_write: shell.may_write(),
            is_new: stored.is_none(),
            is_on: stored.as_ref().is_some_and(|rule| rule.enabled),
            notice: showing.notice,
            problem,
            preview,
            draft: fields.into(),
            whens: whens.map(|(value, label)| (value, label, value == when)).collect(),
            projects: own
                .chain(named)
                .map(|(id, name)| (draft.get("project") == id, id, name))
                .map(|(c, i, n)| (i, n, c))
                .collect(),
            levels: Level::ALL.map(|level| (level.as_str(), draft.get("min_level") == level.as_str())).into(),
            severities: SEVERITIES.map(|name| (name, draft.get("severity") == name)).into(),
            firings: firings(shell, &rules, said, now),
        }
    }

    async fn read(app: &App, shell: &Shell, showing: &Showing) -> Result<Self, Failure> {
        let projects = shell.caller().projects(app).await?;
        let mut said = Vec::new();
        if let Some(rule) = &showing.stored {
            let query = FiringQuery { rule: Some(rule.id), after: None, limit: FIRINGS };
            said = alerts::history(app, &query).await?;
        }
        let names = alerts::issue_names(app, said.iter().map(|(firing, _)| firing)).await?;
        Ok(Self::new(shell, &projects, showing, (&said, &names), Timestamp::now()))
    }

    #[cfg(test)]
    pub(in crate::pages) fn samples(shell: &Shell) -> Vec<Self> {
        use crate::pages::samples;
        let (now, projects) = (samples::now(), [samples::project("checkout-api", 1), samples::project("shop", 2)]);
        let rule = sample(samples::HOSTILE);
        let (said, names) = super::samples_of_firings(now);
        let preview = Preview {
            since: now,
            firings: Some(vec![now; 20]),
            extreme: Some(7.0),
            now: Some(3.25),
            note: Some("Only some were looked at."),
        };
        let full = Showing {
            draft: Draft::of(&rule),
            stored: Some(rule.clone()),
            notice: Some("Saved."),
            preview: Some(preview),
            ..Showing::default()
        };
        let wrong = Error::bad_request(format!("condition: column 1: {}", samples::HOSTILE));
        let draft = Draft::of(&AlertRule { condition: Some(samples::HOSTILE.into()), ..rule });
        let bad = Showing { draft, problem: Some(wrong), ..Showing::default() };
        let blank = Showing { draft: Draft::new(), ..Showing::default() };
        vec![
            Self::new(shell, &projects, &full, (&said, &names), now),
            Self::new(shell, &projects, &bad, (&[], &BTreeMap::new()), now),
            Self::new(shell, &[], &blank, (&[], &BTreeMap::new()), now),
        ]
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::pages) struct Params {
    saved: Option<String>,
}

/// `GET /alerts/new`
pub(in crate::pages) async fn new(State(app): State<App>, Editor(shell): Editor) -> Result<Page<EditPage>, Failure> {
    let showing = Showing { draft: Draft::new(), ..Showing::default() };
    Ok(Page::new(EditPage::read(&app, &shell, &showing).await?))
}

/// `GET /alerts/{id}`
pub(in crate::pages) async fn show(
    State(app): State<App>,
    Viewer(shell): Viewer,
    Path(id): Path<String>,
    Query(params): Query<Params>,
) -> Result<Page<EditPage>, Failure> {
    let (rule, state) = shell.caller().find_alert_rule(&app, &id).await?;
    let notice = params.saved.is_some().then_some("Saved. It holds from now on.");
    let showing = Showing { draft: Draft::of(&rule), stored: Some(rule), state, notice, ..Showing::default() };
    Ok(Page::new(EditPage::read(&app, &shell, &showing).await?))
}

/// `POST /alerts`: makes a rule, or tries it.
pub(in crate::pages) async fn create(
    State(app): State<App>,
    Editor(shell): Editor,
    Form(form): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    answer(&app, &shell, Showing { draft: Draft::read(form), ..Showing::default() }).await
}

/// `POST /alerts/{id}`: changes a rule, or tries it.
pub(in crate::pages) async fn change(
    State(app): State<App>,
    Editor(shell): Editor,
    Path(id): Path<String>,
    Form(form): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let (rule, state) = shell.caller().find_alert_rule(&app, &id).await?;
    answer(&app, &shell, Showing { draft: Draft::read(form), stored: Some(rule), state, ..Showing::default() }).await
}

/// Does what the button asks for.
async fn answer(app: &App, shell: &Shell, mut showing: Showing) -> Result<Response, Failure> {
    let is_preview = showing.draft.get("do") == "preview";
    let base = showing.stored.clone().unwrap_or_default();
    let done = match rule_of(app, shell.caller(), &showing.draft, base).await {
        Ok(rule) if is_preview => shell.caller().preview_alert_rule(app, &rule).await.map(Err),
        Ok(rule) => shell.caller().put_alert_rule(app, rule).await.map(Ok),
        Err(error) => Err(error),
    };
    match done {
        Ok(Ok(rule)) => {
            let url = text::url(&format!("/alerts/{}", rule.id), &[("saved", "1")]);
            return Ok(Redirect::to(&shell.links.path(url)).into_response());
        }
        Ok(Err(preview)) => showing.preview = Some(preview),
        Err(error) if error.status.is_client_error() => showing.problem = Some(error),
        Err(error) => return Err(error.into()),
    }
    let status = showing.problem.as_ref().map_or(StatusCode::OK, |error| error.status);
    Ok(Page::with_status(status, EditPage::read(app, shell, &showing).await?).into_response())
}

/// The rule that a form asks for, of a project that the caller sees.
async fn rule_of(app: &App, caller: &Caller, draft: &Draft, base: AlertRule) -> Result<AlertRule, Error> {
    let rule = draft.rule(base)?;
    if let Some(project) = rule.project {
        caller.project(app, project).await?;
    }
    Ok(rule)
}

/// `POST /alerts/{id}/switch`: on or off.
pub(in crate::pages) async fn switch(
    State(app): State<App>,
    Editor(shell): Editor,
    Path(id): Path<String>,
    Form(form): Form<Vec<(String, String)>>,
) -> Result<Redirect, Failure> {
    let (mut rule, _) = shell.caller().find_alert_rule(&app, &id).await?;
    rule.enabled = Draft::read(form).get("enabled") == "on";
    let rule = shell.caller().put_alert_rule(&app, rule).await?;
    Ok(Redirect::to(&shell.links.path(format!("/alerts/{}", rule.id))))
}

/// `POST /alerts/{id}/delete`
pub(in crate::pages) async fn delete(
    State(app): State<App>,
    Editor(shell): Editor,
    Path(id): Path<String>,
) -> Result<Redirect, Failure> {
    let (rule, _) = shell.caller().find_alert_rule(&app, &id).await?;
    shell.caller().delete_alert_rule(&app, &rule).await?;
    Ok(Redirect::to(&shell.links.path("/alerts")))
}

/// A rule that says all that one can say.
#[cfg(test)]
pub(super) fn sample(name: &str) -> AlertRule {
    use errtrack_core::alert::{OpenIncident, QuietHours};
    let time = |text: &str| text.parse().unwrap();
    AlertRule {
        id: uuid::Uuid::from_u128(7),
        name: name.into(),
        condition: Some("error_count > threshold in time_window".into()),
        threshold: Some(50.5),
        time_window: Some("5m".into()),
        enabled: true,
        notifications: vec!["email".into(), "slack".into()],
        recipients: vec!["ana@example.com".into()],
        owners_only: true,
        cooldown: Some("1h".into()),
        digest: Some("30m".into()),
        quiet_hours: Some(QuietHours { from: time("22:00"), until: time("07:00"), utc_offset: 60 }),
        open_incident: Some(OpenIncident { severity: "high".into(), resolve: true }),
        ..AlertRule::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use errtrack_core::notify::Trigger;

    #[test]
    fn each_trigger_has_words_of_its_own() {
        let mut words = Trigger::ALL.map(trigger_name);
        words.sort_unstable();
        assert!(words.windows(2).all(|two| two[0] != two[1]), "{words:?}");
    }
}
