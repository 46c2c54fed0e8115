//! What a browser is told: short texts, where a click leads, and which message takes the place of which.

use super::primitives::sha256;
use crate::words::{Words, one_line};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use errtrack_core::{
    Level,
    notify::{Notification, Trigger},
};
use serde::Serialize;

/// Characters of a title, and of each line below it. Browsers show less.
const TITLE: usize = 120;
const LINE: usize = 120;
/// Lines below the title.
const LINES: usize = 4;
/// Bytes of an address. With a longer one a click opens nothing.
const URL: usize = 1_200;
/// Bytes that services take of a topic.
const TOPIC: usize = 32;

/// What the service worker gets, as JSON.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Message {
    pub(super) title: String,
    pub(super) body: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) url: Option<String>,
    /// What is shown under the same tag is replaced.
    pub(super) tag: String,
    /// When it happened, in milliseconds since 1970.
    pub(super) at: i64,
}

impl Message {
    pub(super) fn of(notification: &Notification, dashboard: Option<&str>) -> Self {
        let words = Words::of(notification, dashboard);
        let measured = words.facts.iter().filter(|(name, _)| matches!(*name, "Measured" | "Update" | "Note"));
        let measured = measured.map(|(name, value)| format!("{name}: {value}"));
        let why = words.title.is_empty().then(|| words.why.clone());
        let first = [Some(words.title.clone()), words.culprit.clone(), why].into_iter().flatten();
        let listed = words.list.iter().map(|(text, _)| text.clone());
        let lines = first.chain(measured).chain(listed).map(|line| one_line(&line, LINE));
        let lines: Vec<String> = lines.filter(|line| !line.is_empty()).take(LINES).collect();
        Self {
            title: one_line(&words.headline, TITLE),
            body: lines.join("\n"),
            url: words.link.map(|link| link.url).filter(|url| url.len() <= URL),
            tag: topic(notification).unwrap_or_default(),
            at: notification.at.as_micros() / 1_000,
        }
    }
}

/// What tells messages about the same thing: the later one takes the place of the earlier one, where that still waits.
pub(super) fn topic(notification: &Notification) -> Option<String> {
    let (kind, id) = match (&notification.incident, &notification.issue, &notification.rule) {
        (Some(incident), _, _) => ("incident", &incident.id),
        (None, Some(issue), _) => ("issue", &issue.id),
        (None, None, Some(rule)) => ("rule", &rule.id),
        (None, None, None) => return None,
    };
    // The service reads it: it is not to learn what it stands for.
    let mut topic = URL_SAFE_NO_PAD.encode(sha256(&[kind.as_bytes(), b"\0", id.as_bytes()]));
    topic.truncate(TOPIC);
    Some(topic)
}

/// How urgent it is (RFC 8030, 5.3): `high` wakes a device that saves power.
pub(super) fn urgency(notification: &Notification) -> &'static str {
    let is_fatal = notification.issue.as_ref().is_some_and(|issue| issue.level == Level::Fatal);
    let is_over = notification.incident.as_ref().is_some_and(|incident| incident.status == "resolved");
    match notification.trigger {
        Trigger::Regression | Trigger::Spike | Trigger::Rule | Trigger::Test => "high",
        Trigger::Incident if !is_over => "high",
        Trigger::NewIssue if is_fatal => "high",
        _ => "normal",
    }
}

/// Seconds for which the service keeps it while the browser is away.
pub(super) fn lives(notification: &Notification) -> u32 {
    if notification.trigger == Trigger::Test { 300 } else { 24 * 3600 }
}

#[cfg(test)]
mod tests {
    use super::{super::seal, *};
    use crate::tests::told;

    const DASHBOARD: Option<&str> = Some("https://errors.example.com");

    #[test]
    fn each_trigger_is_told_in_a_few_lines() {
        let shown = Trigger::ALL.map(|trigger| {
            let Message { title, body, url, .. } = Message::of(&told(trigger), DASHBOARD);
            format!("{title}\n{body}\n{}\n{}\n", url.unwrap_or_default(), urgency(&told(trigger)))
        });
        insta::assert_snapshot!(shown.join("\n"));
    }

    #[test]
    fn whatever_is_told_it_fits() {
        let long = "🦊\"\\\u{7}\u{202e}".repeat(2_000);
        for trigger in Trigger::ALL {
            let mut told = told(trigger);
            told.project = Some(long.clone());
            told.note = Some(long.clone());
            if let Some(issue) = &mut told.issue {
                (issue.title, issue.culprit, issue.path) = (long.clone(), long.clone(), "x".repeat(1_100));
            }
            if let Some(rule) = &mut told.rule {
                rule.name.clone_from(&long);
            }
            for line in &mut told.digest {
                line.title.clone_from(&long);
            }
            let json = serde_json::to_vec(&Message::of(&told, DASHBOARD)).unwrap();
            assert!(json.len() <= seal::MOST, "{trigger}: {}", json.len());
        }
    }

    #[test]
    fn a_topic_is_that_of_the_issue() {
        let (new, again) = (told(Trigger::NewIssue), told(Trigger::Regression));
        let topic_of_issue = topic(&new).unwrap();
        assert_eq!(topic(&again).as_ref(), Some(&topic_of_issue));
        assert_eq!(topic_of_issue.len(), TOPIC);
        assert!(topic_of_issue.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')));
        assert_ne!(topic(&told(Trigger::Incident)), topic(&new));
        assert_eq!(topic(&Notification::default()), None);
    }
}
