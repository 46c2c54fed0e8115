//! A channel from its settings.

use crate::{Field, Kind};
use errtrack_core::{AllowedTargets, notify::Notifier};
use std::{collections::BTreeMap, fmt, sync::Arc};

/// Settings of a channel, by the names of its [fields](Kind::fields).
pub type Settings = BTreeMap<String, String>;

/// What channels need to know of the program.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// The address of the dashboard, which links begin with: `https://errors.example.com`. No links without one.
    pub dashboard: Option<String>,
    /// What may be reached although it is private.
    pub allowed: AllowedTargets,
    /// Whether the server of mails was named by whoever started the program, and so may be anywhere.
    pub trusted_mail: bool,
}

/// A channel as it is set up: its name, its kind and its settings.
///
/// # Example
/// ```
/// use errtrack_notify::{Channel, Kind, Surroundings};
///
/// let slack = Channel::new("slack", Kind::Slack).set("webhook_url", "https://hooks.slack.com/services/T0/B0/x");
/// let surroundings = Surroundings { dashboard: Some("https://errors.example.com".into()), ..Surroundings::default() };
/// let notifier = slack.build(&surroundings)?;
/// assert_eq!(notifier.name(), "slack");
/// // Tracker::builder() … tracker.set_notifier(notifier);
/// # Ok::<(), errtrack_notify::InvalidChannel>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Channel {
    /// The name by which rules call it.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// How it is set.
    pub settings: Settings,
}

/// Why a channel cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {why}")]
pub struct InvalidChannel {
    /// Which setting is wrong; `type` if there can be none of the kind.
    pub field: &'static str,
    /// What would be right.
    pub why: String,
}

impl InvalidChannel {
    pub(crate) fn new(field: &'static str, why: impl Into<String>) -> Self {
        Self { field, why: why.into() }
    }
}

impl Channel {
    /// A channel without settings.
    #[must_use]
    pub fn new(name: impl Into<String>, kind: Kind) -> Self {
        Self { name: name.into(), kind, settings: Settings::new() }
    }

    /// The same with one more setting.
    #[must_use]
    pub fn set(mut self, field: &str, value: impl Into<String>) -> Self {
        self.settings.insert(field.into(), value.into());
        self
    }

    /// Makes it.
    ///
    /// # Errors
    /// A setting is missing or wrong, or this program was built without the feature that it takes.
    pub fn build(&self, surroundings: &Surroundings) -> Result<Arc<dyn Notifier>, InvalidChannel> {
        let is_missing = |field: &&Field| field.required && self.get(field.name).is_none();
        if let Some(field) = self.kind.fields().iter().find(is_missing) {
            return Err(InvalidChannel::new(field.name, format!("is needed: {}", field.help)));
        }
        match self.kind {
            Kind::Email => self.mail(surroundings),
            _ => self.posted(surroundings),
        }
    }

    /// A setting that has a value.
    fn get(&self, field: &str) -> Option<&str> {
        self.settings.get(field).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// A list with commas between.
    #[cfg(any(feature = "email", feature = "webhook"))]
    fn list(&self, field: &str) -> Vec<String> {
        let parts = self.get(field).unwrap_or_default().split(',').map(str::trim);
        parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
    }

    /// A setting that is a URL.
    #[cfg(any(feature = "email", feature = "webhook"))]
    fn url(&self, field: &'static str, default: &str) -> Result<String, InvalidChannel> {
        checked_url(field, self.get(field).unwrap_or(default))
    }
}

/// A text that is to be the URL of a service.
#[cfg(any(feature = "email", feature = "webhook"))]
pub(crate) fn checked_url(field: &'static str, text: &str) -> Result<String, InvalidChannel> {
    let is_url = url::Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none()
    });
    if !is_url {
        return Err(InvalidChannel::new(field, "must be a URL like https://host/path, without a password"));
    }
    if text.starts_with("https") && !errtrack_outgoing::Outgoing::speaks_https() {
        return Err(InvalidChannel::new(field, "https is not built into this program"));
    }
    Ok(text.to_owned())
}

#[cfg(feature = "email")]
impl Channel {
    fn mail(&self, surroundings: &Surroundings) -> Result<Arc<dyn Notifier>, InvalidChannel> {
        use crate::{postmark, smtp};
        let from = self.get("from_email").unwrap_or_default();
        let mailbox: lettre::message::Mailbox = from
            .parse()
            .map_err(|_| InvalidChannel::new("from_email", "must be an address like alerts@example.com"))?;
        let to = self.list("to");
        if let Some(wrong) = to.iter().find(|to| to.parse::<lettre::message::Mailbox>().is_err()) {
            return Err(InvalidChannel::new("to", format!("`{wrong}` is no address")));
        }
        let (name, dashboard) = (self.name.clone(), surroundings.dashboard.clone());
        match (self.get("smtp_url"), self.get("postmark_token")) {
            (Some(_), Some(_)) => Err(InvalidChannel::new("postmark_token", "there is an SMTP server already")),
            (None, None) => Err(InvalidChannel::new("smtp_url", "is needed, or a Postmark token")),
            (Some(url), None) => {
                let server = smtp::Server::read(url).map_err(|why| InvalidChannel::new("smtp_url", why))?;
                Ok(Arc::new(smtp::SmtpChannel {
                    name,
                    server,
                    from: mailbox,
                    to,
                    dashboard,
                    allowed: (!surroundings.trusted_mail).then(|| surroundings.allowed.clone()),
                    #[cfg(any(feature = "tls-ring", feature = "tls-aws-lc-rs"))]
                    roots: Vec::new(),
                }))
            }
            (None, Some(token)) => Ok(Arc::new(postmark::PostmarkChannel {
                name,
                url: self.url("postmark_url", postmark::POSTMARK)?,
                token: header_value("postmark_token", token)?,
                from: from.to_owned(),
                to,
                dashboard,
                outgoing: errtrack_outgoing::Outgoing::new(surroundings.allowed.clone()),
            })),
        }
    }
}

#[cfg(not(feature = "email"))]
impl Channel {
    fn mail(&self, _: &Surroundings) -> Result<Arc<dyn Notifier>, InvalidChannel> {
        Err(InvalidChannel::new("type", "this program was built without mail (feature `email`)"))
    }
}

#[cfg(feature = "webhook")]
impl Channel {
    fn posted(&self, surroundings: &Surroundings) -> Result<Arc<dyn Notifier>, InvalidChannel> {
        use crate::{chat, sms, template::Template, webhook};
        let (name, dashboard) = (self.name.clone(), surroundings.dashboard.clone());
        let outgoing = errtrack_outgoing::Outgoing::new(surroundings.allowed.clone());
        let text = |field: &str| self.get(field).map(str::to_owned);
        let (chat, url, room) = match self.kind {
            Kind::Slack => (chat::Chat::Slack, self.url("webhook_url", "")?, text("channel")),
            Kind::Discord => (chat::Chat::Discord, self.url("webhook_url", "")?, None),
            Kind::Mattermost => (chat::Chat::Mattermost, self.url("webhook_url", "")?, text("channel")),
            Kind::Telegram => {
                let api = self.url("api_url", "https://api.telegram.org")?;
                let token = text("bot_token").unwrap_or_default();
                let is_token = token.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ':' | '-' | '_'));
                if !is_token {
                    return Err(InvalidChannel::new("bot_token", "must be like 123456:ABC…"));
                }
                (chat::Chat::Telegram, format!("{}/bot{token}/sendMessage", api.trim_end_matches('/')), text("chat_id"))
            }
            Kind::Webhook | Kind::Email => {
                let template = self.get("template").map(Template::read).transpose();
                let template = template.map_err(|why| InvalidChannel::new("template", why))?;
                let (url, secret) = (self.url("url", "")?, text("secret"));
                return Ok(Arc::new(webhook::WebhookChannel { name, url, secret, template, dashboard, outgoing }));
            }
            Kind::Sms => {
                return Ok(Arc::new(sms::SmsChannel {
                    name,
                    url: self.url("url", "")?,
                    from: text("from").unwrap_or_default(),
                    to: self.list("to"),
                    user: text("user").unwrap_or_default(),
                    token: text("token").unwrap_or_default(),
                    dashboard,
                    outgoing,
                    sent: std::sync::Mutex::default(),
                }));
            }
        };
        Ok(Arc::new(chat::ChatChannel { name, chat, url, room, dashboard, outgoing }))
    }
}

#[cfg(not(feature = "webhook"))]
impl Channel {
    fn posted(&self, _: &Surroundings) -> Result<Arc<dyn Notifier>, InvalidChannel> {
        Err(InvalidChannel::new("type", "this program was built without webhooks (feature `webhook`)"))
    }
}

/// A secret that is sent as a header.
#[cfg(any(feature = "email", feature = "webhook"))]
pub(crate) fn header_value(field: &'static str, text: &str) -> Result<String, InvalidChannel> {
    if text.bytes().all(|b| b.is_ascii_graphic()) {
        Ok(text.to_owned())
    } else {
        Err(InvalidChannel::new(field, "must be letters, digits and signs alone"))
    }
}

impl fmt::Debug for Channel {
    /// Without secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.kind.masked(&self.settings);
        f.debug_struct("Channel").field("name", &self.name).field("kind", &self.kind).field("settings", &shown).finish()
    }
}
