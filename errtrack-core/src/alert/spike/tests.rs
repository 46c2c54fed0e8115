//! How often it is right, on histories that are generated: every hour after the second week is asked as it goes by, minute by
//! minute, and each history has spikes put in at known places.

#![expect(clippy::cast_possible_truncation, reason = "counts are small")]

mod families;

use super::*;
use std::fmt::Write;

/// A generator that gives the same numbers everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let bits = (self.0 ^ (self.0 >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        ((bits >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    /// Standard normal.
    fn normal(&mut self) -> f64 {
        (-2.0 * self.next().ln()).sqrt() * (std::f64::consts::TAU * self.next()).cos()
    }

    fn poisson(&mut self, mean: f64) -> i64 {
        if mean > 50.0 {
            return (mean + mean.sqrt() * self.normal()).round().max(0.0) as i64;
        }
        let (limit, mut product, mut count) = ((-mean).exp(), self.next(), 0);
        while product > limit {
            product *= self.next();
            count += 1;
        }
        count
    }
}

struct Scenario {
    name: &'static str,
    /// What is usual in an hour, and how it deviates from that.
    rate: fn(usize, &mut Random) -> f64,
    /// How many events a spike has in its hour, where that many are usual.
    spike: fn(f64) -> f64,
}

fn daily(hour: usize) -> f64 {
    1.0 + 0.8 * (std::f64::consts::TAU * (hour % 24) as f64 / 24.0).sin()
}

const WEEKS: usize = 6;
const HOURS: usize = WEEKS * WEEK;

const SCENARIOS: &[Scenario] = &[
    Scenario { name: "daily rhythm", rate: |h, _| 40.0 * daily(h), spike: |usual| usual * 5.0 + 30.0 },
    Scenario {
        name: "weekly rhythm",
        rate: |h, _| if h / 24 % 7 < 5 { 120.0 * daily(h) } else { 15.0 * daily(h) },
        spike: |usual| usual * 4.0 + 40.0,
    },
    Scenario {
        name: "noisy",
        rate: |h, random| 60.0 * daily(h) * (0.35 * random.normal()).exp(),
        spike: |usual| usual * 8.0 + 60.0,
    },
    Scenario {
        name: "deploy jumps",
        rate: |h, _| if h / (9 * 24) % 2 == 0 { 20.0 } else { 34.0 },
        spike: |usual| usual * 5.0 + 30.0,
    },
    Scenario { name: "quiet", rate: |_, _| 0.1, spike: |_| 30.0 },
    Scenario {
        name: "quiet with bursts",
        rate: |_, random| if random.next() < 0.02 { 6.0 } else { 0.05 },
        spike: |_| 80.0,
    },
];

#[derive(Default)]
struct Figures {
    spikes: u32,
    found: u32,
    false_alarms: u32,
    hours: u32,
    delay: Vec<f64>,
}

fn run(scenario: &Scenario, seed: u64) -> Figures {
    let mut random = Random(seed);
    let mut figures = Figures::default();
    let mut history: Vec<i64> = Vec::new();
    for hour in 0..HOURS {
        let rate = (scenario.rate)(hour, &mut random);
        let is_spike = hour > 2 * WEEK && hour % 331 == 40;
        let mean = if is_spike { (scenario.spike)(rate) } else { rate };
        let count = random.poisson(mean);
        if hour > 2 * WEEK {
            figures.hours += 1;
            // A spike is over when its hour is: what it leaves behind is no reason for another alarm, and none is expected.
            match (detect(&history, count), is_spike) {
                (Some(spike), true) => {
                    figures.found += 1;
                    figures.delay.push(60.0 * (spike.most + 1) as f64 / count as f64);
                }
                (Some(_), false) => figures.false_alarms += 1,
                _ => {}
            }
            figures.spikes += u32::from(is_spike);
        }
        history.push(count);
    }
    figures
}

#[test]
fn it_is_right_as_often_as_the_documents_say() {
    let mut table = String::from(
        "| history | spikes | found | precision | recall | delay (min) | false alarms per issue and hour |\n|---|---|---|---|---|---|---|\n",
    );
    let mut worst = (1.0_f64, 1.0_f64, 0.0_f64);
    for scenario in SCENARIOS {
        let mut sum = Figures::default();
        for seed in 0..60 {
            let one = run(scenario, 1 + seed * 7_919);
            sum.spikes += one.spikes;
            sum.found += one.found;
            sum.false_alarms += one.false_alarms;
            sum.hours += one.hours;
            sum.delay.extend(one.delay);
        }
        let precision = f64::from(sum.found) / f64::from(sum.found + sum.false_alarms);
        let recall = f64::from(sum.found) / f64::from(sum.spikes);
        sum.delay.sort_by(f64::total_cmp);
        let delay = sum.delay[sum.delay.len() / 2];
        let rate = f64::from(sum.false_alarms) / f64::from(sum.hours);
        let Scenario { name, .. } = scenario;
        writeln!(
            table,
            "| {name} | {} | {} | {precision:.3} | {recall:.3} | {delay:.0} | {rate:.1e} |",
            sum.spikes, sum.found
        )
        .unwrap();
        worst = (precision.min(worst.0), recall.min(worst.1), rate.max(worst.2));
    }
    println!("{table}");
    assert!(worst.0 >= 0.95 && worst.1 >= 0.88 && worst.2 <= 2e-4, "{worst:?}");
}

#[test]
fn what_is_young_or_seldom_is_no_spike() {
    assert_eq!(detect(&[], 1_000), None);
    assert_eq!(detect(&[0; 300], 1_000), None, "that it is new says it");
    assert_eq!(detect(&[3, 2, 1], 1_000), None, "it is some hours old");
    let steady = [50; 400];
    assert_eq!(detect(&steady, 90), None, "less than twice as many");
    let spike = detect(&steady, 400).unwrap();
    assert!(spike.most < 400 && spike.usual > 49.0, "{spike:?}");
    assert_eq!(detect(&steady, spike.most), None);
    assert!(detect(&steady, spike.most + 1).is_some());
    let mut quiet = [0; 500];
    quiet[0] = 1;
    assert_eq!(detect(&quiet, 9), None);
    assert!(detect(&quiet, 40).is_some());
    // What lasts is told once: it becomes usual.
    let mut lasting = steady.to_vec();
    lasting.extend([400, 410, 390]);
    assert_eq!(detect(&lasting, 420), None);
}
