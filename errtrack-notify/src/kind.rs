//! The kinds of channels, and the settings that each takes.

use crate::Settings;
use std::{fmt, str::FromStr};

const HAS_MAIL: bool = cfg!(feature = "email");
const HAS_WEBHOOKS: bool = cfg!(feature = "webhook");

/// A kind of channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Mail, by SMTP or Postmark.
    Email,
    /// An incoming webhook of Slack.
    Slack,
    /// A webhook of Discord.
    Discord,
    /// An incoming webhook of Mattermost.
    Mattermost,
    /// A bot of Telegram.
    Telegram,
    /// JSON to a URL, signed.
    Webhook,
    /// Text messages, by a service that speaks as Twilio's `Messages` does.
    Sms,
}

/// One setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its name, as in JSON and forms.
    pub name: &'static str,
    /// Its name for people.
    pub label: &'static str,
    /// What is right, for people.
    pub help: &'static str,
    /// Whether nobody gets to see it again.
    pub secret: bool,
    /// Whether the channel cannot do without.
    pub required: bool,
    /// Whether it has several lines.
    pub long: bool,
}

pub(crate) const fn field(name: &'static str, label: &'static str, help: &'static str) -> Field {
    Field { name, label, help, secret: false, required: false, long: false }
}

pub(crate) const fn required(name: &'static str, label: &'static str, help: &'static str) -> Field {
    Field { required: true, ..field(name, label, help) }
}

pub(crate) const fn secret(field: Field) -> Field {
    Field { secret: true, ..field }
}

const EMAIL: &[Field] = &[
    secret(field("smtp_url", "SMTP server", "smtp://user:password@mail.example.com:587?tls=required, or smtps://…")),
    secret(field("postmark_token", "Postmark token", "the server's API token, in the place of an SMTP server")),
    field("postmark_url", "Postmark address", "https://api.postmarkapp.com unless set"),
    required("from_email", "From", "alerts@example.com, or Name <alerts@example.com>"),
    field("to", "To", "who gets what no rule sends to somebody else; addresses with commas between"),
];
const SLACK: &[Field] = &[
    secret(required("webhook_url", "Webhook", "https://hooks.slack.com/services/…")),
    field("channel", "Channel", "#alerts; the webhook's own unless set"),
];
const DISCORD: &[Field] = &[secret(required("webhook_url", "Webhook", "https://discord.com/api/webhooks/…"))];
const MATTERMOST: &[Field] = &[
    secret(required("webhook_url", "Webhook", "https://chat.example.com/hooks/…")),
    field("channel", "Channel", "alerts; the webhook's own unless set"),
];
const TELEGRAM: &[Field] = &[
    secret(required("bot_token", "Token of the bot", "123456:ABC…")),
    required("chat_id", "Chat", "-1001234567890, or @name"),
    field("api_url", "Address", "https://api.telegram.org unless set"),
];
const WEBHOOK: &[Field] = &[
    required("url", "URL", "https://example.com/hooks/errtrack"),
    secret(field("secret", "Secret", "signs the body: X-Errtrack-Signature")),
    Field {
        long: true,
        ..field(
            "template",
            "Body",
            "JSON with {{ subject }}, {{ url }}, {{ notification.issue.title }}, …; all of it unless set",
        )
    },
];
const SMS: &[Field] = &[
    required("url", "URL", "https://api.twilio.com/2010-04-01/Accounts/AC…/Messages.json"),
    required("from", "From", "+15005550006"),
    required("to", "To", "numbers with commas between"),
    required("user", "User", "the account's SID"),
    secret(required("token", "Token", "the account's token")),
];

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 7] =
        [Self::Email, Self::Slack, Self::Discord, Self::Mattermost, Self::Telegram, Self::Webhook, Self::Sms];

    /// Its name in JSON; also the name of its first channel.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Slack => "slack",
            Self::Discord => "discord",
            Self::Mattermost => "mattermost",
            Self::Telegram => "telegram",
            Self::Webhook => "webhook",
            Self::Sms => "sms",
        }
    }

    /// Its name for people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Email => "E-mail",
            Self::Slack => "Slack",
            Self::Discord => "Discord",
            Self::Mattermost => "Mattermost",
            Self::Telegram => "Telegram",
            Self::Webhook => "Webhook",
            Self::Sms => "SMS",
        }
    }

    /// The settings that it takes.
    #[must_use]
    pub const fn fields(self) -> &'static [Field] {
        match self {
            Self::Email => EMAIL,
            Self::Slack => SLACK,
            Self::Discord => DISCORD,
            Self::Mattermost => MATTERMOST,
            Self::Telegram => TELEGRAM,
            Self::Webhook => WEBHOOK,
            Self::Sms => SMS,
        }
    }

    /// Whether this program can deliver by it.
    #[must_use]
    pub const fn is_built_in(self) -> bool {
        match self {
            Self::Email => HAS_MAIL,
            _ => HAS_WEBHOOKS,
        }
    }

    /// Settings as people may see them: of a secret URL only where it leads, of a password nothing, of a token its end.
    #[must_use]
    pub fn masked(self, settings: &Settings) -> Settings {
        let mut shown = masked_settings(self.fields(), settings);
        if let Some(server) = settings.get("smtp_url").and_then(|url| url.split_once("://")) {
            let host = server.1.rsplit('@').next().unwrap_or_default().split(['/', '?']).next().unwrap_or_default();
            shown.insert("smtp_server".into(), host.into());
        }
        shown
    }

    /// What is set after somebody has set `given`: a secret that is left out, or given as it is shown, stays as it is.
    #[must_use]
    pub fn merged(self, before: Option<&Settings>, given: &Settings) -> Settings {
        merged_settings(self.fields(), before, given)
    }
}

/// Settings as people may see them; what is none of these fields is left out.
pub(crate) fn masked_settings(fields: &[Field], settings: &Settings) -> Settings {
    let mask = |(name, value): (&String, &String)| {
        let field = fields.iter().find(|field| field.name == name)?;
        Some((name.clone(), if field.secret { masked(value) } else { value.clone() }))
    };
    settings.iter().filter_map(mask).collect()
}

/// What is set after somebody has set `given`.
pub(crate) fn merged_settings(fields: &[Field], before: Option<&Settings>, given: &Settings) -> Settings {
    let mut merged = Settings::new();
    for field in fields {
        let given = given.get(field.name).map(|value| value.trim());
        let kept = before.and_then(|before| before.get(field.name)).filter(|_| field.secret);
        let value = match (given, kept) {
            (None, Some(kept)) => kept.clone(),
            (Some(given), Some(kept)) if *given == masked(kept) => kept.clone(),
            (Some(given), _) => given.to_owned(),
            (None, None) => continue,
        };
        if !value.is_empty() {
            merged.insert(field.name.into(), value);
        }
    }
    merged
}

/// A secret as people may see it.
fn masked(value: &str) -> String {
    const STARS: &str = "****";
    if let Some((scheme, rest)) = value.split_once("://") {
        if scheme.starts_with("smtp") {
            return match rest.rsplit_once('@') {
                Some((who, host)) => {
                    let user = who.split(':').next().unwrap_or_default();
                    format!("{scheme}://{user}:{STARS}@{host}")
                }
                None => value.to_owned(),
            };
        }
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        return format!("{scheme}://{host}/{STARS}");
    }
    let length = value.chars().count();
    if length < 16 {
        return STARS.into();
    }
    STARS.to_owned() + &value.chars().skip(length - 4).collect::<String>()
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The error of parsing a [`Kind`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be one of email, slack, discord, mattermost, telegram, webhook, sms")]
pub struct UnknownKind;

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(UnknownKind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn secrets_are_not_shown() {
        let all = settings(&[
            ("smtp_url", "smtp://me:p@ss:w@mail.example.com:587?tls=required"),
            ("postmark_token", "00000000-1111-2222-3333-444444444444"),
            ("from_email", "a@example.com"),
            ("unknown", "x"),
        ]);
        let shown = settings(&[
            ("smtp_url", "smtp://me:****@mail.example.com:587?tls=required"),
            ("postmark_token", "****4444"),
            ("from_email", "a@example.com"),
            ("smtp_server", "mail.example.com:587"),
        ]);
        assert_eq!(Kind::Email.masked(&all), shown);
        let slack = settings(&[("webhook_url", "https://hooks.slack.com/services/T0/B0/secret")]);
        assert_eq!(Kind::Slack.masked(&slack)["webhook_url"], "https://hooks.slack.com/****");
        assert_eq!(Kind::Webhook.masked(&settings(&[("secret", "short")]))["secret"], "****");
    }

    #[test]
    fn a_secret_stays_when_it_is_left_out_or_given_as_it_is_shown() {
        let before = settings(&[("url", "https://a.example/x"), ("secret", "a very long secret text")]);
        let given = settings(&[("url", "https://b.example/"), ("secret", "****text"), ("nonsense", "x")]);
        let after = settings(&[("url", "https://b.example/"), ("secret", "a very long secret text")]);
        assert_eq!(Kind::Webhook.merged(Some(&before), &given), after);
        let without = settings(&[("url", "https://b.example/")]);
        assert_eq!(Kind::Webhook.merged(Some(&before), &without), after);
        let cleared = settings(&[("url", "https://b.example/"), ("secret", " ")]);
        assert_eq!(Kind::Webhook.merged(Some(&before), &cleared), without, "an empty one takes it away");
    }
}
