//! The channels by which people are told, as variables name them.

use super::Wrong;
use errtrack::{
    notify::{Channel, Kind, Surroundings},
    web::AllowedTargets,
};

/// A kind, and for each of its settings the variable that it is read from, the one that a channel is there by first.
type Variables = (Kind, &'static [(&'static str, &'static str)]);

const CHANNELS: [Variables; 5] = [
    (Kind::Email, &[("smtp_url", "SMTP_URL"), ("from_email", "SMTP_FROM"), ("to", "ALERT_EMAILS")]),
    (
        Kind::Email,
        &[
            ("postmark_token", "POSTMARK_API_TOKEN"),
            ("from_email", "POSTMARK_FROM_EMAIL"),
            ("postmark_url", "POSTMARK_URL"),
            ("to", "ALERT_EMAILS"),
        ],
    ),
    (Kind::Slack, &[("webhook_url", "SLACK_WEBHOOK_URL")]),
    (Kind::Webhook, &[("url", "WEBHOOK_URL"), ("secret", "WEBHOOK_SECRET")]),
    (
        Kind::Sms,
        &[("url", "SMS_URL"), ("from", "SMS_FROM"), ("to", "SMS_TO"), ("user", "SMS_USER"), ("token", "SMS_TOKEN")],
    ),
];

/// Variables that mean something without the channel too.
const SHARED: [&str; 1] = ["ALERT_EMAILS"];

/// Reads the channels.
pub(super) fn read<'a>(get: impl Fn(&str) -> Option<&'a str>, allowed: &AllowedTargets) -> Result<Vec<Channel>, Wrong> {
    let mut channels: Vec<Channel> = Vec::new();
    for (kind, variables) in CHANNELS {
        let Some((_, first)) = variables.first() else { continue };
        if get(first).is_none() {
            let lonely = variables.iter().find(|(_, name)| get(name).is_some() && !SHARED.contains(name));
            if let Some((_, name)) = lonely {
                return Err(Wrong::new(first, "", format!("set, because {name} is")));
            }
            continue;
        }
        if channels.iter().any(|channel| channel.kind == kind) {
            return Err(Wrong::new(first, "", "unset, because there is an SMTP_URL already"));
        }
        let set = |channel: Channel, (field, name): &(&str, &str)| match get(name) {
            Some(value) => channel.set(field, value),
            None => channel,
        };
        let channel = variables.iter().fold(Channel::new(kind.as_str(), kind), set);
        let surroundings = Surroundings { allowed: allowed.clone(), trusted_mail: true, ..Surroundings::default() };
        if let Err(wrong) = channel.build(&surroundings) {
            let name = variables.iter().find(|(field, _)| *field == wrong.field).map_or(*first, |(_, name)| name);
            let right = wrong.why.strip_prefix("must be ").unwrap_or(&wrong.why);
            let right = right.strip_prefix("is needed: ").map_or(right.to_owned(), |what| format!("set: {what}"));
            return Err(Wrong::new(name, get(name).unwrap_or_default(), right));
        }
        channels.push(channel);
    }
    Ok(channels)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channels(pairs: &[(&str, &'static str)]) -> Result<Vec<Channel>, String> {
        let get = |name: &str| pairs.iter().find(|(n, _)| *n == name).map(|(_, value)| *value);
        read(get, &AllowedTargets::default()).map_err(|wrong| wrong.to_string())
    }

    #[test]
    fn each_channel_is_there_when_its_variables_are() {
        assert_eq!(channels(&[("ALERT_EMAILS", "a@example.com")]), Ok(Vec::new()));
        let all = channels(&[
            ("SMTP_URL", "smtp://localhost:2525"),
            ("SMTP_FROM", "errors@example.com"),
            ("ALERT_EMAILS", "a@example.com, b@example.com"),
            ("SLACK_WEBHOOK_URL", "https://hooks.slack.com/services/T/B/x"),
            ("WEBHOOK_URL", "http://127.0.0.1:9/"),
            ("WEBHOOK_SECRET", "s"),
            ("SMS_URL", "https://sms.example.com/Messages.json"),
            ("SMS_FROM", "+1"),
            ("SMS_TO", "+2"),
            ("SMS_USER", "u"),
            ("SMS_TOKEN", "t"),
        ]);
        let all = all.unwrap();
        let names: Vec<&str> = all.iter().map(|channel| channel.name.as_str()).collect();
        assert_eq!(names, ["email", "slack", "webhook", "sms"]);
        assert_eq!(all[0].settings["to"], "a@example.com, b@example.com");
        let postmark = [("POSTMARK_API_TOKEN", "t"), ("POSTMARK_FROM_EMAIL", "e@example.com")];
        assert_eq!(channels(&postmark).unwrap()[0].settings["postmark_token"], "t");
    }

    #[test]
    fn a_channel_that_cannot_be_is_named_without_its_secrets() {
        for (pairs, line) in [
            (&[("SMTP_FROM", "a@example.com")][..], "SMTP_URL: must be set, because SMTP_FROM is"),
            (&[("WEBHOOK_SECRET", "hunter2")], "WEBHOOK_URL: must be set, because WEBHOOK_SECRET is"),
            (
                &[("SMTP_URL", "smtp://u:hunter2@h"), ("SMTP_FROM", "nobody")],
                "SMTP_FROM=nobody: must be an address like alerts@example.com",
            ),
            (
                &[("SMTP_URL", "smtp://u:hunter2@h?tls=x"), ("SMTP_FROM", "a@example.com")],
                "SMTP_URL=smtp://u:****@h?tls=x: must be without tls, or with `tls=required` or `tls=opportunistic` after smtp://",
            ),
            (&[("SMTP_URL", "smtp://h")], "SMTP_FROM: must be set: alerts@example.com, or Name <alerts@example.com>"),
            (
                &[("SLACK_WEBHOOK_URL", "hooks.slack.com/hunter2")],
                "SLACK_WEBHOOK_URL=****: must be a URL like https://host/path, without a password",
            ),
            (
                &[("SMTP_URL", "smtp://h"), ("SMTP_FROM", "a@b.example"), ("POSTMARK_API_TOKEN", "hunter2")],
                "POSTMARK_API_TOKEN: must be unset, because there is an SMTP_URL already",
            ),
            (&[("SMS_URL", "https://h/"), ("SMS_FROM", "+1")], "SMS_TO: must be set: numbers with commas between"),
        ] {
            assert_eq!(channels(pairs), Err(line.to_owned()));
        }
    }
}
