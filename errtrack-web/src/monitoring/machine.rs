//! The machine: processor, memory, disk, network. Read from `/proc`, so on Linux alone; elsewhere what is not known is `null`.

use super::Traffic;
use crate::figures::{Timeframe, minute, rounded, time};
use errtrack_core::{
    ProjectId, Store, StoreError, Timestamp, WeakTracker,
    store::{Series, SeriesPoint, SeriesQuery},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fs, sync::Arc, time::Duration};
use utoipa::ToSchema;
use uuid::Uuid;

/// How often it is looked at.
const EVERY: Duration = Duration::from_secs(15);
/// Widths of buckets in minutes.
const WIDTHS: [i64; 2] = [1, 60];

/// How the machines of all processes were doing.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
#[schema(as = MachineFigures)]
pub(crate) struct Machine {
    pub(crate) timeframe: Timeframe,
    /// How busy the processors were on average; `null` where it is not known, as in all of these.
    pub(crate) cpu_usage_percent: Option<f64>,
    /// How much of the memory was in use on average.
    pub(crate) memory_usage_percent: Option<f64>,
    /// How full the disk is that the process works on, on average over the machines.
    pub(crate) disk_usage_percent: Option<f64>,
    pub(crate) network_io: NetworkIo,
    /// Requests that errtrack was answering when it was last looked at, on all nodes.
    pub(crate) active_connections: u64,
    /// Requests that errtrack answered per minute, on all nodes.
    pub(crate) requests_per_minute: f64,
    /// Processes that took the readings.
    pub(crate) nodes: usize,
    /// Over time, the oldest first; what nobody looked at is not there.
    pub(crate) data_points: Vec<MachinePoint>,
}

/// What went over the network, loopback aside.
#[derive(Debug, Clone, Copy, Default, Serialize, ToSchema)]
pub(crate) struct NetworkIo {
    pub(crate) bytes_in: Option<u64>,
    pub(crate) bytes_out: Option<u64>,
}

/// How the machines were doing in a bucket of time.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct MachinePoint {
    pub(crate) timestamp: Timestamp,
    pub(crate) cpu_usage_percent: Option<f64>,
    pub(crate) memory_usage_percent: Option<f64>,
    pub(crate) requests: u64,
}

/// What was read in a bucket of time: sums, and how many readings they are of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Reading {
    cpu: Mean,
    memory: Mean,
    disk: Mean,
    bytes_in: Option<u64>,
    bytes_out: Option<u64>,
    /// Requests under way, at the last reading.
    open: u64,
    requests: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Mean(f64, u64);

impl Mean {
    fn add(&mut self, other: Self) {
        (self.0, self.1) = (self.0 + other.0, self.1 + other.1);
    }

    #[expect(clippy::cast_precision_loss, reason = "nobody counts that far")]
    fn get(self) -> Option<f64> {
        (self.1 > 0).then(|| rounded(self.0 / self.1 as f64, 1))
    }
}

impl Reading {
    fn add(&mut self, later: &Self) {
        self.cpu.add(later.cpu);
        self.memory.add(later.memory);
        self.disk.add(later.disk);
        let sum = |one: Option<u64>, other: Option<u64>| match (one, other) {
            (Some(one), Some(other)) => Some(one.saturating_add(other)),
            (one, other) => one.or(other),
        };
        self.bytes_in = sum(self.bytes_in, later.bytes_in);
        self.bytes_out = sum(self.bytes_out, later.bytes_out);
        self.open = later.open;
        self.requests += later.requests;
    }
}

/// The counters of the system, as they stand.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Counters {
    /// Ticks that the processors were busy, and all of them.
    cpu: Option<(u64, u64)>,
    /// Bytes that came and went.
    network: Option<(u64, u64)>,
    requests: u64,
}

impl Counters {
    fn read(traffic: &Traffic) -> Self {
        let text = |path| fs::read_to_string(path).ok();
        Self {
            cpu: text("/proc/stat").as_deref().and_then(cpu),
            network: text("/proc/net/dev").as_deref().and_then(network),
            requests: traffic.begun(),
        }
    }

    /// What happened since.
    fn since(&self, before: &Self, traffic: &Traffic) -> Reading {
        let share = |part: u64, whole: u64| if whole == 0 { Mean::default() } else { Mean(percent(part, whole), 1) };
        let cpu = self.cpu.zip(before.cpu).map(|((busy, all), (busy_before, all_before))| {
            share(busy.saturating_sub(busy_before), all.saturating_sub(all_before))
        });
        let network = self.network.zip(before.network);
        let network =
            network.map(|((i, o), (i_before, o_before))| (i.saturating_sub(i_before), o.saturating_sub(o_before)));
        let memory = fs::read_to_string("/proc/meminfo").ok().as_deref().and_then(memory);
        Reading {
            cpu: cpu.unwrap_or_default(),
            memory: memory.map_or(Mean::default(), |(used, all)| share(used, all)),
            disk: disk().map_or(Mean::default(), |(used, all)| share(used, all)),
            bytes_in: network.map(|(bytes, _)| bytes),
            bytes_out: network.map(|(_, bytes)| bytes),
            open: traffic.under_way(),
            requests: self.requests.saturating_sub(before.requests),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share needs no 64 bits")]
fn percent(part: u64, whole: u64) -> f64 {
    part as f64 * 100.0 / whole as f64
}

/// Busy ticks and all of them, from `/proc/stat`. To wait for a disk is not to be busy.
fn cpu(stat: &str) -> Option<(u64, u64)> {
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    // User, nice, system, idle, iowait, irq, softirq, steal; guests are within user.
    let ticks: Vec<u64> = line.split_whitespace().take(8).map_while(|n| n.parse().ok()).collect();
    let all: u64 = ticks.iter().sum();
    let idle: u64 = ticks.iter().skip(3).take(2).sum();
    (ticks.len() >= 4).then(|| (all - idle, all))
}

/// Bytes in use and all of them, from `/proc/meminfo`. What the system can take back at once is not in use.
fn memory(meminfo: &str) -> Option<(u64, u64)> {
    let get = |name: &str| {
        let rest = meminfo.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        rest.split_whitespace().next()?.parse::<u64>().ok()
    };
    let (all, available) = (get("MemTotal")?, get("MemAvailable")?);
    Some((all.saturating_sub(available), all))
}

/// Bytes that came and went, from `/proc/net/dev`; not those that never left the machine.
fn network(dev: &str) -> Option<(u64, u64)> {
    let of = |line: &str| {
        let (name, counters) = line.split_once(':')?;
        let mut counters = counters.split_whitespace().map(|n| n.parse::<u64>().ok());
        (name.trim() != "lo").then_some(())?;
        Some((counters.next()??, counters.nth(7)??))
    };
    let all = dev.lines().filter_map(of);
    all.reduce(|(i, o), (more_in, more_out)| (i.saturating_add(more_in), o.saturating_add(more_out))).or(Some((0, 0)))
}

/// Bytes in use and all of them, of the disk that the process works on.
#[cfg(unix)]
fn disk() -> Option<(u64, u64)> {
    let disk = rustix::fs::statvfs(".").ok()?;
    // As `df` says it: what only the administrator may use is neither.
    let used = disk.f_blocks.saturating_sub(disk.f_bfree);
    Some((used, used + disk.f_bavail))
}

#[cfg(not(unix))]
fn disk() -> Option<(u64, u64)> {
    None
}

/// Takes readings as long as the tracker lives. What cannot be written is told with the next: points are replaced.
pub(super) async fn run(tracker: WeakTracker, traffic: Arc<Traffic>) {
    let mut before = Counters::read(&traffic);
    let mut buckets: BTreeMap<(i64, i64), Reading> = BTreeMap::new();
    // The first reading comes soon, so that there is one.
    let mut pause = Duration::from_secs(1);
    loop {
        tokio::time::sleep(pause).await;
        pause = EVERY;
        let Some(tracker) = tracker.upgrade() else { return };
        let now = minute(Timestamp::now());
        let counters = Counters::read(&traffic);
        let reading = counters.since(&before, &traffic);
        before = counters;
        for width in WIDTHS {
            buckets.entry((width, now.div_euclid(width) * width)).or_default().add(&reading);
        }
        let points: Vec<SeriesPoint> =
            buckets.iter().map(|(at, reading)| point(*at, reading, tracker.node())).collect();
        if tracker.store().put_points(&points).await.is_ok() {
            buckets.retain(|(width, start), _| start + width > now);
        }
        // While the database is away, an hour of readings waits.
        while buckets.len() > 70 {
            buckets.pop_first();
        }
    }
}

fn point((width, start): (i64, i64), reading: &Reading, node: Uuid) -> SeriesPoint {
    let data = serde_json::to_string(reading).unwrap_or_default();
    SeriesPoint { series: Series::Machine, project: ProjectId(0), width, start, name: String::new(), node, data }
}

impl Machine {
    pub(crate) async fn read(store: &dyn Store, timeframe: Timeframe, now: Timestamp) -> Result<Self, StoreError> {
        let width = if timeframe.minutes() > 1_440 { 60 } else { 1 };
        let until = minute(now);
        let from = (until - timeframe.minutes()).div_euclid(width) * width;
        let projects = Some(vec![ProjectId(0)]);
        let points = store.points(&SeriesQuery { series: Series::Machine, projects, width, from, until }).await?;
        let (mut all, mut open) = (Reading::default(), BTreeMap::new());
        let mut buckets: BTreeMap<i64, Reading> = BTreeMap::new();
        let mut nodes = std::collections::BTreeSet::new();
        for point in points {
            let Ok(reading) = serde_json::from_str::<Reading>(&point.data) else { continue };
            all.add(&reading);
            buckets.entry(point.start).or_default().add(&reading);
            nodes.insert(point.node);
            // Who has not been heard of answers nothing.
            if point.start + width + 1 >= until {
                open.insert(point.node, reading.open);
            }
        }
        let known = buckets.keys().next().map_or(1, |first| until - first + 1).max(1).unsigned_abs();
        // A chart has no use for more than some hundred.
        let step = if timeframe == Timeframe::Day || timeframe == Timeframe::SixHours { 10 } else { width };
        let mut charted: BTreeMap<i64, Reading> = BTreeMap::new();
        for (start, reading) in &buckets {
            charted.entry(start.div_euclid(step) * step).or_default().add(reading);
        }
        let point = |(start, reading): (i64, Reading)| MachinePoint {
            timestamp: time(start),
            cpu_usage_percent: reading.cpu.get(),
            memory_usage_percent: reading.memory.get(),
            requests: reading.requests,
        };
        Ok(Self {
            timeframe,
            cpu_usage_percent: all.cpu.get(),
            memory_usage_percent: all.memory.get(),
            disk_usage_percent: all.disk.get(),
            network_io: NetworkIo { bytes_in: all.bytes_in, bytes_out: all.bytes_out },
            active_connections: open.values().sum(),
            requests_per_minute: rounded(percent(all.requests, known) / 100.0, 2),
            nodes: nodes.len(),
            data_points: charted.into_iter().map(point).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_the_system_are_understood() {
        let stat = "cpu  100 20 30 800 50 0 0 0 7 0\ncpu0 1 1 1 1\n";
        assert_eq!(cpu(stat), Some((150, 1_000)));
        let meminfo = "MemTotal:       1000 kB\nMemFree:  1 kB\nMemAvailable:    400 kB\n";
        assert_eq!(memory(meminfo), Some((600, 1_000)));
        let dev = "Inter-|   Receive |  Transmit\n face |bytes    packets\n    lo: 5 1 0 0 0 0 0 0 5 1 0 0 0 0 0 0\n  \
                   eth0: 100 1 0 0 0 0 0 0 200 1 0 0 0 0 0 0\n eth1:1 1 0 0 0 0 0 0 2 1 0 0 0 0 0 0\n";
        assert_eq!(network(dev), Some((101, 202)));
        for text in ["", "cpu \n", "cpu  x\n"] {
            assert_eq!((cpu(text), memory(text)), (None, None));
        }
    }

    #[test]
    fn readings_are_what_happened_between_two() {
        let traffic = Traffic::default();
        let before = Counters { cpu: Some((100, 1_000)), network: Some((50, 50)), requests: 3 };
        let after = Counters { cpu: Some((175, 1_100)), network: Some((60, 90)), requests: 10 };
        let mut reading = after.since(&before, &traffic);
        assert_eq!((reading.cpu.get(), reading.bytes_in, reading.bytes_out), (Some(75.0), Some(10), Some(40)));
        assert_eq!(reading.requests, 7);
        reading.add(&Reading { cpu: Mean(25.0, 1), ..Reading::default() });
        assert_eq!(reading.cpu.get(), Some(50.0));
        let nothing = Counters::default().since(&before, &traffic);
        assert_eq!((nothing.cpu.get(), nothing.bytes_in), (None, None));
        // A container that moved has smaller counters.
        assert_eq!(before.since(&after, &traffic).bytes_in, Some(0));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_machine_can_be_read() {
        let traffic = Traffic::default();
        let reading = Counters::read(&traffic).since(&Counters { cpu: Some((0, 0)), ..Counters::default() }, &traffic);
        for value in [reading.cpu, reading.memory, reading.disk] {
            assert!((0.0..=100.0).contains(&value.get().unwrap()), "{reading:?}");
        }
    }
}
