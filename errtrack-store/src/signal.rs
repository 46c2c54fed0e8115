//! What a batch did that alert rules may want to hear of. Nothing is asked of the database for it, and a batch that did
//! nothing of the kind writes nothing.

use crate::{
    bulk::Target,
    link::{Link, Value},
    plan::{Group, Plan, Slot},
    sql::alert as sql,
    tag::{stored, tag_key, tag_value},
    tally::Tallies,
};
use errtrack_core::{
    Occurrence,
    alert::Signal,
    notify::Trigger,
    store::{Outcome, Recorded},
};
use std::collections::BTreeMap;

/// A row: project, issue, kind, time, count, level, environment, release, source, tags.
type Row = (i64, i64, i64, i64, i64, i64, Option<String>, Option<String>, Option<String>, String);

/// Which groups of a batch made a resolved issue come back.
pub(crate) fn regressed(plan: &Plan<'_>, recorded: &[Recorded]) -> Vec<usize> {
    let of = |(slot, recorded): (&Slot, &Recorded)| match slot {
        Slot::Counts(group) if recorded.outcome == Outcome::Regressed => Some(*group),
        _ => None,
    };
    plan.slots.iter().zip(recorded).filter_map(of).collect()
}

/// Writes what there is to tell of a batch, in one statement.
pub(crate) async fn write<C: Link>(
    connection: &mut C,
    plan: &Plan<'_>,
    targets: &[Target],
    tallies: &Tallies<'_>,
    recorded: &[Recorded],
) -> Result<(), sqlx::Error> {
    let rows = rows(plan, targets, tallies, recorded);
    if rows.is_empty() {
        return Ok(());
    }
    let rows = serde_json::to_string(&rows).map_err(|error| sqlx::Error::Encode(error.into()))?;
    connection.run(sql::ADD_SIGNALS, vec![Value::Text(rows)]).await
}

/// The tags of an event as a JSON object.
fn tags(of: &Occurrence) -> String {
    let tags = of.dimensions().iter().take(Signal::TAGS).map(|(key, value)| (tag_key(key), tag_value(value)));
    serde_json::to_string(&tags.collect::<BTreeMap<_, _>>()).unwrap_or_default()
}

fn rows(plan: &Plan<'_>, targets: &[Target], tallies: &Tallies<'_>, recorded: &[Recorded]) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut tell = |group: &Group<'_>, issue: i64, trigger: Trigger, count: i64| {
        let Some(kind) = Signal::number(trigger) else { return };
        let newest = group.newest;
        let environment = newest.environment().map(|name| stored(&tag_value(name)));
        let release = group.last_release.map(|(_, release)| stored(&tag_value(release)));
        let (at, level) = (newest.timestamp().as_micros(), newest.level().to_number());
        let source = newest.source().map(stored);
        rows.push((group.project, issue, kind, at, count, level, environment, release, source, tags(newest)));
    };
    for (slot, recorded) in plan.slots.iter().zip(recorded) {
        let trigger = match recorded.outcome {
            Outcome::New => Trigger::NewIssue,
            Outcome::Regressed => Trigger::Regression,
            Outcome::Unignored => Trigger::Unignored,
            _ => continue,
        };
        if let Slot::Counts(group) = slot
            && let Some(group) = plan.groups.get(*group)
        {
            tell(group, recorded.issue.0, trigger, 0);
        }
    }
    // Several groups may be one issue.
    let mut counts: BTreeMap<i64, (i64, i64, &Group<'_>)> = BTreeMap::new();
    for (group, target) in plan.groups.iter().zip(targets) {
        let before = target.existing.map_or(0, |existing| existing.count);
        let (_, added, _) = counts.entry(target.issue).or_insert((before, 0, group));
        *added = added.saturating_add(group.count);
    }
    for (issue, (before, added, group)) in &counts {
        if let Some(mark) = Signal::milestone(*before, before.saturating_add(*added)) {
            tell(group, *issue, Trigger::Milestone, mark);
        }
    }
    for issue in &tallies.new_releases {
        // The row of a group that was merged has tags of its own, of which its issue may know.
        if let Some((_, _, group)) = counts.get(issue) {
            tell(group, *issue, Trigger::NewInRelease, 0);
        }
    }
    rows
}
