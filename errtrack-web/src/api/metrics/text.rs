//! The text format of Prometheus, version 0.0.4.

use errtrack_core::Latencies;
use std::{
    fmt::{Display, Write},
    ops::RangeInclusive,
    time::Duration,
};

/// What kind of number a family holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// It only grows, and starts anew with its source.
    Counter,
    /// It goes up and down.
    Gauge,
    /// Durations, counted in buckets.
    Histogram,
}

/// The buckets of a histogram, as powers of two of microseconds: 1.024 ms to 16.8 s. Latencies are counted exactly at these.
const BUCKETS: RangeInclusive<u32> = 10..=24;

/// A page of metrics that is being written.
#[derive(Debug, Default)]
pub(super) struct Text(String);

/// A family of samples that is being written.
#[derive(Debug)]
pub(super) struct Family<'a> {
    text: &'a mut String,
    name: &'static str,
}

impl Text {
    /// Begins a family. Each is written once, with all its samples.
    pub(super) fn family(&mut self, name: &'static str, kind: Kind, help: &str) -> Family<'_> {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let help = help.replace('\\', r"\\").replace('\n', r"\n");
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
        Family { text: &mut self.0, name }
    }

    /// A family of one sample; left out where there is no value.
    pub(super) fn one(&mut self, name: &'static str, kind: Kind, help: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.family(name, kind, help).sample(&[], value);
        }
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }
}

impl Family<'_> {
    /// Writes a sample.
    pub(super) fn sample(&mut self, labels: &[(&str, &str)], value: impl Display) {
        self.suffixed("", labels, value);
    }

    /// Writes a histogram: how many took no longer than the end of each bucket, how long all took together, how many.
    pub(super) fn histogram(&mut self, labels: &[(&str, &str)], latencies: &Latencies) {
        let count = latencies.count();
        for power in BUCKETS {
            let end = Duration::from_micros(1 << power);
            let le = end.as_secs_f64().to_string();
            self.suffixed("_bucket", &[labels, &[("le", &le)]].concat(), latencies.within(end));
        }
        self.suffixed("_bucket", &[labels, &[("le", "+Inf")]].concat(), count);
        self.suffixed("_sum", labels, latencies.total().as_secs_f64());
        self.suffixed("_count", labels, count);
    }

    fn suffixed(&mut self, suffix: &str, labels: &[(&str, &str)], value: impl Display) {
        self.text.push_str(self.name);
        self.text.push_str(suffix);
        for (i, (name, value)) in labels.iter().enumerate() {
            self.text.push(if i == 0 { '{' } else { ',' });
            let _ = write!(self.text, "{name}=\"{}\"", escaped(value));
        }
        if !labels.is_empty() {
            self.text.push('}');
        }
        let _ = writeln!(self.text, " {value}");
    }
}

/// The value of a label: three characters need a backslash, all others stand as they are.
fn escaped(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_labels_are_escaped() {
        let mut text = Text::default();
        text.family("a", Kind::Gauge, "back\\slash\nand line").sample(&[("x", "a\"b\\c\nd é"), ("y", "")], 1.5);
        text.one("b_total", Kind::Counter, "h", Some(7_u64));
        text.one("c", Kind::Gauge, "h", None::<u64>);
        let expected = "# HELP a back\\\\slash\\nand line\n# TYPE a gauge\na{x=\"a\\\"b\\\\c\\nd é\",y=\"\"} 1.5\n\
                        # HELP b_total h\n# TYPE b_total counter\nb_total 7\n";
        assert_eq!(text.into_string(), expected);
    }
}
