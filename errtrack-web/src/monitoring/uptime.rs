//! Since when the service is there, and when it was not: from the beats of all processes.

use crate::figures::{minute, rounded};
use errtrack_core::{
    Beat, ProjectId, Store, StoreError, Timestamp,
    store::{Series, SeriesQuery},
};
use serde::Serialize;
use std::collections::HashMap;
use utoipa::ToSchema;
use uuid::Uuid;

/// Minutes of a day.
const DAY: i64 = 1_440;
/// Beats come twice a minute at least; who was not heard of for longer was not there.
const GRACE: i64 = 90_000_000;
/// Processes that are named.
const NODES: usize = 50;
/// Microseconds of a minute.
const MINUTE: i64 = 60_000_000;

/// How long and how reliably the service was there. Of several processes, one is enough.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub(crate) struct Uptime {
    /// For how many hours it has been there without a pause, over the restarts and nodes that made none.
    pub(crate) current_uptime_hours: f64,
    /// The share of the last 24 hours in which it was there; what was before it first was does not count.
    pub(crate) uptime_percent_24h: f64,
    pub(crate) uptime_percent_7d: f64,
    pub(crate) uptime_percent_30d: f64,
    /// Pauses within the last 30 days, of more than a minute and a half.
    pub(crate) incidents_count: usize,
    /// When the last of them began.
    pub(crate) last_downtime: Option<Timestamp>,
    /// Each of them, the last first; a hundred at most.
    pub(crate) incidents: Vec<Downtime>,
    /// The processes that were there within the last 30 days, those heard of last first; fifty at most.
    pub(crate) nodes: Vec<Node>,
}

/// A process, as far as its beats tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Node {
    pub(crate) id: Uuid,
    pub(crate) status: NodeStatus,
    /// When it began, or 30 days ago.
    pub(crate) since: Timestamp,
    pub(crate) last_seen: Timestamp,
}

/// Whether a process is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum NodeStatus {
    /// It was heard of within the last minute and a half.
    Up,
    /// It ended of its own accord.
    Ended,
    /// It has not been heard of since, and said nothing.
    Lost,
}

/// A pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Downtime {
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
}

impl Uptime {
    pub(crate) async fn read(store: &dyn Store, now: Timestamp) -> Result<Self, StoreError> {
        let until = minute(now);
        let (from, projects) = (until - 30 * DAY - 60, Some(vec![ProjectId(0)]));
        let points = store.points(&SeriesQuery { series: Series::Beats, projects, width: 60, from, until }).await?;
        let beats = points.iter().filter_map(|point| Some((point.node, serde_json::from_str(&point.data).ok()?)));
        let beats: Vec<(Uuid, Beat)> = beats.collect();
        let nodes = nodes(&beats, now.as_micros());
        Ok(Self { nodes, ..Self::of(beats.into_iter().map(|(_, beat)| beat).collect(), now.as_micros()) })
    }

    fn of(mut beats: Vec<Beat>, now: i64) -> Self {
        beats.sort_by_key(|beat| beat.from);
        let Some(first) = beats.first().map(|beat| beat.from) else { return Self::default() };
        // When it was not there; who asks is there.
        let (mut pauses, mut until) = (Vec::new(), first);
        let asks = Beat { from: now, until: now, ended: false };
        for beat in beats.iter().chain([&asks]) {
            if beat.from > until + GRACE {
                pauses.push((until, beat.from));
            }
            until = until.max(beat.until);
        }
        let share = |days: i64| {
            let begin = first.max(now - days * DAY * MINUTE);
            let missed: i64 = pauses.iter().map(|(from, until)| (until - from.max(&begin)).max(0)).sum();
            if now > begin { rounded(100.0 - ratio(missed, now - begin) * 100.0, 3) } else { 100.0 }
        };
        let since = pauses.last().map_or(first, |(_, until)| *until);
        let downtime = |(from, until): &(i64, i64)| Downtime {
            from: Timestamp::from_micros(*from),
            until: Timestamp::from_micros(*until),
        };
        Self {
            current_uptime_hours: rounded(ratio((now - since).max(0), 60 * MINUTE), 2),
            uptime_percent_24h: share(1),
            uptime_percent_7d: share(7),
            uptime_percent_30d: share(30),
            incidents_count: pauses.len(),
            last_downtime: pauses.last().map(|(from, _)| Timestamp::from_micros(*from)),
            incidents: pauses.iter().rev().take(100).map(downtime).collect(),
            nodes: Vec::new(),
        }
    }
}

/// What the beats of each process tell of it.
fn nodes(beats: &[(Uuid, Beat)], now: i64) -> Vec<Node> {
    let mut lives: HashMap<Uuid, Beat> = HashMap::new();
    for (node, beat) in beats {
        let life = lives.entry(*node).or_insert(*beat);
        if beat.until >= life.until {
            (life.until, life.ended) = (beat.until, beat.ended);
        }
        life.from = life.from.min(beat.from);
    }
    let node = |(id, life): (Uuid, Beat)| Node {
        id,
        status: match life.ended {
            true => NodeStatus::Ended,
            false if life.until + GRACE >= now => NodeStatus::Up,
            false => NodeStatus::Lost,
        },
        since: Timestamp::from_micros(life.from),
        last_seen: Timestamp::from_micros(life.until),
    };
    let mut nodes: Vec<Node> = lives.into_iter().map(node).collect();
    nodes.sort_by_key(|node| (node.status != NodeStatus::Up, std::cmp::Reverse(node.last_seen), node.id));
    nodes.truncate(NODES);
    nodes
}

#[expect(clippy::cast_precision_loss, reason = "of microseconds within a month")]
fn ratio(part: i64, whole: i64) -> f64 {
    part as f64 / whole as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 30_000_000 * MINUTE;

    fn beat(from: i64, until: i64) -> Beat {
        Beat { from: NOW - from * MINUTE, until: NOW - until * MINUTE, ended: false }
    }

    #[test]
    fn what_is_missing_between_beats_is_downtime() {
        // A day ago it began; two processes, one after the other, were away for an hour, and for a moment.
        let beats = vec![beat(1_440, 600), beat(540, 120), beat(1_000, 580), beat(119, 0)];
        let uptime = Uptime::of(beats, NOW);
        assert_eq!((uptime.incidents_count, uptime.current_uptime_hours), (1, 9.0));
        assert_eq!(uptime.last_downtime, Some(Timestamp::from_micros(NOW - 580 * MINUTE)));
        let expected = rounded(100.0 - 40.0 / 1_440.0 * 100.0, 3);
        let shares = [uptime.uptime_percent_24h, uptime.uptime_percent_7d, uptime.uptime_percent_30d];
        assert_eq!(shares, [expected; 3], "what was before the first beat does not count");
    }

    #[test]
    fn a_window_takes_its_part_of_a_pause() {
        let uptime = Uptime::of(vec![beat(10_000, 2_880), beat(720, 0)], NOW);
        assert_eq!((uptime.uptime_percent_24h, uptime.current_uptime_hours), (50.0, 12.0));
        assert!(uptime.uptime_percent_7d > 75.0 && uptime.uptime_percent_30d == uptime.uptime_percent_7d);
    }

    #[test]
    fn each_process_is_up_has_ended_or_is_lost() {
        let [up, ended, lost] = [1, 2, 3].map(Uuid::from_u128);
        let end = Beat { ended: true, ..beat(500, 400) };
        let beats =
            [(lost, beat(300, 200)), (up, beat(120, 60)), (up, beat(60, 1)), (ended, beat(600, 500)), (ended, end)];
        let nodes = nodes(&beats, NOW);
        let told: Vec<_> = nodes.iter().map(|node| (node.id, node.status)).collect();
        assert_eq!(told, [(up, NodeStatus::Up), (lost, NodeStatus::Lost), (ended, NodeStatus::Ended)]);
        assert_eq!(nodes[0].since, Timestamp::from_micros(NOW - 120 * MINUTE));
    }

    #[test]
    fn who_has_just_begun_was_never_away() {
        let uptime = Uptime::of(vec![beat(0, 0)], NOW);
        assert_eq!((uptime.uptime_percent_30d, uptime.incidents_count, uptime.last_downtime), (100.0, 0, None));
        assert_eq!(Uptime::of(Vec::new(), NOW).incidents_count, 0);
    }
}
