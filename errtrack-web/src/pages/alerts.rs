//! Alert rules: who is told of what, and what was told.

mod draft;
mod edit;

use super::{
    failure::Failure,
    page::Page,
    shell::{Layout, Shell, Viewer},
    text,
    time::When,
};
use crate::{alerts, app::App};
use askama::Template;
use axum::extract::State;
#[cfg(test)]
pub(super) use edit::EditPage;
pub(super) use edit::{change, create, delete, new, show, switch};
use errtrack_core::{
    Project, Timestamp,
    alert::{AlertRule, Firing, RuleState},
    notify::Trigger,
    store::{FiringQuery, OutboxItem, OutboxState},
};
use std::collections::{BTreeMap, BTreeSet};

/// Firings that are shown.
const FIRINGS: u32 = 20;

/// The page.
#[derive(Debug, Template)]
#[template(path = "alerts.html")]
pub(super) struct AlertsPage {
    layout: Layout,
    can_write: bool,
    new: String,
    rules: Vec<RuleView>,
    firings: Vec<FiringView>,
}

/// A rule, ready to be shown.
#[derive(Debug)]
struct RuleView {
    name: String,
    url: String,
    /// What it waits for.
    what: String,
    project: String,
    channels: String,
    state: &'static str,
    class: &'static str,
    last: Option<When>,
}

/// That a rule fired, ready to be shown.
#[derive(Debug)]
struct FiringView {
    rule: String,
    rule_url: Option<String>,
    trigger: &'static str,
    title: String,
    url: Option<String>,
    value: String,
    at: When,
    /// Channel, outcome, its class, and why.
    channels: Vec<(String, &'static str, &'static str, String)>,
}

/// `GET /alerts`
pub(super) async fn list(State(app): State<App>, Viewer(shell): Viewer) -> Result<Page<AlertsPage>, Failure> {
    let projects = shell.caller().projects(&app).await?;
    let rules = shell.caller().alert_rules(&app).await?;
    // Whoever sees all rules sees all that was said, and at once.
    let mut said = Vec::new();
    if shell.caller().project_ids().is_none() {
        let query = FiringQuery { rule: None, after: None, limit: FIRINGS };
        said = alerts::history(&app, &query).await?;
    }
    let names = alerts::issue_names(&app, said.iter().map(|(firing, _)| firing)).await?;
    Ok(Page::new(AlertsPage::new(&shell, &projects, &rules, (&said, &names), Timestamp::now())))
}

type Said<'a> = (&'a [(Firing, Vec<OutboxItem>)], &'a BTreeMap<i64, String>);

impl AlertsPage {
    fn new(
        shell: &Shell,
        projects: &[Project],
        rules: &[(AlertRule, RuleState)],
        said: Said<'_>,
        now: Timestamp,
    ) -> Self {
        let mut layout = shell.layout("Alerts");
        layout.area = "alerts";
        let views = rules.iter().map(|(rule, state)| RuleView::new(shell, rule, state, projects, now)).collect();
        Self {
            layout,
            can_write: shell.may_write(),
            new: shell.links.path("/alerts/new"),
            rules: views,
            firings: firings(shell, rules, said, now),
        }
    }

    #[cfg(test)]
    pub(super) fn samples(shell: &Shell) -> Vec<Self> {
        use super::samples;
        let (now, projects) = (samples::now(), [samples::project("checkout-api", 1)]);
        let rules = [
            (edit::sample(samples::HOSTILE), RuleState { firing: None, last_fired: Some(now) }),
            (
                AlertRule { trigger: Some(Trigger::Spike), condition: None, enabled: false, ..edit::sample("Spikes") },
                RuleState::default(),
            ),
        ];
        let (said, names) = samples_of_firings(now);
        vec![
            Self::new(shell, &projects, &rules, (&said, &names), now),
            Self::new(shell, &projects, &[], (&[], &BTreeMap::new()), now),
        ]
    }
}

impl RuleView {
    fn new(shell: &Shell, rule: &AlertRule, state: &RuleState, projects: &[Project], now: Timestamp) -> Self {
        let project = |id| projects.iter().find(|project| project.id == id).map(super::shell::name);
        let (state_name, class) = match (rule.enabled, state.firing) {
            (false, _) => ("off", "muted"),
            (true, Some(_)) => ("firing", "error"),
            (true, None) => ("on", "ok"),
        };
        Self {
            name: text::line(&rule.name, 100),
            url: shell.links.path(format!("/alerts/{}", rule.id)),
            what: text::line(&what(rule), 200),
            project: rule.project.map_or_else(|| "All projects".into(), |id| project(id).unwrap_or_default()),
            channels: text::line(&rule.notifications.join(", "), 200),
            state: state_name,
            class,
            last: state.last_fired.map(|at| When::new(at, now)),
        }
    }
}

/// What a rule waits for.
fn what(rule: &AlertRule) -> String {
    let condition = rule.condition.clone();
    condition.or_else(|| rule.trigger.map(|trigger| trigger_name(trigger).to_owned())).unwrap_or_default()
}

/// A trigger in words.
const fn trigger_name(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::NewIssue => "A new issue",
        Trigger::Regression => "A resolved issue comes back",
        Trigger::Milestone => "An issue reaches 10, 100, 1,000, … events",
        Trigger::Spike => "An issue comes far more often than it used to",
        Trigger::Unignored => "An issue is not ignored any longer",
        Trigger::NewInRelease => "A known issue comes in a release for the first time",
        Trigger::Recovered => "Over",
        Trigger::Rule => "Condition met",
        Trigger::Incident => "Incident",
        Trigger::Digest => "Digest",
        Trigger::Test => "Test",
        Trigger::Invitation => "Invitation",
    }
}

fn firings(
    shell: &Shell,
    rules: &[(AlertRule, RuleState)],
    (said, names): Said<'_>,
    now: Timestamp,
) -> Vec<FiringView> {
    let view = |(firing, told): &(Firing, Vec<OutboxItem>)| {
        let rule = rules.iter().find(|(rule, _)| rule.id == firing.rule).map(|(rule, _)| rule);
        let issue = firing.issue.and_then(|issue| names.get(&issue.0));
        let mut channels: Vec<_> = told.iter().map(outcome).collect();
        let alone: BTreeSet<_> = told.iter().map(|item| item.entry.channel.as_str()).collect();
        let gathered = firing.gathered.iter().filter(|name| !alone.contains(name.as_str()));
        channels.extend(gathered.map(|name| (text::line(name, 64), "gathered into a digest", "muted", String::new())));
        FiringView {
            rule: rule.map_or_else(|| "built in".into(), |rule| text::line(&rule.name, 100)),
            rule_url: rule.map(|rule| shell.links.path(format!("/alerts/{}", rule.id))),
            trigger: trigger_name(firing.trigger),
            // What was said of an issue goes with it.
            title: match (firing.title.as_str(), issue) {
                ("", Some(name)) => name.clone(),
                ("", None) => "An issue that was deleted".into(),
                (title, _) => text::line(title, 200),
            },
            url: issue.map(|name| shell.links.path(format!("/issues/{}", text::path_part(name)))),
            value: match (firing.value, firing.threshold) {
                (Some(value), Some(threshold)) => format!("{} ({})", figure(value), figure(threshold)),
                (Some(value), None) => figure(value),
                _ => String::new(),
            },
            at: When::new(firing.at, now),
            channels,
        }
    };
    said.iter().map(view).collect()
}

/// A measured value, with two decimals at most.
fn figure(value: f64) -> String {
    format!("{value:.2}").trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn outcome(item: &OutboxItem) -> (String, &'static str, &'static str, String) {
    let (says, class) = match item.state {
        OutboxState::Waiting if item.attempts > 0 => ("is tried again", "warning"),
        OutboxState::Waiting => ("waiting", "muted"),
        OutboxState::Delivered => ("delivered", "ok"),
        OutboxState::Failed => ("failed", "error"),
    };
    let why = item.error.as_deref().map(|error| text::line(error, 200)).unwrap_or_default();
    (text::line(&item.entry.channel, 64), says, class, why)
}

/// What a [`Said`] is made of.
#[cfg(test)]
type Owned = (Vec<(Firing, Vec<OutboxItem>)>, BTreeMap<i64, String>);

#[cfg(test)]
fn samples_of_firings(now: Timestamp) -> Owned {
    use super::samples::HOSTILE;
    use errtrack_core::{IssueId, notify::OutboxEntry};
    let firing = Firing {
        at: now,
        title: HOSTILE.into(),
        value: Some(61.0),
        threshold: Some(50.5),
        issue: Some(IssueId(1)),
        gathered: vec!["sms".into()],
        ..Firing::default()
    };
    let item = |state, error: Option<&str>| OutboxItem {
        entry: OutboxEntry {
            key: uuid::Uuid::nil(),
            channel: "email".into(),
            recipients: Vec::new(),
            ordering: String::new(),
            firing: None,
            due_at: now,
            notification: errtrack_core::notify::Notification::default(),
        },
        state,
        attempts: 1,
        made_at: now,
        next_at: now,
        settled_at: None,
        error: error.map(Into::into),
    };
    let told = vec![item(OutboxState::Delivered, None), item(OutboxState::Failed, Some(HOSTILE))];
    (vec![(firing, told), (Firing { at: now, ..Firing::default() }, Vec::new())], [(1, "SHOP-1".to_owned())].into())
}
