//! What an evaluation decides: who is told what, and when. No store and no clock: all of it is handed in.
//!
//! A channel is told `cap` things an hour of what can wait, and as many of what cannot: so a flood of new issues never stands in
//! the way of a regression. What is too much is gathered, and told at once: the first time when it has been calm for a minute,
//! or after ten, and later in the same hour at its end.

use super::{
    AlertRule, Checked, Firing, When,
    state::{RuleState, States},
};
use crate::{
    Issue, ProjectId, Timestamp,
    incident::{NewIncident, Severity},
    notify::{DigestLine, IssueFacts, Notification, OutboxEntry, RuleFacts, Trigger},
    store::{AlertState, Evaluation, Recovery},
};
use sha2::{Digest, Sha256};
use std::{collections::BTreeSet, time::Duration};
use uuid::Uuid;

/// What a channel is told within so long counts together.
const HOUR: Duration = Duration::from_secs(3600);
/// So long nothing more came: what was gathered is told.
const CALM: Duration = Duration::from_secs(60);
/// And after so long in any case.
const PATIENCE: Duration = Duration::from_secs(600);
/// Things that a digest lists.
const LINES: usize = 50;

/// An evaluation under way.
#[derive(Debug)]
pub(super) struct Decision {
    now: Timestamp,
    cap: u32,
    states: States,
    out: Evaluation,
}

/// What happened to an issue.
#[derive(Debug)]
pub(super) struct Happened<'a> {
    /// What tells it from all else that happens to the issue.
    pub(super) cause: i64,
    pub(super) trigger: Trigger,
    pub(super) at: Timestamp,
    pub(super) issue: &'a Issue,
    pub(super) value: Option<f64>,
    pub(super) threshold: Option<f64>,
    pub(super) release: Option<&'a str>,
}

impl Decision {
    pub(super) fn new(now: Timestamp, cap: u32, state: &AlertState) -> Self {
        let out = Evaluation { at: now, version: state.version, ..Evaluation::default() };
        Self { now, cap, states: States::read(state), out }
    }

    /// Something happened to an issue that a rule waits for.
    pub(super) fn happened(&mut self, rule: &AlertRule, checked: &Checked, what: &Happened<'_>) {
        let mut facts = IssueFacts::of(what.issue);
        facts.release = what.release.map(Into::into).or(facts.release);
        let title = facts.title.clone();
        let note = match what.trigger {
            Trigger::Milestone => what.value.map(|count| format!("It has had {count} events.")),
            Trigger::Spike => Some(format!(
                "{} events this hour; at most {} were to be expected.",
                what.value.unwrap_or_default(),
                what.threshold.unwrap_or_default()
            )),
            Trigger::NewInRelease => what.release.map(|release| format!("First seen in release {release}.")),
            _ => None,
        };
        let notification = Notification {
            trigger: what.trigger,
            at: what.at,
            project: Some(what.issue.project_slug.clone()),
            rule: Some(rule_facts(rule, what.value, what.threshold)),
            issue: Some(facts),
            note,
            ..Notification::default()
        };
        let firing = Firing {
            id: self.id(rule.id, what.trigger, &format!("{}:{}", what.issue.id.0, what.cause)),
            rule: rule.id,
            at: self.now,
            trigger: what.trigger,
            project: Some(what.issue.project),
            issue: Some(what.issue.id),
            title,
            value: what.value,
            threshold: what.threshold,
            gathered: Vec::new(),
        };
        let state = self.states.rule(rule.id);
        self.states.put_rule(rule.id, RuleState { last_fired: Some(self.now), ..state });
        self.fire(rule, checked, firing, &notification);
    }

    /// A condition was measured; `None` where there was nothing to measure. A rule fires when its condition begins to be met,
    /// and again only after it was not.
    pub(super) fn measured(
        &mut self,
        rule: &AlertRule,
        checked: &Checked,
        value: Option<f64>,
        project: Option<(ProjectId, &str)>,
    ) {
        let When::Condition { condition, bound, .. } = &checked.when else { return };
        let holds = value.is_some_and(|value| condition.operator.holds(value, *bound));
        let state = self.states.rule(rule.id);
        let trigger = match (state.firing, holds) {
            (None, true) if state.last_fired.is_some_and(|at| at.plus(checked.cooldown.duration()) > self.now) => {
                return;
            }
            (None, true) => Trigger::Rule,
            (Some(_), false) => Trigger::Recovered,
            _ => return,
        };
        let firing = Firing {
            id: self.id(rule.id, trigger, &self.now.as_micros().to_string()),
            rule: rule.id,
            at: self.now,
            trigger,
            project: project.map(|(id, _)| id),
            issue: None,
            title: rule.name.clone(),
            value,
            threshold: Some(*bound),
            gathered: Vec::new(),
        };
        let state = match trigger {
            Trigger::Rule => RuleState { firing: Some(firing.id), last_fired: Some(self.now) },
            _ => RuleState { firing: None, ..state },
        };
        self.states.put_rule(rule.id, state);
        let notification = Notification {
            trigger,
            at: self.now,
            project: project.map(|(_, slug)| slug.to_owned()),
            rule: Some(rule_facts(rule, value, Some(*bound))),
            ..Notification::default()
        };
        self.fire(rule, checked, firing, &notification);
    }

    /// Takes signals away that were looked at.
    pub(super) fn took(&mut self, signals: impl IntoIterator<Item = i64>) {
        self.out.signals.extend(signals);
    }

    /// What it came to, with what was gathered and is due. Lets go of what was kept of rules that are gone.
    pub(super) fn finish(mut self, rules: &BTreeSet<Uuid>) -> Evaluation {
        for (name, gathered) in self.states.take_due(self.now) {
            if let (1, Some((firing, notification))) = (gathered.total, gathered.one) {
                self.put(&gathered.channel, gathered.recipients, Some(firing), notification);
                continue;
            }
            if name.starts_with("cap:") {
                self.states.channel(&gathered.channel).digests += 1;
            }
            let first = gathered.lines.first().map(|line| line.project.clone());
            let same = gathered.lines.iter().all(|line| Some(&line.project) == first.as_ref());
            let notification = Notification {
                trigger: Trigger::Digest,
                at: self.now,
                project: first.flatten().filter(|_| same),
                digest: gathered.lines,
                digest_total: gathered.total,
                ..Notification::default()
            };
            self.put(&gathered.channel, gathered.recipients, None, notification);
        }
        self.states.keep_rules(rules);
        self.out.state = self.states.changes();
        self.out
    }

    /// Keeps a firing, and tells or gathers it for each channel of the rule.
    fn fire(&mut self, rule: &AlertRule, checked: &Checked, mut firing: Firing, notification: &Notification) {
        let quiet = rule.quiet_hours.and_then(|hours| hours.end_at(self.now));
        for channel in &rule.notifications {
            let gathers = match (quiet, checked.digest) {
                (Some(end), _) => Some((format!("quiet:{}:{channel}", rule.id), end)),
                (None, Some(digest)) => {
                    Some((format!("digest:{}:{channel}", rule.id), self.now.plus(digest.duration())))
                }
                (None, None) => None,
            };
            match gathers {
                Some((name, due)) => {
                    let first = self.gather(&name, rule, channel, &firing, notification);
                    // What comes later waits for the same end.
                    let gathered = self.states.gathered(&name);
                    gathered.due = if first { due } else { gathered.due };
                    firing.gathered.push(channel.clone());
                }
                None if self.has_room(channel, notification.trigger) => {
                    self.put(channel, rule.recipients.clone(), Some(firing.id), notification.clone());
                }
                None => {
                    let name = format!("cap:{channel}:{}", rule.recipients.join(","));
                    self.gather(&name, rule, channel, &firing, notification);
                    let channel_state = self.states.channel(channel).clone();
                    let gathered = self.states.gathered(&name);
                    gathered.due = if channel_state.digests == 0 {
                        self.now.plus(CALM).min(gathered.first.plus(PATIENCE))
                    } else {
                        channel_state.since.plus(HOUR)
                    };
                    firing.gathered.push(channel.clone());
                }
            }
        }
        self.note_incident(rule, &firing);
        self.out.firings.push(firing);
    }

    /// Opens the incident that a rule asks for, or says on it that it is over.
    fn note_incident(&mut self, rule: &AlertRule, firing: &Firing) {
        let Some(wanted) = &rule.open_incident else { return };
        let measured = firing
            .value
            .map(|value| format!("The value is {value}, the bound {}.", firing.threshold.unwrap_or_default()));
        let note = measured.unwrap_or_default();
        if firing.trigger == Trigger::Recovered {
            self.out.recoveries.push((rule.id, Recovery { by: rule.name.clone(), note, resolve: wanted.resolve }));
            return;
        }
        let severity = Severity::ALL.into_iter().find(|severity| severity.as_str() == wanted.severity);
        self.out.incidents.push(NewIncident {
            // The same for the same cause.
            id: hashed(&["incident", &firing.id.to_string()]),
            project: firing.project,
            severity: severity.unwrap_or_default(),
            rule: Some(rule.id),
            firing: Some(firing.id),
            channels: rule.notifications.clone(),
            issues: firing.issue.into_iter().collect(),
            note,
            at: self.now,
            ..NewIncident::new(firing.title.clone(), rule.name.clone())
        });
    }

    /// Adds to what is gathered; `true` for the first.
    fn gather(
        &mut self,
        name: &str,
        rule: &AlertRule,
        channel: &str,
        firing: &Firing,
        notification: &Notification,
    ) -> bool {
        let issue = notification.issue.as_ref();
        let line = DigestLine {
            trigger: notification.trigger,
            at: notification.at,
            title: firing.title.clone(),
            short_id: issue.map(|issue| issue.short_id.clone()),
            project: notification.project.clone(),
            path: issue.map(|issue| issue.path.clone()).unwrap_or_default(),
        };
        let now = self.now;
        let gathered = self.states.gathered(name);
        gathered.total += 1;
        let is_first = gathered.total == 1;
        if is_first {
            (gathered.channel, gathered.recipients) = (channel.to_owned(), rule.recipients.clone());
            gathered.first = now;
            gathered.one = Some((firing.id, notification.clone()));
        } else {
            gathered.one = None;
        }
        gathered.lines.insert(0, line);
        gathered.lines.truncate(LINES);
        is_first
    }

    /// Whether a channel can be told one more thing within its hour; then it counts.
    fn has_room(&mut self, channel: &str, trigger: Trigger) -> bool {
        let (now, cap) = (self.now, self.cap);
        let state = self.states.channel(channel);
        // The clock of another process may be a little ahead; one that was set back far begins anew.
        if state.since.plus(HOUR) <= now || state.since > now.plus(HOUR) {
            *state = super::state::ChannelState { since: now, ..Default::default() };
        }
        let told = if is_urgent(trigger) { &mut state.urgent } else { &mut state.ordinary };
        let has_room = *told < cap;
        *told += u32::from(has_room);
        has_room
    }

    fn put(&mut self, channel: &str, recipients: Vec<String>, firing: Option<Uuid>, notification: Notification) {
        let whom = recipients.join(",");
        let ordering = match (&notification.issue, &notification.rule) {
            (Some(issue), _) => format!("issue:{}", issue.id),
            (None, Some(rule)) => format!("rule:{}", rule.id),
            (None, None) => String::new(),
        };
        let of = firing.map_or_else(|| format!("digest:{}", self.now.as_micros()), |id| id.to_string());
        self.out.outbox.push(OutboxEntry {
            key: hashed(&[&of, channel, &whom]),
            channel: channel.to_owned(),
            recipients,
            ordering,
            firing,
            due_at: self.now,
            notification,
        });
    }

    /// The id of a firing: the same for the same cause, so that what is decided twice is one.
    fn id(&self, rule: Uuid, trigger: Trigger, cause: &str) -> Uuid {
        hashed(&[&rule.to_string(), trigger.as_str(), cause])
    }
}

/// What people must hear of, whatever else is going on.
const fn is_urgent(trigger: Trigger) -> bool {
    !matches!(trigger, Trigger::NewIssue | Trigger::Milestone | Trigger::NewInRelease | Trigger::Unignored)
}

/// An id that is the same for the same parts.
pub(super) fn hashed(parts: &[&str]) -> Uuid {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    let mut bytes = [0; 16];
    for (byte, of) in bytes.iter_mut().zip(digest) {
        *byte = of;
    }
    Uuid::from_bytes(bytes)
}

fn rule_facts(rule: &AlertRule, value: Option<f64>, threshold: Option<f64>) -> RuleFacts {
    let condition = rule.condition.clone().or_else(|| rule.trigger.map(|trigger| trigger.as_str().to_owned()));
    RuleFacts {
        id: rule.id.to_string(),
        name: rule.name.clone(),
        condition: condition.unwrap_or_default(),
        value,
        threshold,
    }
}

#[cfg(test)]
mod tests;
