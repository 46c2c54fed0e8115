//! Mail through Postmark.

use crate::{html, http::ask, words::Words};
use async_trait::async_trait;
use errtrack_core::notify::{Delivery, Notifier, NotifyError};
use errtrack_outgoing::{Outgoing, Question};
use serde_json::json;

/// Where Postmark is.
pub(crate) const POSTMARK: &str = "https://api.postmarkapp.com";

/// A channel that gives mails to Postmark.
#[derive(Debug)]
pub(crate) struct PostmarkChannel {
    pub(crate) name: String,
    /// The address of its API, without `/email`.
    pub(crate) url: String,
    pub(crate) token: String,
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    pub(crate) dashboard: Option<String>,
    pub(crate) outgoing: Outgoing,
}

#[async_trait]
impl Notifier for PostmarkChannel {
    fn name(&self) -> &str {
        &self.name
    }

    async fn notify(&self, delivery: &Delivery<'_>) -> Result<(), NotifyError> {
        let entry = delivery.entry;
        let to = if entry.recipients.is_empty() { &self.to } else { &entry.recipients };
        if to.is_empty() {
            return Err(NotifyError::permanent("nobody to send it to"));
        }
        let words = Words::of(&entry.notification, self.dashboard.as_deref());
        let body = json!({
            "From": self.from,
            "To": to.join(","),
            "Subject": words.subject,
            "HtmlBody": html::mail(&words),
            "TextBody": words.plain(),
            "MessageStream": "outbound",
            "Tag": entry.notification.trigger.as_str(),
            "Headers": [
                {"Name": "X-Errtrack-Delivery", "Value": entry.key.to_string()},
                {"Name": "Auto-Submitted", "Value": "auto-generated"},
            ],
        });
        let url = format!("{}/email", self.url.trim_end_matches('/'));
        let question = Question::post(&url, body.to_string().into()).json();
        let question = question.header(crate::POSTMARK_TOKEN, &self.token).header(crate::ACCEPT, "application/json");
        ask(&self.outgoing, question).await.map(drop)
    }
}
