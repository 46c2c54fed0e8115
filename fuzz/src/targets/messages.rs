//! Messages without their parameters.

use super::{bytes, text};
use crate::Target;
use errtrack_core::{fuzzing, grouping::message::parameterize};

pub(crate) const TARGET: Target =
    Target { name: "messages", run, seeds: |material| bytes(material.prose.iter().map(String::as_str)) };

fn run(data: &[u8]) {
    let text = text(data);
    let said = parameterize(&text);
    // `1s` becomes `<duration>`.
    assert!(said.len() <= text.len() * 10 + 16, "{} of {}", said.len(), text.len());
    for code in fuzzing::codes(&text) {
        assert!(text.contains(code) && said.contains(code), "{code}");
    }
}
