//! `/api/settings/projects/{id}/rules`: what is ignored and what is one issue, with a dry run.

use super::{
    Frame,
    body::{self, Sent},
    openapi::Failures,
    success,
};
use crate::{
    access::{Deed, Read, Write},
    app::App,
    error::Error,
};
use axum::{
    extract::{Path, State},
    response::IntoResponse,
};
use errtrack_core::{
    Project, ProjectId, Rules,
    rules::preview::{Affected, Group, Preview},
};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;

/// The rules of a project, in the order in which they are tried.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its shape is asked for: core reads rules")]
#[schema(as = Rules)]
pub(super) struct Body {
    rules: Vec<Rule>,
}

/// What applies to an event for which every condition holds.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its shape is asked for: core reads rules")]
struct Rule {
    name: Option<String>,
    /// Patterns by field: `type`, `message`, `path`, `function`, `module`, `target`, `route`, `url`, `status`, `level`,
    /// `environment`, `release`, `tag.NAME`. `*` and `?` stand for what they do in file names.
    r#match: BTreeMap<String, String>,
    action: Action,
    /// The parts that make the fingerprint; `{{ default }}` stands for what would decide without the rule.
    fingerprint: Option<Vec<String>>,
}

/// What becomes of such an event.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase", as = RuleAction)]
#[expect(dead_code, reason = "only its shape is asked for: core reads rules")]
enum Action {
    Ignore,
    Fingerprint,
}

/// The rules of a project.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProjectRules)]
pub(super) struct Document<'a> {
    project: &'a str,
    project_id: ProjectId,
    #[schema(value_type = Vec<Rule>)]
    rules: Value,
}

impl<'a> Document<'a> {
    fn new(project: &'a Project, rules: &Rules) -> Self {
        let rules = rules.to_json().get_mut("rules").map(Value::take).unwrap_or_default();
        Self { project: &project.slug, project_id: project.id, rules }
    }
}

/// Shows the rules of a project
#[utoipa::path(
    get,
    path = "/api/settings/projects/{id}/rules",
    tag = "Settings",
    operation_id = "show_rules",
    security(("key" = ["read"]), ("bearer" = ["read"])),
    params(("id" = i64, Path, description = "The number of the project")),
    responses((status = 200, description = "The rules", body = Frame<Document<'_>>), Failures),
)]
pub(super) async fn show(
    State(app): State<App>,
    Read(caller): Read,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Error> {
    let project = caller.find_project(&app, &id).await?;
    let rules = app.tracker().rules(project.id).await?;
    Ok(success(Document::new(&project, &rules)).into_response())
}

/// Replaces the rules of a project
///
/// All of them, or nothing if any is wrong. They hold for events that come from then on.
#[utoipa::path(
    put,
    path = "/api/settings/projects/{id}/rules",
    tag = "Settings",
    operation_id = "put_rules",
    security(("key" = ["write"]), ("bearer" = ["write"])),
    params(("id" = i64, Path, description = "The number of the project")),
    request_body = Body,
    responses((status = 200, description = "The rules", body = Frame<Document<'_>>), Failures),
)]
pub(super) async fn put(
    State(app): State<App>,
    Write(caller): Write,
    Path(id): Path<String>,
    body: Sent,
) -> Result<impl IntoResponse, Error> {
    let project = caller.find_project(&app, &id).await?;
    let rules = rules(body)?;
    if !app.tracker().set_rules(project.id, &rules).await? {
        return Err(Error::not_found("project"));
    }
    caller.did(&app, Deed::new("rules.change", &project.slug).of(project.id)).await;
    Ok(success(Document::new(&project, &rules)).into_response())
}

/// Tells what rules would do to stored events
///
/// Writes nothing.
#[utoipa::path(
    post,
    path = "/api/settings/projects/{id}/rules/preview",
    tag = "Settings",
    operation_id = "preview_rules",
    security(("key" = ["write"]), ("bearer" = ["write"])),
    params(("id" = i64, Path, description = "The number of the project")),
    request_body = Body,
    responses((status = 200, description = "What would change", body = Frame<Trial<'_>>), Failures),
)]
pub(super) async fn preview(
    State(app): State<App>,
    Write(caller): Write,
    Path(id): Path<String>,
    body: Sent,
) -> Result<impl IntoResponse, Error> {
    let project = caller.find_project(&app, &id).await?;
    let rules = rules(body)?;
    let preview = app.tracker().preview_rules(project.id, &rules).await?;
    Ok(success(Trial { preview: Effect::new(&preview, &rules) }).into_response())
}

fn rules(body: Sent) -> Result<Rules, Error> {
    let body = body::bytes(body)?;
    let text = std::str::from_utf8(&body).map_err(|_| Error::bad_request("rules: are not UTF-8"))?;
    Rules::from_json(text).map_err(|error| Error::bad_request(error.to_string()))
}

/// A dry run.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RulesTrial)]
pub(super) struct Trial<'a> {
    preview: Effect<'a>,
}

/// What rules would do.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RulesEffect)]
struct Effect<'a> {
    /// How many issues were looked at.
    issues: usize,
    /// How many of their events.
    events: usize,
    /// There are more, older ones that were not looked at.
    is_cut: bool,
    /// How many events each of the rules decided about, in their order.
    applied: &'a [usize],
    ignored_events: usize,
    /// Issues that would lose events to nobody; at most a hundred.
    ignored: Vec<Loss<'a>>,
    /// Where events would go that are in another issue now; at most a hundred.
    groups: Vec<Gain<'a>>,
    /// How many were left out of these lists.
    left_out: usize,
}

/// Events of an issue to which something would happen.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RulesLoss)]
struct Loss<'a> {
    issue: Issue<'a>,
    events: usize,
    /// Of how many that were looked at.
    of: usize,
    /// The newest of them.
    example: Uuid,
    /// The rule that would decide; `null` if it is that none does any more.
    rule: Option<Decider>,
}

/// A rule by its place, from 0, and its name.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RulesDecider)]
struct Decider {
    index: usize,
    label: String,
}

/// An issue that would get events of others.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RulesGain)]
struct Gain<'a> {
    #[schema(value_type = Change)]
    change: &'static str,
    /// `null` for a new one.
    into: Option<Issue<'a>>,
    /// What its events have in common.
    parts: &'a [String],
    events: usize,
    from: Vec<Loss<'a>>,
}

/// What happens by it.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase", as = RulesChange)]
#[expect(dead_code, reason = "only its shape is asked for: core names its changes")]
enum Change {
    /// Events of several issues come together.
    Merge,
    /// Some of an issue's events go, others stay.
    Split,
    /// All of an issue's events go, to an issue of their own.
    Move,
}

/// An issue in a few words.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = IssueName)]
struct Issue<'a> {
    id: Uuid,
    short_id: String,
    #[serde(rename = "type")]
    ty: &'a str,
    message: &'a str,
    count: i64,
}

impl<'a> Effect<'a> {
    fn new(preview: &'a Preview, rules: &Rules) -> Self {
        Self {
            issues: preview.issues,
            events: preview.events,
            is_cut: preview.is_cut,
            applied: &preview.applied,
            ignored_events: preview.ignored_events,
            ignored: preview.ignored.iter().map(|affected| Loss::new(affected, rules)).collect(),
            groups: preview.groups.iter().map(|group| Gain::new(group, rules)).collect(),
            left_out: preview.left_out,
        }
    }
}

impl<'a> Loss<'a> {
    fn new(affected: &'a Affected, rules: &Rules) -> Self {
        let decider = |index: usize| rules.iter().nth(index).map(|rule| Decider { index, label: rule.label() });
        Self {
            issue: Issue::new(&affected.issue),
            events: affected.events,
            of: affected.of,
            example: affected.example,
            rule: affected.rule.and_then(decider),
        }
    }
}

impl<'a> Gain<'a> {
    fn new(group: &'a Group, rules: &Rules) -> Self {
        Self {
            change: group.change().as_str(),
            into: group.into.as_ref().map(Issue::new),
            parts: &group.parts,
            events: group.events(),
            from: group.from.iter().map(|affected| Loss::new(affected, rules)).collect(),
        }
    }
}

impl<'a> Issue<'a> {
    fn new(issue: &'a errtrack_core::Issue) -> Self {
        Self { id: issue.uuid, short_id: issue.short_id(), ty: &issue.ty, message: &issue.value, count: issue.count }
    }
}
