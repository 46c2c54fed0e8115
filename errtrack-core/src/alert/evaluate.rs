//! An evaluation: asks the store what happened, lets the rules decide, and writes what that came to.

use super::{
    AlertRule, Checked, FilterKey, Signal, When,
    decision::{Decision, Happened},
    measure,
    spike::{self, HISTORY},
    told::Told,
    whom::{self, Owners},
};
use crate::{
    Issue, IssueId, Project, Status, StoreError, Timestamp,
    notify::Trigger,
    store::{FigureScope, Store},
};
use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};
use uuid::Uuid;

/// Signals that one evaluation takes.
const SIGNALS: u32 = 500;
/// Issues that are looked at for spikes: those with the most events this hour.
const BUSY: u32 = 100;
/// The longest that a rule can be silent about an issue.
const LONGEST: Duration = Duration::from_secs(30 * 86_400);

/// What the program says of alerts.
#[derive(Debug, Clone)]
pub(crate) struct AlertSettings {
    /// Who gets a mail for every new issue and every regression.
    pub(crate) emails: Vec<String>,
    /// How many notifications of each kind a channel gets within an hour before they are gathered.
    pub(crate) cap: u32,
}

impl Default for AlertSettings {
    fn default() -> Self {
        Self { emails: Vec::new(), cap: 60 }
    }
}

/// What to look at, beside signals.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Scope {
    pub(crate) conditions: bool,
    pub(crate) spikes: bool,
}

/// What an evaluation did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Evaluated {
    /// How many rules had something to say.
    pub(crate) firings: usize,
    /// How much was put into the outbox.
    pub(crate) told: usize,
    /// There may be more signals.
    pub(crate) more: bool,
}

impl AlertSettings {
    /// The rules of the program itself. Their ids stay the same.
    pub(crate) fn rules(&self) -> Vec<AlertRule> {
        let rule = |id, name: &str, trigger| AlertRule {
            id: Uuid::from_u128(id),
            name: name.into(),
            trigger: Some(trigger),
            enabled: true,
            notifications: vec!["email".into()],
            recipients: self.emails.clone(),
            ..AlertRule::default()
        };
        if self.emails.is_empty() {
            return Vec::new();
        }
        vec![rule(1, "New issues", Trigger::NewIssue), rule(2, "Regressions", Trigger::Regression)]
    }
}

/// Evaluates the rules that are stored, and those of the program itself, once, as of `now`. What another process has evaluated
/// meanwhile is left to it.
pub(crate) async fn evaluate(
    store: &dyn Store,
    owners: &dyn Owners,
    (settings, stored): (&AlertSettings, &[AlertRule]),
    now: Timestamp,
    scope: Scope,
) -> Result<Evaluated, StoreError> {
    let state = store.alert_state().await?;
    let mut signals = store.signals(SIGNALS).await?;
    let built_in = settings.rules();
    let known: BTreeSet<Uuid> = stored.iter().chain(&built_in).map(|rule| rule.id).collect();
    let rules = stored.iter().cloned().chain(built_in).filter(|rule| rule.enabled);
    let rules: Vec<(AlertRule, Checked)> =
        rules.filter_map(|rule| Some((rule.check().ok()?, rule))).map(|(c, r)| (r, c)).collect();
    let mut decision = Decision::new(now, settings.cap, &state);
    let more = signals.len() >= SIGNALS as usize;
    // Before anybody is told: owners are told of what is theirs.
    let assignments = assign(owners, &mut signals).await?;
    decide_signals(store, &mut decision, &rules, &signals, now).await?;
    if scope.conditions && rules.iter().any(|(_, checked)| matches!(checked.when, When::Condition { .. })) {
        decide_conditions(store, &mut decision, &rules, now).await?;
    }
    let mut busy = Vec::new();
    if scope.spikes {
        busy = decide_spikes(store, &mut decision, &rules, now).await?;
    }
    let mut evaluation = decision.finish(&known);
    evaluation.assignments = assignments;
    if evaluation.is_empty() {
        return Ok(Evaluated::default());
    }
    let known = signals.into_iter().filter_map(|signal| signal.issue).chain(busy);
    let mut told = Told::new(store, known);
    for entry in &mut evaluation.outbox {
        told.add_frames(entry).await?;
    }
    let entries = std::mem::take(&mut evaluation.outbox);
    evaluation.outbox = whom::address(&mut told, owners, rules.iter().map(|(rule, _)| rule), entries).await?;
    let done = Evaluated { firings: evaluation.firings.len(), told: evaluation.outbox.len(), more };
    let mut fired = store.fire(&evaluation).await;
    if !evaluation.incidents.is_empty() && fired.as_ref().is_err_and(|error| !error.is_unavailable()) {
        // One incident that cannot be opened must not keep everybody from being told.
        evaluation.incidents.clear();
        fired = store.fire(&evaluation).await;
    }
    Ok(if fired? { done } else { Evaluated { more: true, ..Evaluated::default() } })
}

/// To whom new issues are assigned. What is decided next takes them to be theirs; whoever assigns one meanwhile has the last
/// word.
async fn assign(owners: &dyn Owners, signals: &mut [Signal]) -> Result<Vec<(IssueId, String)>, StoreError> {
    let mut assigned: HashMap<IssueId, String> = HashMap::new();
    for signal in signals.iter().filter(|signal| signal.trigger == Trigger::NewIssue) {
        let Some(issue) = signal.issue.as_ref().filter(|issue| issue.assigned_to.is_none()) else { continue };
        if let Some(owner) = owners.assignee(issue).await? {
            assigned.insert(issue.id, owner);
        }
    }
    for issue in signals.iter_mut().filter_map(|signal| signal.issue.as_mut()) {
        if let Some(owner) = assigned.get(&issue.id) {
            issue.assigned_to = Some(owner.clone());
        }
    }
    Ok(assigned.into_iter().collect())
}

async fn decide_signals(
    store: &dyn Store,
    decision: &mut Decision,
    rules: &[(AlertRule, Checked)],
    signals: &[Signal],
    now: Timestamp,
) -> Result<(), StoreError> {
    if signals.is_empty() {
        return Ok(());
    }
    let mut issues: Vec<IssueId> = signals.iter().filter_map(|signal| Some(signal.issue.as_ref()?.id)).collect();
    issues.sort_unstable();
    issues.dedup();
    let mut pauses = Pauses::read(store, rules, &issues, now).await?;
    for signal in signals {
        let Some(issue) = &signal.issue else { continue };
        // Of what is ignored nothing is told but that it no longer is.
        if issue.status == Status::Ignored {
            continue;
        }
        for (rule, checked) in rules.iter().filter(|(rule, checked)| wants(rule, checked, signal)) {
            if !comes_once(signal.trigger) && !pauses.has_passed(rule, checked, issue.id, now) {
                continue;
            }
            #[expect(clippy::cast_precision_loss, reason = "a power of ten")]
            let value = (signal.trigger == Trigger::Milestone).then_some(signal.count as f64);
            let release = signal.release.as_deref();
            let (trigger, at) = (signal.trigger, signal.at);
            decision.happened(
                rule,
                checked,
                &Happened { cause: signal.id, trigger, at, issue, value, threshold: None, release },
            );
        }
    }
    decision.took(signals.iter().map(|signal| signal.id));
    Ok(())
}

/// Whether it comes once for an issue, or ten times less often than the one before: then there is nothing to pause.
pub(super) const fn comes_once(trigger: Trigger) -> bool {
    matches!(trigger, Trigger::NewIssue | Trigger::Milestone)
}

pub(super) fn wants(rule: &AlertRule, checked: &Checked, signal: &Signal) -> bool {
    checked.when == When::Trigger(signal.trigger)
        && rule.project.is_none_or(|project| project == signal.project)
        && rule.min_level.is_none_or(|level| signal.level >= level)
        && rule.environment.as_deref().is_none_or(|name| signal.environment.as_deref() == Some(name))
        && checked.filters.iter().all(|filter| filter.holds(signal))
}

/// When rules last fired for issues.
struct Pauses(HashMap<(Uuid, IssueId), Timestamp>);

impl Pauses {
    async fn read(
        store: &dyn Store,
        rules: &[(AlertRule, Checked)],
        issues: &[IssueId],
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let triggers = rules.iter().filter(|(_, checked)| matches!(checked.when, When::Trigger(_)));
        let Some(longest) = triggers.map(|(_, checked)| checked.cooldown.duration()).max() else {
            return Ok(Self(HashMap::new()));
        };
        let last = store.last_firings(issues, now.minus(longest.min(LONGEST))).await?;
        Ok(Self(last.into_iter().map(|(rule, issue, at)| ((rule, issue), at)).collect()))
    }

    /// Whether a rule may speak of an issue again; then it does.
    fn has_passed(&mut self, rule: &AlertRule, checked: &Checked, issue: IssueId, now: Timestamp) -> bool {
        let last = self.0.get(&(rule.id, issue));
        let has_passed = last.is_none_or(|at| at.plus(checked.cooldown.duration()) <= now);
        if has_passed {
            self.0.insert((rule.id, issue), now);
        }
        has_passed
    }
}

async fn decide_conditions(
    store: &dyn Store,
    decision: &mut Decision,
    rules: &[(AlertRule, Checked)],
    now: Timestamp,
) -> Result<(), StoreError> {
    let all = store.projects().await?;
    for (rule, checked) in rules {
        let When::Condition { condition, window, .. } = &checked.when else { continue };
        let projects = measure::projects(rule, condition, &all);
        let one = project_of(rule, condition.filter(FilterKey::Project), &all);
        let value = measure::measure(store, condition, *window, projects, now).await?;
        decision.measured(rule, checked, value, one.map(|project| (project.id, project.slug.as_str())));
    }
    Ok(())
}

fn project_of<'a>(rule: &AlertRule, slug: Option<&str>, all: &'a [Project]) -> Option<&'a Project> {
    all.iter()
        .find(|project| slug == Some(project.slug.as_str()) || (slug.is_none() && rule.project == Some(project.id)))
}

/// Answers the issues that have one.
async fn decide_spikes(
    store: &dyn Store,
    decision: &mut Decision,
    rules: &[(AlertRule, Checked)],
    now: Timestamp,
) -> Result<Vec<Issue>, StoreError> {
    let mut told = Vec::new();
    let spikes = |checked: &Checked| checked.when == When::Trigger(Trigger::Spike);
    for (rule, checked) in rules.iter().filter(|(_, checked)| spikes(checked)) {
        let scope = FigureScope { projects: rule.project.map(|id| vec![id]), environment: rule.environment.clone() };
        let mut busy = store.top_issues(&scope, now, BUSY).await?;
        busy.retain(|(issue, _)| issue.status != Status::Ignored);
        busy.retain(|(issue, _)| rule.min_level.is_none_or(|level| issue.level >= level));
        let issues: Vec<IssueId> = busy.iter().map(|(issue, _)| issue.id).collect();
        let mut pauses = Pauses::read(store, rules, &issues, now).await?;
        let histories = store.histograms(&issues, now, 1, HISTORY + 1).await?;
        for ((issue, _), hours) in busy.iter().zip(&histories) {
            let Some((count, history)) = hours.split_last() else { continue };
            let Some(spike) = spike::detect(history, *count) else { continue };
            if !pauses.has_passed(rule, checked, issue.id, now) {
                continue;
            }
            #[expect(clippy::cast_precision_loss, reason = "counts of an hour")]
            let (value, threshold) = (Some(spike.count as f64), Some(spike.most as f64));
            let trigger = Trigger::Spike;
            decision.happened(
                rule,
                checked,
                &Happened { cause: now.as_micros(), trigger, at: now, issue, value, threshold, release: None },
            );
            told.push(issue.clone());
        }
    }
    Ok(told)
}
