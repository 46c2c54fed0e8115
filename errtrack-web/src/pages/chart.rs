//! Charts as numbers for SVG: heights in pixels, widths in percent, so that text never scales.

use super::text;

/// A small chart beside an issue: one bar per hour.
#[derive(Debug, Clone, Default)]
pub(super) struct Spark {
    /// The path of the quiet bars.
    pub(super) quiet: String,
    /// The path of those that are worth a look.
    pub(super) hot: String,
    pub(super) label: String,
}

/// A chart of bars with its axis.
#[derive(Debug, Clone, Default)]
pub(super) struct Bars {
    pub(super) bars: Vec<Bar>,
    /// Lines of the grid, from the top: a height and a number.
    pub(super) grid: Vec<(String, String)>,
    /// Labels below.
    pub(super) axis: Vec<Label>,
    pub(super) label: String,
}

/// A text below the bars.
#[derive(Debug, Clone)]
pub(super) struct Label {
    pub(super) x: String,
    pub(super) text: String,
    /// Left out where the chart is narrow.
    pub(super) is_minor: bool,
}

/// One bar.
#[derive(Debug, Clone)]
pub(super) struct Bar {
    pub(super) x: String,
    pub(super) width: String,
    pub(super) y: String,
    pub(super) height: String,
    pub(super) hot: bool,
    pub(super) empty: bool,
    /// The bucket: `20 Nov`, `14:00`.
    pub(super) name: String,
    /// The number in it.
    pub(super) count: String,
}

/// Why bars may be worth a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    /// The issue is new: all of them are.
    New,
    /// It came back: those since the last pause are.
    Back,
    /// Nothing is known, but it may be rising.
    None,
    /// They are not, whatever happens.
    Calm,
}

/// From which bucket on bars are worth a look.
pub(super) fn hot_from(counts: &[i64], news: News) -> Option<usize> {
    match news {
        News::New => counts.iter().position(|n| *n > 0),
        News::Back => {
            let last = counts.iter().rposition(|n| *n > 0)?;
            let pause = counts.iter().take(last).rposition(|n| *n == 0);
            Some(pause.map_or(0, |at| at + 1))
        }
        News::None => rising_from(counts),
        News::Calm => None,
    }
}

/// The last three buckets, if they hold three times what is usual.
pub(super) fn rising_from(counts: &[i64]) -> Option<usize> {
    // What was before the first event says nothing about what is usual.
    let begun = counts.iter().position(|n| *n > 0)?;
    let start = counts.len().checked_sub(3).filter(|start| *start >= begun + 3)?;
    let recent: i64 = counts.iter().skip(start).sum();
    let before: i64 = counts.iter().take(start).sum();
    let usual = i128::from(before) * 3 / i128::try_from(start - begun).ok()?;
    (recent >= 10 && before > 0 && i128::from(recent) > usual * 3).then_some(start)
}

/// The small chart of the last hours.
pub(super) fn spark(counts: &[i64], news: News) -> Spark {
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    let hot_from = hot_from(counts, news).unwrap_or(usize::MAX);
    let mut spark = Spark::default();
    for (i, &n) in counts.iter().enumerate() {
        // Tenths of a pixel, so that integers do.
        let tenths = if n > 0 { (n.saturating_mul(230) / most).max(15) } else { 5 };
        let height = format!("{}.{}", tenths / 10, tenths % 10);
        let path = if i >= hot_from { &mut spark.hot } else { &mut spark.quiet };
        path.push_str(&format!("M{} 24v-{height}h3v{height}z", i * 4));
    }
    spark.label = format!("{} in the last {} hours", text::counted(counts.iter().sum(), "event"), counts.len());
    spark
}

/// The height of the plot, and where its base line is.
const PLOT: i64 = 120;
const BASE: i64 = 132;

/// A chart of bars. `names` are those of the buckets; each `every`th stands on the axis.
pub(super) fn bars(counts: &[i64], names: &[String], every: usize, news: News, label: String) -> Bars {
    let top = round_up(counts.iter().copied().max().unwrap_or(0));
    let hot_from = hot_from(counts, news).unwrap_or(usize::MAX);
    let step = 9_300 / i64::try_from(counts.len().max(1)).unwrap_or(1); // hundredths of a percent, beside the numbers
    let left = |i: usize| 700 + step * i64::try_from(i).unwrap_or(0);
    let bar = |(i, (&n, name)): (usize, (&i64, &String))| {
        let height = if n > 0 { (n.saturating_mul(PLOT) / top).max(2) } else { 0 };
        Bar {
            x: percent(left(i) + step / 8),
            width: percent(step * 3 / 4),
            y: (BASE - height).to_string(),
            height: height.to_string(),
            hot: i >= hot_from,
            empty: n == 0,
            name: name.clone(),
            count: text::number(n),
        }
    };
    let grid = |share: i64| ((BASE - PLOT * share / 2).to_string(), text::number(top * share / 2));
    Bars {
        bars: counts.iter().zip(names).enumerate().map(bar).collect(),
        grid: if top > 1 { vec![grid(2), grid(1)] } else { vec![grid(2)] },
        axis: names
            .iter()
            .enumerate()
            .map(|(i, name)| (i, names.len() - 1 - i, name))
            .filter(|(_, back, _)| back.is_multiple_of(every))
            .map(|(i, back, name)| Label {
                x: percent(left(i) + step / 2),
                text: name.clone(),
                is_minor: !back.is_multiple_of(2 * every),
            })
            .collect(),
        label,
    }
}

fn percent(hundredths: i64) -> String {
    format!("{}.{:02}%", hundredths / 100, hundredths % 100)
}

/// The next number of one digit and zeros that has a whole half; 1 is the least.
fn round_up(n: i64) -> i64 {
    let mut scale = 1;
    loop {
        for step in [1, 2, 3, 4, 5, 6, 8, 10] {
            if n <= step * scale && (step == 1 || step * scale % 2 == 0) {
                return step * scale;
            }
        }
        match scale.checked_mul(10) {
            Some(next) if next < i64::MAX / 100 => scale = next,
            _ => return n,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_bar_fills_the_spark() {
        let spark = spark(&[0, 10, 5], News::None);
        assert_eq!(spark.quiet, "M0 24v-0.5h3v0.5zM4 24v-23.0h3v23.0zM8 24v-11.5h3v11.5z");
        assert_eq!(spark.label, "15 events in the last 3 hours");
    }

    #[test]
    fn rising_and_new_ones_are_hot() {
        let mut counts = [2; 24];
        assert_eq!(hot_from(&counts, News::None), None);
        counts[21..].copy_from_slice(&[20, 30, 40]);
        assert_eq!(hot_from(&counts, News::None), Some(21));
        assert_eq!(hot_from(&[1, 0, 0, 3, 4], News::Back), Some(3));
        assert_eq!(hot_from(&[0, 0], News::Back), None);
        assert_eq!(hot_from(&[0, 1, 0, 3], News::New), Some(1));
    }

    #[test]
    fn scales_end_on_round_numbers() {
        assert_eq!([0, 1, 3, 7, 41, 654, 70_000].map(round_up), [1, 1, 4, 8, 50, 800, 80_000]);
    }
}
