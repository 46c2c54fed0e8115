//! An evaluation: asks the store what happened, lets the rules decide, and writes what that came to.

use super::{
    AlertRule, Checked, FilterKey, Signal, When,
    decision::{Decision, Happened},
    measure,
    spike::{self, HISTORY},
    whom::{self, Owners},
};
use crate::{
    IssueId, IssueRef, Project, Status, StoreError, Timestamp,
    notify::{OutboxEntry, Trigger},
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
/// Frames that are told of an issue.
const FRAMES: usize = 5;
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
    fn rules(&self) -> Vec<AlertRule> {
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

/// Evaluates once, as of `now`. What another process has evaluated meanwhile is left to it.
pub(crate) async fn evaluate(
    store: &dyn Store,
    owners: &dyn Owners,
    settings: &AlertSettings,
    now: Timestamp,
    scope: Scope,
) -> Result<Evaluated, StoreError> {
    let state = store.alert_state().await?;
    let signals = store.signals(SIGNALS).await?;
    let stored = store.alert_rules().await?;
    let built_in = settings.rules();
    let known: BTreeSet<Uuid> = stored.iter().chain(&built_in).map(|rule| rule.id).collect();
    let rules = stored.into_iter().chain(built_in).filter(|rule| rule.enabled);
    let rules: Vec<(AlertRule, Checked)> =
        rules.filter_map(|rule| Some((rule.check().ok()?, rule))).map(|(c, r)| (r, c)).collect();
    let mut decision = Decision::new(now, settings.cap, &state);
    let more = signals.len() >= SIGNALS as usize;
    decide_signals(store, &mut decision, &rules, &signals, now).await?;
    if scope.conditions && rules.iter().any(|(_, checked)| matches!(checked.when, When::Condition { .. })) {
        decide_conditions(store, &mut decision, &rules, now).await?;
    }
    if scope.spikes {
        decide_spikes(store, &mut decision, &rules, now).await?;
    }
    let mut evaluation = decision.finish(&known);
    if evaluation.is_empty() {
        return Ok(Evaluated::default());
    }
    for entry in &mut evaluation.outbox {
        add_frames(store, entry).await?;
    }
    let told = std::mem::take(&mut evaluation.outbox);
    evaluation.outbox = whom::address(store, owners, rules.iter().map(|(rule, _)| rule), told).await?;
    let done = Evaluated { firings: evaluation.firings.len(), told: evaluation.outbox.len(), more };
    let mut fired = store.fire(&evaluation).await;
    if !evaluation.incidents.is_empty() && fired.as_ref().is_err_and(|error| !error.is_unavailable()) {
        // One incident that cannot be opened must not keep everybody from being told.
        evaluation.incidents.clear();
        fired = store.fire(&evaluation).await;
    }
    Ok(if fired? { done } else { Evaluated { more: true, ..Evaluated::default() } })
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
            // Each of these comes once for an issue, or ten times less often than the one before.
            let comes_once = matches!(signal.trigger, Trigger::NewIssue | Trigger::Milestone);
            if !comes_once && !pauses.has_passed(rule, checked, issue.id, now) {
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

fn wants(rule: &AlertRule, checked: &Checked, signal: &Signal) -> bool {
    checked.when == When::Trigger(signal.trigger)
        && rule.project.is_none_or(|project| project == signal.project)
        && rule.min_level.is_none_or(|level| signal.level >= level)
        && rule.environment.as_deref().is_none_or(|name| signal.environment.as_deref() == Some(name))
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

async fn decide_spikes(
    store: &dyn Store,
    decision: &mut Decision,
    rules: &[(AlertRule, Checked)],
    now: Timestamp,
) -> Result<(), StoreError> {
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
        }
    }
    Ok(())
}

/// Puts the first frames of the program itself to what is told of an issue.
async fn add_frames(store: &dyn Store, entry: &mut OutboxEntry) -> Result<(), StoreError> {
    let Some(facts) = &mut entry.notification.issue else { return Ok(()) };
    let Ok(id) = facts.id.parse::<Uuid>() else { return Ok(()) };
    let Some(issue) = store.issue(&IssueRef::Uuid(id)).await? else { return Ok(()) };
    let Some(stored) = store.event(Some(&[issue.project]), issue.last_event.uuid()).await? else { return Ok(()) };
    let told = std::mem::take(facts).with_frames(&stored.event, FRAMES);
    *facts = told;
    Ok(())
}
