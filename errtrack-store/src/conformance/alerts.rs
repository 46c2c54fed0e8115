//! Alert rules: what batches tell them, what is counted for them, and what they had to say.

use super::kit::{arrived, days, event, issue_of, minutes, project, record, tagged};
use errtrack_core::{
    Condition, Event, IssueId, Level, ProjectId, Status, Store, Timestamp,
    alert::{AlertRule, Firing, Signal},
    incident::NewIncident,
    notify::{Notification, OutboxEntry, Trigger},
    store::{
        AlertState, Evaluation, FiringQuery, IncidentQuery, OutboxQuery, Recovery, Retention, Tally, TallyQuery,
        TallyWidth,
    },
};
use uuid::Uuid;

fn rule(name: &str, at: i64) -> AlertRule {
    AlertRule {
        id: Uuid::new_v4(),
        name: name.into(),
        condition: Some("error_count > 5 in 5m".into()),
        enabled: true,
        notifications: vec!["email".into()],
        created_at: Timestamp::from_micros(at),
        ..AlertRule::default()
    }
}

fn firing(rule: Uuid, issue: i64, at: i64) -> Firing {
    let (at, issue) = (Timestamp::from_micros(at), Some(IssueId(issue)));
    Firing { id: Uuid::new_v4(), rule, at, issue, title: "A\0b".into(), value: Some(7.5), ..Firing::default() }
}

fn entry(key: Uuid, firing: Uuid) -> OutboxEntry {
    OutboxEntry {
        key,
        channel: "email".into(),
        recipients: Vec::new(),
        ordering: String::new(),
        firing: Some(firing),
        due_at: Timestamp::from_micros(1),
        notification: Notification::default(),
    }
}

/// What is waiting, and takes it away.
async fn told(store: &impl Store) -> Vec<Signal> {
    let signals = store.signals(100).await.unwrap();
    let version = store.alert_state().await.unwrap().version;
    let taken =
        Evaluation { version, signals: signals.iter().map(|signal| signal.id).collect(), ..Evaluation::default() };
    assert!(store.fire(&taken).await.unwrap());
    signals
}

fn triggers(signals: &[Signal]) -> Vec<Trigger> {
    signals.iter().map(|signal| signal.trigger).collect()
}

pub async fn rules_are_kept_and_go_with_their_project(store: &impl Store) {
    let shop = project(store).await;
    let (mut first, second) = (rule("first", 1), AlertRule { project: Some(shop.id), ..rule("second", 2) });
    assert!(store.put_alert_rule(&second).await.unwrap());
    assert!(store.put_alert_rule(&first).await.unwrap());
    assert_eq!(store.alert_rules().await.unwrap(), [first.clone(), second.clone()], "the oldest first");
    first.name = "renamed \u{1f600}".into();
    first.project = Some(shop.id);
    assert!(store.put_alert_rule(&first).await.unwrap());
    assert_eq!(store.alert_rules().await.unwrap(), [first.clone(), second.clone()]);
    let nowhere = AlertRule { project: Some(ProjectId(999)), ..rule("nowhere", 3) };
    assert!(!store.put_alert_rule(&nowhere).await.unwrap());
    assert!(store.delete_alert_rule(second.id).await.unwrap());
    assert!(!store.delete_alert_rule(second.id).await.unwrap());
    let of_all = rule("of all", 4);
    assert!(store.put_alert_rule(&of_all).await.unwrap());
    assert!(store.delete_project(shop.id).await.unwrap());
    assert_eq!(store.alert_rules().await.unwrap(), [of_all]);
}

pub async fn what_happens_to_issues_is_told_once(store: &impl Store) {
    let shop = project(store).await;
    let with = |ty: &str, release: &str, level| Event {
        release: Some(release.into()),
        environment: Some("production".into()),
        level,
        ..event(ty)
    };
    let recorded =
        record(store, &shop, [with("A", "1.0", Level::Fatal), event("B"), with("A", "1.0", Level::Error)]).await;
    let a = recorded[0].issue;
    let signals = told(store).await;
    assert_eq!(triggers(&signals), [Trigger::NewIssue, Trigger::NewIssue]);
    let issue = signals[0].issue.as_ref().unwrap();
    assert_eq!((issue.id, issue.ty.as_str(), issue.count), (a, "A", 2));
    assert_eq!((signals[0].project, signals[0].environment.as_deref()), (shop.id, Some("production")));
    assert_eq!(signals[0].release.as_deref(), Some("1.0"));
    assert_eq!(told(store).await, [], "they are taken away");
    // The same again says nothing; a release that the issue has not had does.
    record(store, &shop, [with("A", "1.0", Level::Error)]).await;
    assert_eq!(told(store).await, []);
    record(store, &shop, [with("A", "1.1", Level::Warning)]).await;
    let signals = told(store).await;
    assert_eq!(triggers(&signals), [Trigger::NewInRelease]);
    assert_eq!((signals[0].release.as_deref(), signals[0].level), (Some("1.1"), Level::Warning));
    store.set_status(&[a], Status::Resolved).await.unwrap();
    record(store, &shop, [with("A", "1.1", Level::Error), with("A", "1.0", Level::Error)]).await;
    assert_eq!(triggers(&told(store).await), [Trigger::Regression]);
    store.set_condition(&[a], &Condition::Until { time: None, count: Some(7) }).await.unwrap();
    record(store, &shop, [event("A")]).await;
    assert_eq!(triggers(&told(store).await), [Trigger::Unignored]);
    // An issue that is gone is told as such.
    record(store, &shop, [event("C")]).await;
    let c = store.signals(1).await.unwrap()[0].issue.as_ref().unwrap().id;
    store.delete_issues(&[c]).await.unwrap();
    assert!(told(store).await[0].issue.is_none());
}

pub async fn what_was_looked_at_is_kept_with_its_event(store: &impl Store) {
    let shop = project(store).await;
    let blog = store.ensure_project("blog").await.unwrap();
    let with = |ty: &str, minute| Event {
        source: Some("worker".into()),
        release: Some("1.0".into()),
        timestamp: minutes(minute),
        ..tagged(ty, &[("team", "payments")])
    };
    record(store, &shop, [with("A", 1), with("B", 2)]).await;
    record(store, &blog, [with("C", 3)]).await;
    let past = async |projects: Option<&[ProjectId]>, since, limit| {
        let (kept, signals) = store.past_signals(Trigger::NewIssue, projects, since, limit).await.unwrap();
        assert!(kept <= Timestamp::now());
        signals
    };
    assert_eq!(past(None, minutes(0), 10).await, [], "it waits");
    let signals = told(store).await;
    let worker = |signal: &Signal| signal.source.as_deref() == Some("worker") && signal.tags["team"] == "payments";
    assert!(signals.iter().all(worker), "{signals:?}");
    let kept = past(None, minutes(0), 10).await;
    let types: Vec<_> = kept.iter().map(|signal| signal.issue.as_ref().unwrap().ty.as_str()).collect();
    assert_eq!(types, ["C", "B", "A"], "the newest first");
    assert_eq!(kept.last(), signals.first(), "as it was");
    assert_eq!(past(None, minutes(2), 1).await, kept[..1]);
    assert_eq!(past(Some(&[shop.id]), minutes(2), 10).await, kept[1..2]);
    assert_eq!(past(Some(&[]), minutes(0), 10).await, []);
    assert_eq!(store.past_signals(Trigger::Milestone, None, minutes(0), 10).await.unwrap().1, []);
    // It goes with its issue, and is never written once that is gone.
    record(store, &shop, [with("D", 4)]).await;
    let waiting = store.signals(1).await.unwrap().remove(0);
    let gone = [kept[1].issue.as_ref().unwrap().id, waiting.issue.unwrap().id];
    store.delete_issues(&gone).await.unwrap();
    told(store).await;
    assert_eq!(past(None, minutes(0), 10).await, [kept[0].clone(), kept[2].clone()]);
}

pub async fn what_was_looked_at_goes_after_some_days(store: &impl Store) {
    let shop = project(store).await;
    let kept = u64::try_from(TallyWidth::KEPT_DAYS).unwrap();
    let ago = |n| Timestamp::now().minus(days(n));
    record(store, &shop, [arrived("Old", ago(kept + 1)), arrived("New", ago(kept - 1))]).await;
    told(store).await;
    let past = async || {
        let (_, signals) = store.past_signals(Trigger::NewIssue, None, ago(100), 10).await.unwrap();
        signals.into_iter().map(|signal| signal.issue.unwrap().ty).collect::<Vec<_>>()
    };
    assert_eq!(past().await, ["New", "Old"]);
    store.retain(&Retention::default()).await.unwrap();
    assert_eq!(past().await, ["New"]);
}

pub async fn milestones_are_those_of_the_whole_issue(store: &impl Store) {
    let shop = project(store).await;
    let many = |ty: &'static str, n: usize| (0..n).map(move |_| event(ty));
    let recorded = record(store, &shop, [event("A"), event("B")]).await;
    record(store, &shop, many("A", 8)).await;
    told(store).await;
    record(store, &shop, many("A", 1)).await;
    let signals = told(store).await;
    assert_eq!(triggers(&signals), [Trigger::Milestone]);
    assert_eq!(signals[0].count, 10);
    store.merge(shop.id, recorded[1].issue, &[recorded[0].issue]).await.unwrap();
    for _ in 0..89 {
        record(store, &shop, [event("A")]).await;
    }
    let signals = told(store).await;
    assert_eq!((triggers(&signals), signals[0].count), (vec![Trigger::Milestone], 100));
    assert_eq!(signals[0].issue.as_ref().unwrap().uuid, issue_of(store, &recorded[1]).await.uuid);
}

pub async fn an_evaluation_is_written_whole_and_once(store: &impl Store) {
    let shop = project(store).await;
    record(store, &shop, [event("A")]).await;
    let signals = store.signals(10).await.unwrap();
    assert_eq!(store.alert_state().await.unwrap(), AlertState::default());
    let (rule, key) = (Uuid::new_v4(), Uuid::new_v4());
    let one = firing(rule, 1, 1_000);
    let evaluation = Evaluation {
        at: Timestamp::from_micros(1_000),
        version: 0,
        state: vec![("rule:a".into(), Some("{}".into())), ("gone".into(), None)],
        firings: vec![one.clone()],
        outbox: vec![entry(key, one.id)],
        incidents: vec![NewIncident { rule: Some(rule), ..NewIncident::new("slow", "r") }],
        recoveries: Vec::new(),
        signals: signals.iter().map(|signal| signal.id).collect(),
        assignments: Vec::new(),
    };
    assert!(store.fire(&evaluation).await.unwrap());
    // Another process that began with the same state comes too late: nothing of it is there.
    let late = firing(rule, 2, 2_000);
    let second = Evaluation {
        firings: vec![late.clone()],
        outbox: vec![entry(Uuid::new_v4(), late.id)],
        state: vec![("rule:b".into(), Some("{}".into()))],
        incidents: vec![NewIncident::new("late", "r")],
        ..evaluation.clone()
    };
    assert!(!store.fire(&second).await.unwrap());
    let state = store.alert_state().await.unwrap();
    assert_eq!((state.version, state.entries.keys().cloned().collect::<Vec<_>>()), (1, vec!["rule:a".to_owned()]));
    assert_eq!(store.signals(10).await.unwrap(), []);
    let all = FiringQuery { rule: None, after: None, limit: 10 };
    let told = Firing { title: store.firings(&all).await.unwrap()[0].title.clone(), ..one.clone() };
    assert_eq!(store.firings(&all).await.unwrap(), [told]);
    let outbox = store.outbox(&OutboxQuery { limit: 10, ..OutboxQuery::default() }).await.unwrap();
    assert_eq!(
        outbox.iter().map(|item| (item.entry.key, item.entry.firing)).collect::<Vec<_>>(),
        [(key, Some(one.id))]
    );
    let titles = async |open| -> Vec<String> {
        let query = IncidentQuery { open: Some(open), limit: 10, ..IncidentQuery::default() };
        store.incidents(&query).await.unwrap().into_iter().map(|incident| incident.title).collect()
    };
    assert_eq!(titles(true).await, ["slow"]);
    let over = Recovery { by: "r".into(), note: "over".into(), resolve: true };
    let third = Evaluation {
        at: Timestamp::now(),
        version: 1,
        state: vec![("rule:a".into(), None)],
        recoveries: vec![(rule, over)],
        ..Evaluation::default()
    };
    assert!(store.fire(&third).await.unwrap());
    assert_eq!((titles(true).await, titles(false).await), (Vec::new(), vec!["slow".to_owned()]));
    assert_eq!(store.alert_state().await.unwrap(), AlertState { version: 2, ..AlertState::default() });
}

pub async fn an_evaluation_assigns_what_is_nobodys(store: &impl Store) {
    let shop = project(store).await;
    let recorded = record(store, &shop, [event("A"), event("B"), event("C")]).await;
    let [free, taken, late] = [recorded[0].issue, recorded[1].issue, recorded[2].issue];
    store.assign(taken, Some("bob@example.com")).await.unwrap();
    let to = |issue| (issue, "ann@example.com".to_owned());
    let evaluation = Evaluation { assignments: vec![to(free), to(taken), to(IssueId(999))], ..Evaluation::default() };
    assert!(store.fire(&evaluation).await.unwrap());
    let stale = Evaluation { assignments: vec![to(late)], ..Evaluation::default() };
    assert!(!store.fire(&stale).await.unwrap(), "another has written since");
    let mut whose = Vec::new();
    for recorded in &recorded {
        whose.push(issue_of(store, recorded).await.assigned_to);
    }
    assert_eq!(whose, [Some("ann@example.com".into()), Some("bob@example.com".into()), None]);
}

pub async fn firings_page_from_new_to_old_and_go_with_their_rule(store: &impl Store) {
    let kept = rule("kept", 1);
    store.put_alert_rule(&kept).await.unwrap();
    let other = Uuid::new_v4();
    let firings: Vec<Firing> =
        (0..6).map(|n| firing(if n % 3 == 2 { other } else { kept.id }, n % 2 + 1, 1_000 * (n / 2 + 1))).collect();
    let evaluation = Evaluation { firings: firings.clone(), ..Evaluation::default() };
    assert!(store.fire(&evaluation).await.unwrap());
    let mut seen = Vec::new();
    let mut query = FiringQuery { rule: Some(kept.id), after: None, limit: 3 };
    loop {
        let page = store.firings(&query).await.unwrap();
        let Some(last) = page.last() else { break };
        query.after = Some((last.at, last.id));
        seen.extend(page.iter().map(|firing| (firing.at, firing.id)));
    }
    let mut expected: Vec<_> = firings.iter().filter(|f| f.rule == kept.id).map(|f| (f.at, f.id)).collect();
    expected.sort_unstable();
    expected.reverse();
    assert_eq!(seen, expected);
    let mut last = store.last_firings(&[IssueId(2), IssueId(7)], Timestamp::from_micros(2_000)).await.unwrap();
    last.sort_unstable();
    let mut expected =
        vec![(kept.id, IssueId(2), Timestamp::from_micros(2_000)), (other, IssueId(2), Timestamp::from_micros(3_000))];
    expected.sort_unstable();
    assert_eq!(last, expected);
    assert!(store.delete_alert_rule(kept.id).await.unwrap());
    let all = FiringQuery { rule: None, after: None, limit: 10 };
    assert!(store.firings(&all).await.unwrap().iter().all(|firing| firing.rule == other));
}

pub async fn minutes_and_hours_are_counted_by_environment_and_level(store: &impl Store) {
    let shop = project(store).await;
    let hour = super::kit::NOON / 3_600_000_000 * 60;
    let at = |minute: i64, ty: &str, environment: &str, level| Event {
        timestamp: Timestamp::from_micros((hour + minute) * 60_000_000 + 7),
        environment: Some(environment.into()),
        level,
        ..event(ty)
    };
    let events = [
        at(0, "A", "production", Level::Error),
        at(0, "A", "production", Level::Error),
        at(3, "A", "staging", Level::Error),
        at(61, "B", "production", Level::Warning),
    ];
    let recorded = record(store, &shop, events).await;
    store.set_status(&[recorded[0].issue], Status::Resolved).await.unwrap();
    record(store, &shop, [at(5, "A", "production", Level::Error)]).await;
    let query = TallyQuery {
        projects: None,
        environment: None,
        level: None,
        width: TallyWidth::Minute,
        from: hour,
        until: hour + 119,
    };
    let rows = async |query: TallyQuery| -> Vec<(i64, i64, i64, i64)> {
        let tallies = store.tallies(&query).await.unwrap();
        let row = |tally: &Tally| (tally.minute - hour, tally.events, tally.new_issues, tally.regressions);
        tallies.iter().map(row).filter(|row| (row.1, row.2, row.3) != (0, 0, 0)).collect()
    };
    assert_eq!(rows(query.clone()).await, [(0, 2, 1, 0), (3, 1, 0, 0), (5, 1, 0, 1), (61, 1, 1, 0)]);
    let production = TallyQuery { environment: Some("production".into()), from: hour + 1, ..query.clone() };
    assert_eq!(rows(production).await, [(5, 1, 0, 1), (61, 1, 1, 0)]);
    let errors = TallyQuery { level: Some(Level::Error), width: TallyWidth::Hour, ..query.clone() };
    assert_eq!(rows(errors).await, [(0, 4, 1, 1)]);
    let hours = TallyQuery { width: TallyWidth::Hour, until: hour + 59, ..query.clone() };
    assert_eq!(rows(hours).await, [(0, 4, 1, 1)]);
    for (projects, found) in [(vec![shop.id], 4), (vec![ProjectId(999)], 0), (Vec::new(), 0)] {
        assert_eq!(rows(TallyQuery { projects: Some(projects), ..query.clone() }).await.len(), found);
    }
}
