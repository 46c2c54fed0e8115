//! Text messages, by a service that speaks as Twilio's `Messages` does: a form with `To`, `From` and `Body`, basic
//! authentication by the account's SID and its token.

use crate::{http::ask, keyed, words::Words};
use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD};
use errtrack_core::notify::{Delivery, Notifier, NotifyError};
use errtrack_outgoing::{Outgoing, Question};
use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};
use url::form_urlencoded;
use uuid::Uuid;

/// Characters of a message: two of the parts that are paid for.
const LENGTH: usize = 300;
/// How many that were sent are remembered.
const SENT: usize = 1_000;

/// A channel that sends text messages.
#[derive(Debug)]
pub(crate) struct SmsChannel {
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    pub(crate) user: String,
    pub(crate) token: String,
    pub(crate) dashboard: Option<String>,
    pub(crate) outgoing: Outgoing,
    /// Who has had which: when one of several numbers fails, the others do not get it again.
    pub(crate) sent: Mutex<VecDeque<(Uuid, String)>>,
}

#[async_trait]
impl Notifier for SmsChannel {
    fn name(&self) -> &str {
        &self.name
    }

    async fn notify(&self, delivery: &Delivery<'_>) -> Result<(), NotifyError> {
        let text = Words::of(&delivery.entry.notification, self.dashboard.as_deref()).short(LENGTH);
        let to = if delivery.entry.recipients.is_empty() { &self.to } else { &delivery.entry.recipients };
        let mut failed: Option<NotifyError> = None;
        for to in to {
            let one = (delivery.entry.key, to.clone());
            if self.sent.lock().unwrap_or_else(PoisonError::into_inner).contains(&one) {
                continue;
            }
            match self.send(delivery, to, &text).await {
                Ok(()) => {
                    let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
                    sent.push_back(one);
                    if sent.len() > SENT {
                        sent.pop_front();
                    }
                }
                // One that may work another time goes before one that never will.
                Err(error) if failed.as_ref().is_none_or(|failed| failed.permanent) => failed = Some(error),
                Err(_) => {}
            }
        }
        failed.map_or(Ok(()), Err)
    }
}

impl SmsChannel {
    async fn send(&self, delivery: &Delivery<'_>, to: &str, text: &str) -> Result<(), NotifyError> {
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("To", to)
            .append_pair("From", &self.from)
            .append_pair("Body", text)
            .finish();
        let basic = format!("Basic {}", STANDARD.encode(format!("{}:{}", self.user, self.token)));
        let question = Question::post(&self.url, form.into()).form().header(crate::AUTHORIZATION, &basic);
        ask(&self.outgoing, keyed(question, delivery)).await.map(drop)
    }
}
