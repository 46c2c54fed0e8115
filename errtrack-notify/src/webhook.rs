//! The generic webhook: JSON, signed.
//!
//! Its body is [`Body`], or what the user's template makes of it. The header `X-Errtrack-Signature` is `sha256=` and the
//! HMAC-SHA256 of the body's bytes under the secret, in hexadecimal; `X-Errtrack-Event` is the trigger; `Idempotency-Key` and
//! `X-Errtrack-Delivery` are the same at each try of one notification.

use crate::{http::ask, keyed, template::Template, words::Words};
use async_trait::async_trait;
use errtrack_core::notify::{Delivery, Notification, Notifier, NotifyError};
use errtrack_outgoing::{Outgoing, Question};
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use sha2_of_hmac::Sha256;

/// The body of a webhook without a template.
#[derive(Debug, Serialize)]
pub struct Body<'a> {
    /// The version of this document: 1.
    pub version: u32,
    /// The same at each try of one notification.
    pub key: String,
    /// In one line, what happened and to what.
    pub subject: &'a str,
    /// All of it as plain text.
    pub text: &'a str,
    /// Where to look.
    pub url: Option<&'a str>,
    /// All of it as facts.
    pub notification: &'a Notification,
}

/// A channel that posts to a URL.
#[derive(Debug)]
pub(crate) struct WebhookChannel {
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) secret: Option<String>,
    pub(crate) template: Option<Template>,
    pub(crate) dashboard: Option<String>,
    pub(crate) outgoing: Outgoing,
}

#[async_trait]
impl Notifier for WebhookChannel {
    fn name(&self) -> &str {
        &self.name
    }

    async fn notify(&self, delivery: &Delivery<'_>) -> Result<(), NotifyError> {
        let entry = delivery.entry;
        let words = Words::of(&entry.notification, self.dashboard.as_deref());
        let text = words.plain();
        let body = Body {
            version: 1,
            key: entry.key.to_string(),
            subject: &words.subject,
            text: &text,
            url: words.link.as_ref().map(|link| link.url.as_str()),
            notification: &entry.notification,
        };
        let body = serde_json::to_value(&body).map_err(|error| NotifyError::permanent(error.to_string()))?;
        let body = self.template.as_ref().map_or_else(|| body.to_string(), |template| template.fill(&body));
        let mut question = Question::post(&self.url, body.clone().into()).json();
        if let Some(secret) = &self.secret {
            let signature = sign(secret, body.as_bytes());
            question = question.header(crate::SIGNATURE, &signature);
        }
        let question = question.header(crate::EVENT, entry.notification.trigger.as_str());
        ask(&self.outgoing, keyed(question, delivery)).await.map(drop)
    }
}

/// The signature of a body, as it stands in the header `X-Errtrack-Signature`.
///
/// # Example
/// ```
/// let signature = errtrack_notify::sign("secret", b"{}");
/// assert_eq!(signature, "sha256=77325902caca812dc259733aacd046b73817372c777b8d95b402647474516e13");
/// ```
#[must_use]
pub fn sign(secret: &str, body: &[u8]) -> String {
    // A key of HMAC may have any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(body);
    let digits = mac.finalize().into_bytes().iter().fold(String::with_capacity(64), |mut digits, byte| {
        let _ = std::fmt::Write::write_fmt(&mut digits, format_args!("{byte:02x}"));
        digits
    });
    format!("sha256={digits}")
}
