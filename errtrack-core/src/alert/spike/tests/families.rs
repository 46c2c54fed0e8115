//! The same question, asked of histories of another family, of which nothing was fitted: noise that lasts for hours, mixtures,
//! calendars, deploys at random times, outages, growth, jobs at night, issues that were made lately. Every figure is printed, and
//! stands in ARCHITECTURE.md; the floors are far below, as they are there to notice what breaks.

use super::*;

impl Random {
    /// Uniform between two bounds.
    fn between(&mut self, least: f64, most: f64) -> f64 {
        least + (most - least) * self.next()
    }

    /// Gamma with that whole shape, and a mean of 1.
    fn gamma(&mut self, shape: u32) -> f64 {
        (0..shape).map(|_| -self.next().ln()).sum::<f64>() / f64::from(shape)
    }
}

/// A service while it is looked at.
struct Service {
    random: Random,
    /// What a kind of history remembers.
    level: f64,
    until: usize,
    away: bool,
}

struct Family {
    name: &'static str,
    /// How many are to be expected in an hour, if nothing is wrong.
    rate: fn(usize, &mut Service) -> f64,
    /// The hour in which the issue was made.
    born: fn(&mut Random) -> usize,
    /// The least precision, recall, and the most false alarms per issue and hour.
    floor: (f64, f64, f64),
}

/// Two humps a day, at noon and in the evening.
fn humps(hour: usize) -> f64 {
    let at = |peak: f64, wide: f64| {
        let off = ((hour % 24) as f64 - peak).abs();
        (-(off.min(24.0 - off) / wide).powi(2)).exp()
    };
    0.25 + at(12.5, 2.5) + 1.3 * at(20.0, 2.0)
}

/// Is it a working day, of a calendar with two holidays?
fn works(hour: usize) -> bool {
    let day = hour / 24;
    day % 7 < 5 && ![17, 30].contains(&day)
}

const FAMILIES: &[Family] = &[
    Family {
        name: "noise that lasts (Poisson-lognormal, autocorrelated)",
        rate: |_, s| {
            s.level = 0.9 * s.level + 0.2 * s.random.normal();
            30.0 * s.level.exp()
        },
        born: |_| 0,
        floor: (0.9, 0.75, 2e-4),
    },
    Family {
        name: "gamma-mixed, two humps a day",
        rate: |h, s| 25.0 * humps(h) * s.random.gamma(3),
        born: |_| 0,
        floor: (0.7, 0.05, 2e-4),
    },
    Family {
        name: "office hours with holidays",
        rate: |h, _| match (works(h), h % 24) {
            (true, 9..18) => 80.0,
            (true, 7 | 8 | 18 | 19) => 25.0,
            _ => 3.0,
        },
        born: |_| 0,
        floor: (0.45, 0.4, 3e-3),
    },
    Family {
        name: "deploys at random times (half to more than double)",
        rate: |h, s| {
            if h >= s.until {
                s.until = h + s.random.between(50.0, 200.0) as usize;
                let level = if s.level == 0.0 { 40.0 } else { s.level };
                s.level = (level * s.random.between(0.5, 2.2)).clamp(8.0, 250.0);
            }
            s.level * (0.15 * s.random.normal()).exp()
        },
        born: |_| 0,
        floor: (0.9, 0.85, 2e-4),
    },
    Family {
        name: "outages to nothing",
        rate: |h, s| {
            if h >= s.until {
                s.away = !s.away && h > 0;
                let (least, most) = if s.away { (2.0, 20.0) } else { (80.0, 250.0) };
                s.until = h + s.random.between(least, most) as usize;
            }
            if s.away { 0.0 } else { 60.0 * daily(h) }
        },
        born: |_| 0,
        floor: (0.9, 0.6, 2e-4),
    },
    Family {
        name: "growth of 4 percent a day",
        rate: |h, s| 6.0 * (0.04 * h as f64 / 24.0).exp() * (0.6 + 0.4 * daily(h)) * s.random.gamma(8),
        born: |_| 0,
        floor: (0.9, 0.5, 2e-4),
    },
    Family {
        name: "jobs at night, a large one twice a month",
        rate: |h, s| match (h / 24 % 14, h % 24) {
            (5, 5) => 200.0,
            (_, 3) => 45.0 * s.random.gamma(6),
            _ => 0.2,
        },
        born: |_| 0,
        floor: (0.0, 0.0, 2e-4),
    },
    Family {
        name: "made within the last days, becoming less",
        rate: |h, s| 3.0 + 30.0 * (-(h as f64) / 30.0).exp() * s.random.gamma(4),
        born: |random| HOURS - random.between(30.0, 120.0) as usize,
        floor: (0.8, 0.75, 3e-3),
    },
];

/// Follows one issue, hour by hour.
fn follow(family: &Family, seed: u64) -> Figures {
    let mut random = Random(seed);
    let born = (family.born)(&mut random);
    let first = if born == 0 { 2 * WEEK } else { born + YOUNG };
    let mut service = Service { random, level: 0.0, until: 0, away: false };
    let mut figures = Figures::default();
    let mut history: Vec<i64> = vec![0; born];
    // A spike of one to three hours each 120 to 500; what lives shortly has one.
    let spread = if born == 0 { 300.0 } else { 15.0 };
    let mut begins = first + 5 + service.random.between(1.0, spread) as usize;
    let mut ends = 0;
    for hour in born..HOURS {
        let rate = (family.rate)(hour - born, &mut service);
        let is_spike = hour == begins;
        if is_spike {
            ends = hour + service.random.between(1.0, 4.0) as usize;
            begins = ends + service.random.between(120.0, 500.0) as usize;
        }
        let mean = if hour < ends { rate * service.random.between(3.0, 8.0) + 25.0 } else { rate };
        let count = service.random.poisson(mean);
        if hour >= first {
            figures.hours += 1;
            figures.spikes += u32::from(is_spike);
            match detect(&history, count) {
                Some(spike) if is_spike => {
                    figures.found += 1;
                    figures.delay.push(60.0 * (spike.most + 1) as f64 / count as f64);
                }
                // That it goes on is no news, and no alarm.
                Some(_) if hour >= ends => figures.false_alarms += 1,
                _ => {}
            }
        }
        history.push(count);
    }
    figures
}

#[test]
fn it_is_right_often_enough_on_histories_that_nothing_was_fitted_to() {
    let mut table = String::from(
        "| history | spikes | precision | recall | delay (min) | false alarms per issue and hour |\n|---|---|---|---|---|---|\n",
    );
    let mut below = Vec::new();
    for family in FAMILIES {
        let mut sum = Figures::default();
        let short = (family.born)(&mut Random(1)) > 0;
        for seed in 0..if short { 300 } else { 40 } {
            let one = follow(family, 0x5eed_0000 + seed * 104_729);
            sum.spikes += one.spikes;
            sum.found += one.found;
            sum.false_alarms += one.false_alarms;
            sum.hours += one.hours;
            sum.delay.extend(one.delay);
        }
        let alarms = sum.found + sum.false_alarms;
        // Without any alarm none was wrong.
        let precision = if alarms == 0 { 1.0 } else { f64::from(sum.found) / f64::from(alarms) };
        let recall = f64::from(sum.found) / f64::from(sum.spikes);
        sum.delay.sort_by(f64::total_cmp);
        let delay = sum.delay.get(sum.delay.len() / 2).copied().unwrap_or_default();
        let rate = f64::from(sum.false_alarms) / f64::from(sum.hours);
        let name = family.name;
        writeln!(table, "| {name} | {} | {precision:.2} | {recall:.2} | {delay:.0} | {rate:.1e} |", sum.spikes)
            .unwrap();
        let (least, found, most) = family.floor;
        if precision < least || recall < found || rate > most {
            below.push(name);
        }
    }
    println!("{table}");
    assert_eq!(below, Vec::<&str>::new(), "{table}");
}
