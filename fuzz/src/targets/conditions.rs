//! Conditions of alert rules.

use super::{bytes, text};
use crate::Target;
use errtrack_core::alert::Condition;

pub(crate) const TARGET: Target = Target {
    name: "conditions",
    run,
    seeds: |_| {
        bytes([
            "error_count > 50 in 5 minutes",
            "error_count >= threshold in time_window where project = shop",
            "regression_count > 0 in 1d where level = error and environment = \"blue \\\"green\\\"\"",
            "p95_ms <= 812.5 in 1h",
        ])
    },
};

fn run(data: &[u8]) {
    let text = text(data);
    match text.parse::<Condition>() {
        Ok(condition) => {
            let printed = condition.to_string();
            assert_eq!(printed.parse::<Condition>(), Ok(condition), "{printed}");
        }
        Err(error) => assert!((1..=text.chars().count() + 1).contains(&error.column()), "{text:?}: {error}"),
    }
}
