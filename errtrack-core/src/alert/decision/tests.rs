use super::*;
use crate::{EventId, Fingerprint, Level, Status, alert::QuietHours};
use std::collections::BTreeMap;

/// The store's part: keeps the state from one evaluation to the next.
#[derive(Default)]
struct Desk {
    state: AlertState,
    firings: Vec<Firing>,
    outbox: Vec<OutboxEntry>,
    now: Timestamp,
}

impl Desk {
    fn at(minutes: i64) -> Self {
        Self { now: at(minutes), ..Self::default() }
    }

    /// One evaluation, after which so many seconds pass.
    fn decide(&mut self, rules: &[&AlertRule], seconds: u64, what: impl FnOnce(&mut Decision)) {
        let mut decision = Decision::new(self.now, 60, &self.state);
        what(&mut decision);
        let known = rules.iter().map(|rule| rule.id).collect();
        let evaluation = decision.finish(&known);
        assert_eq!(evaluation.version, self.state.version);
        if !evaluation.is_empty() {
            self.state.version += 1;
        }
        for (name, value) in evaluation.state {
            match value {
                Some(value) => drop(self.state.entries.insert(name, value)),
                None => drop(self.state.entries.remove(&name)),
            }
        }
        self.firings.extend(evaluation.firings);
        self.outbox.extend(evaluation.outbox);
        self.now = self.now.plus(Duration::from_secs(seconds));
    }

    /// What was told since it was asked last, by trigger.
    fn told(&mut self) -> BTreeMap<Trigger, u64> {
        let mut told = BTreeMap::new();
        for entry in self.outbox.drain(..) {
            *told.entry(entry.notification.trigger).or_default() += 1;
        }
        told
    }
}

/// Minutes after a Friday, 11:10 UTC.
fn at(minutes: i64) -> Timestamp {
    Timestamp::from_micros(1_795_173_000_000_000 + minutes * 60_000_000)
}

fn issue(number: i64) -> Issue {
    Issue {
        id: crate::IssueId(number),
        uuid: Uuid::from_u128(number.unsigned_abs().into()),
        project: ProjectId(1),
        project_slug: "shop".into(),
        number,
        fingerprint: Fingerprint([0; 16]),
        ty: "E".into(),
        value: "x".into(),
        culprit: String::new(),
        level: Level::Error,
        status: Status::Unresolved,
        condition: None,
        regressed: false,
        source: None,
        platform: None,
        environment: None,
        first_release: None,
        last_release: None,
        first_seen: at(0),
        last_seen: at(0),
        count: 1,
        stored_count: 1,
        user_count: 0,
        last_event: EventId::default(),
        created_at: at(0),
        updated_at: at(0),
        resolved_at: None,
        assigned_to: None,
    }
}

fn on(trigger: Trigger) -> AlertRule {
    AlertRule {
        id: Uuid::from_u128(100 + Signals::number(trigger)),
        name: trigger.to_string(),
        trigger: Some(trigger),
        enabled: true,
        notifications: vec!["email".into()],
        ..AlertRule::default()
    }
}

struct Signals;

impl Signals {
    fn number(trigger: Trigger) -> u128 {
        Trigger::ALL.iter().position(|other| *other == trigger).unwrap() as u128
    }
}

fn when(condition: &str) -> AlertRule {
    AlertRule { id: Uuid::from_u128(9), trigger: None, condition: Some(condition.into()), ..on(Trigger::Spike) }
}

fn happen(decision: &mut Decision, rule: &AlertRule, number: i64, at: Timestamp) {
    let (issue, trigger) = (issue(number), rule.trigger.unwrap());
    let what = Happened { cause: number, trigger, at, issue: &issue, value: None, threshold: None, release: None };
    decision.happened(rule, &rule.check().unwrap(), &what);
}

#[test]
fn a_flood_is_told_up_to_the_cap_and_then_in_one_digest_and_a_regression_comes_through() {
    let (new, back) = (on(Trigger::NewIssue), on(Trigger::Regression));
    let rules = [&new, &back];
    let mut desk = Desk::at(0);
    // 10,000 within a minute, 500 at a time.
    for batch in 0..20 {
        let now = desk.now;
        desk.decide(&rules, 3, |decision| {
            (0..500).for_each(|n| happen(decision, &new, batch * 500 + n, now));
        });
    }
    assert_eq!(desk.told(), [(Trigger::NewIssue, 60)].into());
    assert_eq!(desk.firings.len(), 10_000, "all of it is kept");
    let now = desk.now;
    desk.decide(&rules, 5, |decision| happen(decision, &back, 7, now));
    assert_eq!(desk.told(), [(Trigger::Regression, 1)].into());
    for _ in 0..100 {
        desk.decide(&rules, 5, |_| {});
    }
    assert_eq!(desk.outbox.len(), 1, "one digest");
    let digest = &desk.outbox[0].notification;
    assert_eq!((digest.trigger, digest.digest_total, digest.digest.len()), (Trigger::Digest, 9_940, 50));
    assert_eq!((digest.project.as_deref(), digest.digest[0].short_id.as_deref()), (Some("shop"), Some("SHOP-9999")));
    desk.told();
    // What comes later in the same hour is told at its end; then the next hour begins.
    let now = desk.now;
    desk.decide(&rules, 600, |decision| (0..5).for_each(|n| happen(decision, &new, 20_000 + n, now)));
    desk.decide(&rules, 3_000, |_| {});
    assert_eq!(desk.told(), BTreeMap::new());
    desk.decide(&rules, 5, |_| {});
    assert_eq!(desk.told(), [(Trigger::Digest, 1)].into());
    let now = desk.now;
    desk.decide(&rules, 5, |decision| happen(decision, &new, 30_000, now));
    assert_eq!(desk.told(), [(Trigger::NewIssue, 1)].into());
    assert!(desk.state.entries.keys().all(|name| !name.starts_with("gathered")), "{:?}", desk.state.entries.keys());
}

#[test]
fn a_steady_trickle_is_told_after_ten_minutes_at_the_latest() {
    let new = on(Trigger::NewIssue);
    let mut desk = Desk::at(0);
    for n in 0..90 {
        let now = desk.now;
        desk.decide(&[&new], 20, |decision| happen(decision, &new, n, now));
    }
    // 60 in 20 minutes, and the rest in one digest ten minutes after its first.
    assert_eq!(desk.told(), [(Trigger::NewIssue, 60)].into());
    desk.decide(&[&new], 1, |_| {});
    assert_eq!(desk.told(), [(Trigger::Digest, 1)].into());
}

#[test]
fn a_condition_fires_once_until_it_is_over_and_not_within_its_cooldown() {
    let rule = AlertRule { cooldown: Some("30m".into()), ..when("error_count > 5 in 5m") };
    let checked = rule.check().unwrap();
    let mut desk = Desk::at(0);
    let values = [0.0, 6.0, 9.0, 3.0, 7.0, 7.0, 2.0, 8.0];
    // Ten minutes apart.
    for value in values {
        desk.decide(&[&rule], 600, |decision| decision.measured(&rule, &checked, Some(value), None));
    }
    let said: Vec<_> =
        desk.firings.iter().map(|f| ((f.at.as_seconds() - at(0).as_seconds()) / 60, f.trigger)).collect();
    let (fired, over) = (Trigger::Rule, Trigger::Recovered);
    assert_eq!(said, [(10, fired), (30, over), (40, fired), (60, over), (70, fired)]);
    assert_eq!(desk.firings[0].value, Some(6.0));
    let facts = desk.outbox[0].notification.rule.as_ref().unwrap();
    assert_eq!(
        (facts.value, facts.threshold, facts.condition.as_str()),
        (Some(6.0), Some(5.0), "error_count > 5 in 5m")
    );
    // Nothing to measure is no reason to go on.
    desk.decide(&[&rule], 60, |decision| decision.measured(&rule, &checked, None, None));
    assert_eq!(desk.firings.last().map(|f| f.trigger), Some(over));
    // Within the cooldown it waits, and fires at its end if it still is so.
    for minutes in 0..25 {
        desk.decide(&[&rule], 60, |decision| decision.measured(&rule, &checked, Some(9.0), None));
        let is_over = desk.now > at(70 + 30);
        assert_eq!(desk.firings.last().map(|f| f.trigger) == Some(fired), is_over, "{minutes}");
    }
}

#[test]
fn what_comes_in_quiet_hours_is_told_at_their_end() {
    let time = |text: &str| text.parse().unwrap();
    let quiet = QuietHours { from: time("12:00"), until: time("14:00"), utc_offset: 0 };
    let rule = AlertRule { quiet_hours: Some(quiet), ..on(Trigger::NewIssue) };
    // 11:50
    let mut desk = Desk::at(40);
    for n in 0..4 {
        let now = desk.now;
        desk.decide(&[&rule], 1_800, |decision| happen(decision, &rule, n, now));
    }
    assert_eq!(desk.told(), [(Trigger::NewIssue, 1)].into(), "before they began");
    desk.decide(&[&rule], 1_800, |_| {});
    assert_eq!(desk.told(), BTreeMap::new(), "13:50");
    desk.decide(&[&rule], 60, |_| {});
    let total = desk.outbox[0].notification.digest_total;
    assert_eq!((desk.told(), total), ([(Trigger::Digest, 1)].into(), 3));
    // One alone is told as it is.
    let mut desk = Desk::at(60);
    let now = desk.now;
    desk.decide(&[&rule], 7_200, |decision| happen(decision, &rule, 1, now));
    desk.decide(&[&rule], 60, |_| {});
    assert_eq!((desk.outbox[0].firing, desk.outbox.len()), (Some(desk.firings[0].id), 1));
    assert_eq!(desk.outbox[0].notification.trigger, Trigger::NewIssue);
}

#[test]
fn a_rule_can_gather_what_it_says() {
    let rule = AlertRule { digest: Some("1h".into()), ..on(Trigger::NewIssue) };
    let mut desk = Desk::at(0);
    for n in 0..6 {
        let now = desk.now;
        desk.decide(&[&rule], 600, |decision| happen(decision, &rule, n, now));
    }
    assert_eq!(desk.told(), BTreeMap::new());
    desk.decide(&[&rule], 600, |_| {});
    assert_eq!(desk.outbox[0].notification.digest_total, 6);
    assert_eq!(desk.firings[0].gathered, ["email"]);
}

#[test]
fn the_same_cause_has_the_same_key_and_another_recipient_another() {
    let (one, other) = (on(Trigger::NewIssue), AlertRule { recipients: vec!["a@b".into()], ..on(Trigger::NewIssue) });
    let keys = |rule: &AlertRule| {
        let mut desk = Desk::at(0);
        desk.decide(&[rule], 1, |decision| happen(decision, rule, 1, at(0)));
        (desk.outbox[0].key, desk.outbox[0].ordering.clone())
    };
    assert_eq!(keys(&one), keys(&one));
    assert_ne!(keys(&one).0, keys(&other).0);
    assert_eq!(keys(&one).1, format!("issue:{}", issue(1).uuid));
}

/// A year, minute by minute: a rule whose condition is met for an hour every night, and one that looks on.
#[test]
fn a_year_of_rules_runs_in_seconds() {
    let night = AlertRule { cooldown: Some("1h".into()), ..when("error_count >= 100 in 1h") };
    let never = AlertRule { id: Uuid::from_u128(77), ..when("error_count > 1000000 in 1d") };
    let checked = [night.check().unwrap(), never.check().unwrap()];
    let mut desk = Desk::at(0);
    for minute in 0..365 * 1_440 {
        let value = if (120..180).contains(&(minute % 1_440)) { 140.0 } else { 2.0 };
        desk.decide(&[&night, &never], 60, |decision| {
            decision.measured(&night, &checked[0], Some(value), None);
            decision.measured(&never, &checked[1], Some(value), None);
        });
    }
    assert_eq!(desk.told(), [(Trigger::Rule, 365), (Trigger::Recovered, 365)].into());
    assert_eq!(desk.state.version, 730, "nothing is written where nothing changes");
    // A rule that is gone leaves nothing.
    desk.decide(&[], 60, |_| {});
    assert!(desk.state.entries.keys().all(|name| !name.starts_with("rule:")), "{:?}", desk.state.entries.keys());
}

#[test]
fn a_clock_that_jumps_opens_no_hour_twice() {
    let new = on(Trigger::NewIssue);
    let (mut desk, mut number) = (Desk::at(0), 0);
    let mut flood = |minute: i64| {
        desk.now = at(minute);
        desk.decide(&[&new], 0, |decision| {
            for _ in 0..100 {
                number += 1;
                happen(decision, &new, number, at(minute));
            }
        });
        desk.told().get(&Trigger::NewIssue).copied().unwrap_or_default()
    };
    assert_eq!(flood(0), 60);
    for set_back in [-1, -10, -59, 0, 30] {
        assert_eq!(flood(set_back), 0, "the hour goes on: {set_back}");
    }
    // A day ahead is another hour, for as long as it is one; to come back begins one anew, once.
    assert_eq!((flood(1_440), flood(1_499)), (60, 0));
    assert_eq!((flood(31), flood(32), flood(90)), (60, 0, 0));
    assert_eq!(flood(91), 60);
}

#[test]
fn nodes_whose_clocks_are_minutes_apart_share_one_hour() {
    let (new, back) = (on(Trigger::NewIssue), on(Trigger::Regression));
    for apart in [3, 10, -7] {
        let (mut desk, mut told) = (Desk::at(0), BTreeMap::<Trigger, u64>::new());
        for minute in 0..180 {
            // They take turns.
            desk.now = at(minute + if minute % 2 == 0 { 0 } else { apart });
            desk.decide(&[&new, &back], 0, |decision| {
                for n in 0..20 {
                    happen(decision, &new, minute * 100 + n, at(minute));
                }
                if minute % 30 == 0 {
                    happen(decision, &back, minute, at(minute));
                }
            });
            for (trigger, count) in desk.told() {
                *told.entry(trigger).or_default() += count;
            }
        }
        // Of 3,600 in three hours; where one clock is ahead it ends the last hour sooner.
        assert!((180..=240).contains(&told[&Trigger::NewIssue]), "{apart}: {told:?}");
        assert_eq!(told[&Trigger::Regression], 6, "{apart}");
        assert!(told[&Trigger::Digest] <= 9, "{apart}: {told:?}");
    }
}
