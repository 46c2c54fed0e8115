//! What each channel sends, and what it makes of the answers: services and a mail server of the tests' own.

mod mail;
mod receiver;
mod services;
mod smtp_server;
mod texts;
mod tickets;

use crate::{Channel, Kind, Surroundings};
use errtrack_core::{
    AllowedTargets, Level, Timestamp,
    notify::{
        Delivery, DigestLine, IncidentFacts, IssueFacts, Notification, Notifier, NotifyError, OutboxEntry, RuleFacts,
        Trigger,
    },
};
use std::sync::Arc;
use uuid::Uuid;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_micros(1_790_000_000_000_000 + minute * 60_000_000)
}

fn issue() -> IssueFacts {
    IssueFacts {
        id: "0192f0c4-1111-7222-8333-444455556666".into(),
        short_id: "SHOP-42".into(),
        title: "PaymentError: card <declined> & retried".into(),
        culprit: "shop::checkout::pay".into(),
        level: Level::Error,
        count: 1_234,
        user_count: 17,
        environment: Some("production".into()),
        release: Some("shop@1.4.0".into()),
        first_seen: at(0),
        last_seen: at(30),
        frames: vec!["shop::checkout::pay (src/checkout.rs:42)".into(), "shop::main (src/main.rs:7)".into()],
        path: "issues/0192f0c4-1111-7222-8333-444455556666".into(),
        assigned_to: Some("ada@example.com".into()),
    }
}

/// One of each trigger.
pub(crate) fn told(trigger: Trigger) -> Notification {
    let base = Notification { trigger, at: at(30), project: Some("shop".into()), ..Notification::default() };
    let rule = || RuleFacts {
        id: "7".into(),
        name: "Checkout errors".into(),
        condition: "error_count > threshold in 5m where environment = production".into(),
        value: Some(134.5),
        threshold: Some(100.0),
    };
    match trigger {
        Trigger::Rule | Trigger::Recovered => Notification { rule: Some(rule()), ..base },
        Trigger::Incident => {
            let incident = IncidentFacts {
                id: "3".into(),
                title: "Checkout is down".into(),
                severity: "high".into(),
                status: "identified".into(),
                note: Some("The card service refuses us.".into()),
                by: Some("ada@example.com".into()),
                path: "incidents/3".into(),
            };
            Notification { incident: Some(incident), ..base }
        }
        Trigger::Digest => {
            let line = |n: i64| DigestLine {
                trigger: if n == 0 { Trigger::Regression } else { Trigger::NewIssue },
                at: at(n),
                title: format!("TypeError: x{n} is <undefined>"),
                short_id: Some(format!("SHOP-{n}")),
                project: Some("shop".into()),
                path: format!("issues/{n}"),
            };
            Notification { digest: (0..3).map(line).collect(), digest_total: 10_000, project: None, ..base }
        }
        Trigger::Test => Notification { project: None, ..base },
        Trigger::Invitation => Notification {
            project: None,
            note: Some("ana@example.com invites ben@example.com".into()),
            url: Some("https://errors.example.com/invitation/0123".into()),
            ..base
        },
        _ => Notification { issue: Some(issue()), ..base },
    }
}

/// What tries to break out of wherever it is put.
fn hostile() -> Notification {
    let text =
        "a\r\nBcc: victim@example.com\r\n\r\n<script>alert(\"1\")</script> & 'x' ``` *b* |c| @everyone \u{202e}dcba";
    let mut issue = issue();
    issue.title = text.into();
    issue.culprit = text.into();
    issue.release = Some(text.into());
    issue.frames = vec![text.into()];
    issue.path = "issues/\"><script>".into();
    issue.id = "x>\r\nBcc: y".into();
    Notification {
        project: Some(text.into()),
        note: Some(text.repeat(100)),
        issue: Some(issue),
        ..told(Trigger::NewIssue)
    }
}

fn entry(channel: &str, notification: Notification) -> OutboxEntry {
    OutboxEntry {
        key: Uuid::from_u128(0x0192_f0c4_0000_7000_8000_0000_0000_0001),
        channel: channel.into(),
        recipients: Vec::new(),
        ordering: String::new(),
        firing: None,
        due_at: at(30),
        notification,
    }
}

fn surroundings() -> Surroundings {
    Surroundings {
        dashboard: Some("https://errors.example.com/".into()),
        allowed: AllowedTargets::new(["127.0.0.1", "localhost"]).unwrap(),
        trusted_mail: false,
    }
}

fn channel(kind: Kind, settings: &[(&str, &str)]) -> Arc<dyn Notifier> {
    let channel =
        settings.iter().fold(Channel::new(kind.as_str(), kind), |channel, (name, value)| channel.set(name, *value));
    channel.build(&surroundings()).unwrap()
}

async fn send(notifier: &Arc<dyn Notifier>, notification: Notification) -> Result<(), NotifyError> {
    let entry = entry(notifier.name(), notification);
    notifier.notify(&Delivery::new(&entry)).await
}
