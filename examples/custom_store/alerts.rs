//! Alert rules, what happened that they may want to hear of, and what they had to say.

use crate::{
    data::{Data, is_among},
    issues::size,
    recording::as_tallied,
    store::MemoryStore,
};
use async_trait::async_trait;
use errtrack_core::{
    IssueId, Occurrence, ProjectId, StoreError, Timestamp,
    alert::{AlertRule, Firing, Forgotten, Left, Signal},
    notify::{Notification, Trigger},
    store::{
        AlertState, AlertStore, Change, Evaluation, FiringQuery, IncidentStore, IssueEvent, OutboxState, OutboxStore,
        Outcome, Tally, TallyQuery, TallyWidth,
    },
};
use std::{cmp::Reverse, collections::BTreeMap};
use uuid::Uuid;

/// What alerts need.
#[derive(Debug, Default, Clone)]
pub(crate) struct Alerts {
    rules: Vec<AlertRule>,
    firings: Vec<Firing>,
    state: AlertState,
    /// Without their issues, of which only the ids stand beside them.
    signals: Vec<(Signal, IssueId)>,
    /// Those that were looked at.
    past: Vec<(Signal, IssueId)>,
    last_signal: i64,
    /// By project, minute, environment and level.
    minutes: BTreeMap<(ProjectId, i64, String, i64), Tally>,
}

/// How an issue was before an event was counted.
#[derive(Debug, Default)]
pub(crate) struct Before {
    count: i64,
    has_release: bool,
}

impl Alerts {
    /// Counts an event that did that to its issue.
    pub(crate) fn count(&mut self, occurrence: &Occurrence, times: i64, outcome: Outcome) {
        let environment = as_tallied(occurrence.environment().unwrap_or_default());
        let key = (occurrence.project(), occurrence.timestamp().minute(), environment, occurrence.level().to_number());
        self.minutes.entry(key).or_default().add(&Tally {
            events: times,
            new_issues: i64::from(outcome == Outcome::New),
            regressions: i64::from(outcome == Outcome::Regressed),
            ..Tally::default()
        });
    }

    /// Notes what an event did to its issue.
    pub(crate) fn note(
        &mut self,
        occurrence: &Occurrence,
        times: i64,
        issue: IssueId,
        outcome: Outcome,
        before: &Before,
    ) {
        let mut tell = |trigger, count| {
            self.last_signal += 1;
            let tags = occurrence.dimensions().iter();
            let signal = Signal {
                id: self.last_signal,
                trigger,
                at: occurrence.timestamp(),
                project: occurrence.project(),
                issue: None,
                count,
                level: occurrence.level(),
                environment: occurrence.environment().map(as_tallied),
                release: occurrence.release().map(as_tallied),
                source: occurrence.source().map(str::to_owned),
                tags: tags.take(Signal::TAGS).map(|(key, value)| (as_tallied(key), as_tallied(value))).collect(),
            };
            self.signals.push((signal, issue));
        };
        match outcome {
            Outcome::New => tell(Trigger::NewIssue, 0),
            Outcome::Regressed => tell(Trigger::Regression, 0),
            Outcome::Unignored => tell(Trigger::Unignored, 0),
            _ => {}
        }
        if let Some(mark) = Signal::milestone(before.count, before.count + times) {
            tell(Trigger::Milestone, mark);
        }
        if outcome != Outcome::New && occurrence.release().is_some() && !before.has_release {
            tell(Trigger::NewInRelease, 0);
        }
    }

    pub(crate) fn forget(&mut self, project: ProjectId) {
        self.rules.retain(|rule| rule.project != Some(project));
        self.firings.retain(|firing| firing.project != Some(project));
        self.signals.retain(|(signal, _)| signal.project != project);
        self.past.retain(|(signal, _)| signal.project != project);
        self.minutes.retain(|(of, ..), _| *of != project);
    }

    /// Lets go of what is kept for some days.
    pub(crate) fn let_go(&mut self, now: Timestamp) {
        let oldest = now.minute() - TallyWidth::KEPT_DAYS * 1_440;
        self.past.retain(|(signal, _)| signal.at.minute() >= oldest);
        self.minutes.retain(|(_, minute, ..), _| *minute >= oldest);
    }
}

impl Data {
    /// Forgets what is said of groups: no one is told of them any more, if they are gone.
    pub(crate) fn forget(&mut self, groups: &[(IssueId, Uuid, String)], gone: bool) {
        let is_of = |id: IssueId| groups.iter().any(|(group, ..)| *group == id);
        let alerts = &mut self.alerts;
        for firing in alerts.firings.iter_mut().filter(|firing| firing.issue.is_some_and(is_of)) {
            firing.title.clear();
        }
        alerts.past.retain(|(_, issue)| !is_of(*issue));
        let forgotten = Forgotten::new(groups.iter().map(|(_, uuid, name)| (*uuid, name.clone())), gone);
        let json = |told: &Notification| serde_json::to_string(told).unwrap_or_default();
        self.outbox.retain_mut(|one| {
            let told = &mut one.item.entry.notification;
            match forgotten.in_notification(&json(told)) {
                Left::Same => {}
                _ if one.item.state == OutboxState::Delivered => *told = Notification::default(),
                Left::Less(less) => *told = serde_json::from_str(&less).unwrap_or_default(),
                Left::Nothing => return false,
            }
            true
        });
        // An evaluation that is under way begins anew.
        alerts.state.version += 1;
        alerts.state.entries.retain(|name, data| match forgotten.in_state(name, data) {
            Left::Same => true,
            Left::Less(less) => {
                *data = less;
                true
            }
            Left::Nothing => false,
        });
    }

    /// Assigns issues that are nobody's; answers which these were.
    fn assign_free(&mut self, assignments: &[(IssueId, String)]) -> Vec<(ProjectId, IssueId)> {
        let mut assigned = Vec::new();
        for (id, owner) in assignments {
            let name = self.name_of(*id);
            for entry in self.groups.values_mut() {
                if entry.merged_into.unwrap_or(entry.issue.id) == name && entry.issue.assigned_to.is_none() {
                    entry.issue.assigned_to = Some(owner.clone());
                    assigned.extend(entry.merged_into.is_none().then_some((entry.issue.project, entry.issue.id)));
                }
            }
        }
        assigned
    }

    /// How the issue of a group is, before an event of a release is counted.
    pub(crate) fn before(&self, issue: IssueId, occurrence: &Occurrence) -> Before {
        let release = occurrence.release().map(as_tallied);
        let groups = self.groups.values().filter(|entry| entry.merged_into.unwrap_or(entry.issue.id) == issue);
        groups.fold(Before::default(), |before, entry| Before {
            count: before.count + entry.issue.count,
            has_release: before.has_release
                || entry
                    .tags
                    .get("release")
                    .zip(release.as_ref())
                    .is_some_and(|(names, name)| names.contains_key(name)),
        })
    }
}

#[async_trait]
impl AlertStore for MemoryStore {
    async fn alert_rules(&self) -> Result<Vec<AlertRule>, StoreError> {
        let mut rules = self.lock()?.alerts.rules.clone();
        rules.sort_by_key(|rule| (rule.created_at, rule.id));
        Ok(rules)
    }

    async fn put_alert_rule(&self, rule: &AlertRule) -> Result<bool, StoreError> {
        let mut data = self.lock()?;
        if rule.project.is_some_and(|project| !data.projects.contains_key(&project)) {
            return Ok(false);
        }
        data.alerts.rules.retain(|other| other.id != rule.id);
        data.alerts.rules.push(rule.clone());
        drop(data);
        self.feed.tell(Change::Settings);
        Ok(true)
    }

    async fn delete_alert_rule(&self, id: Uuid) -> Result<bool, StoreError> {
        let mut data = self.lock()?;
        let before = data.alerts.rules.len();
        data.alerts.rules.retain(|rule| rule.id != id);
        data.alerts.firings.retain(|firing| firing.rule != id);
        let is_gone = data.alerts.rules.len() < before;
        drop(data);
        if is_gone {
            self.feed.tell(Change::Settings);
        }
        Ok(is_gone)
    }

    async fn firings(&self, query: &FiringQuery) -> Result<Vec<Firing>, StoreError> {
        let data = self.lock()?;
        let of = |firing: &&Firing| {
            query.rule.is_none_or(|rule| firing.rule == rule)
                && query.after.is_none_or(|after| (firing.at, firing.id) < after)
        };
        let mut firings: Vec<Firing> = data.alerts.firings.iter().filter(of).cloned().collect();
        firings.sort_by_key(|firing| Reverse((firing.at, firing.id)));
        firings.truncate(size(query.limit));
        Ok(firings)
    }

    async fn last_firings(
        &self,
        issues: &[IssueId],
        since: Timestamp,
    ) -> Result<Vec<(Uuid, IssueId, Timestamp)>, StoreError> {
        let mut last: BTreeMap<(Uuid, IssueId), Timestamp> = BTreeMap::new();
        for firing in self.lock()?.alerts.firings.iter().filter(|firing| firing.at >= since) {
            if let Some(issue) = firing.issue.filter(|issue| issues.contains(issue)) {
                let at = last.entry((firing.rule, issue)).or_default();
                *at = firing.at.max(*at);
            }
        }
        Ok(last.into_iter().map(|((rule, issue), at)| (rule, issue, at)).collect())
    }

    async fn signals(&self, limit: u32) -> Result<Vec<Signal>, StoreError> {
        let data = self.lock()?;
        let issue =
            |id: IssueId| data.issues().find(|entry| entry.issue.id == data.name_of(id)).map(|entry| entry.issue);
        let signals = data.alerts.signals.iter().take(size(limit));
        Ok(signals.map(|(signal, id)| Signal { issue: issue(*id), ..signal.clone() }).collect())
    }

    async fn past_signals(
        &self,
        trigger: Trigger,
        projects: Option<&[ProjectId]>,
        since: Timestamp,
        limit: u32,
    ) -> Result<(Timestamp, Vec<Signal>), StoreError> {
        let data = self.lock()?;
        let is_asked =
            |signal: &Signal| signal.trigger == trigger && signal.at >= since && is_among(signal.project, projects);
        let issue =
            |id: IssueId| data.issues().find(|entry| entry.issue.id == data.name_of(id)).map(|entry| entry.issue);
        let past = data.alerts.past.iter().filter(|(signal, _)| is_asked(signal));
        let mut past: Vec<Signal> = past.map(|(signal, id)| Signal { issue: issue(*id), ..signal.clone() }).collect();
        past.sort_by_key(|signal| Reverse((signal.at, signal.id)));
        past.truncate(size(limit));
        Ok((Timestamp::default(), past))
    }

    async fn alert_state(&self) -> Result<AlertState, StoreError> {
        Ok(self.lock()?.alerts.state.clone())
    }

    async fn fire(&self, evaluation: &Evaluation) -> Result<bool, StoreError> {
        let assigned = {
            let mut data = self.lock()?;
            let data = &mut *data;
            let alerts = &mut data.alerts;
            if alerts.state.version != evaluation.version {
                return Ok(false);
            }
            alerts.state.version += 1;
            for (name, data) in &evaluation.state {
                match data {
                    Some(data) => drop(alerts.state.entries.insert(name.clone(), data.clone())),
                    None => drop(alerts.state.entries.remove(name)),
                }
            }
            alerts.firings.extend_from_slice(&evaluation.firings);
            let taken = |(signal, _): &mut (Signal, IssueId)| evaluation.signals.contains(&signal.id);
            let taken: Vec<_> = alerts.signals.extract_if(.., taken).collect();
            let is_there = |(_, issue): &(Signal, IssueId)| data.groups.contains_key(issue);
            data.alerts.past.extend(taken.into_iter().filter(is_there));
            data.assign_free(&evaluation.assignments)
        };
        self.tell(&assigned, IssueEvent::Edited);
        // In memory nothing can come between.
        for incident in &evaluation.incidents {
            self.open_incident(incident).await?;
        }
        for (rule, recovery) in &evaluation.recoveries {
            self.recover_incident(*rule, recovery, evaluation.at).await?;
        }
        self.put_outbox(&evaluation.outbox).await?;
        Ok(true)
    }

    async fn tallies(&self, query: &TallyQuery) -> Result<Vec<Tally>, StoreError> {
        let environment = query.environment.as_deref().map(as_tallied);
        let unit = if query.width == TallyWidth::Minute { 1 } else { 60 };
        let mut tallies: BTreeMap<i64, Tally> = BTreeMap::new();
        for ((project, minute, name, level), tally) in &self.lock()?.alerts.minutes {
            let start = minute.div_euclid(unit) * unit;
            if (query.from..=query.until).contains(&start)
                && is_among(*project, query.projects.as_deref())
                && environment.as_ref().is_none_or(|environment| environment == name)
                && query.level.is_none_or(|asked| asked.to_number() == *level)
            {
                tallies.entry(start).or_insert(Tally { minute: start, ..Tally::default() }).add(tally);
            }
        }
        Ok(tallies.into_values().collect())
    }
}
