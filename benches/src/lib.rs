//! What the benchmarks share: medians, processor time, the events that are sent.

pub mod ceiling;
pub mod payload;
pub mod peer;
pub mod subject;
pub mod table;

use std::{fs, time::Duration};

/// The middle of some figures.
#[must_use]
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The figure below which that share of all lies.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a rank")]
pub fn quantile(sorted: &[Duration], share: f64) -> Duration {
    let rank = (sorted.len() as f64 * share) as usize;
    sorted.get(rank.min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
}

/// Processor time that a process has used, over all its threads; zero where the system does not tell.
#[must_use]
pub fn cpu_time(process: u32) -> Duration {
    // proc_pid_stat(5): utime and stime are the 14th and 15th field, in ticks of 10 ms.
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let after_name = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let ticks = after_name.split(' ').skip(11).take(2).filter_map(|t| t.parse::<u64>().ok()).sum::<u64>();
    Duration::from_millis(ticks * 10)
}

/// The same for a process and all that it started, such as a database server with a process for each connection.
#[must_use]
pub fn cpu_time_of_family(process: u32) -> Duration {
    let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children")).unwrap_or_default();
    let children = children.split_whitespace().filter_map(|id| id.parse().ok());
    cpu_time(process) + children.map(cpu_time_of_family).sum::<Duration>()
}
