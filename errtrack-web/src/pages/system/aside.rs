//! Events that could not be written, with the reason.

use crate::pages::{text, time::When};
use errtrack_core::{Timestamp, store::SetAside};

/// Characters of an event that the page shows; the API has the whole.
const LONGEST: usize = 20_000;

/// One of them.
#[derive(Debug)]
pub(in crate::pages) struct Aside {
    pub(in crate::pages) title: String,
    pub(in crate::pages) project: String,
    pub(in crate::pages) at: When,
    pub(in crate::pages) reason: String,
    /// How many events it stands for, if more than itself.
    pub(in crate::pages) times: Option<String>,
    /// All of it, as JSON.
    pub(in crate::pages) json: Option<String>,
}

impl Aside {
    pub(super) fn new(aside: &SetAside, project: Option<String>, now: Timestamp) -> Self {
        let title = aside.event.as_ref().map(|event| match event.title() {
            ("", value) => value.to_owned(),
            (ty, "") => ty.to_owned(),
            (ty, value) => format!("{ty}: {value}"),
        });
        let json = aside.event.as_ref().and_then(|event| serde_json::to_string_pretty(event).ok());
        Self {
            title: text::line(&title.unwrap_or_else(|| "An event that cannot be read".into()), 200),
            project: text::line(&project.unwrap_or_else(|| aside.project.to_string()), 60),
            at: When::new(aside.at, now),
            reason: text::block(&aside.reason, 1_000),
            times: (aside.times > 1).then(|| text::counted(aside.times, "event")),
            json: json.map(|json| text::block(&json, LONGEST)),
        }
    }
}
