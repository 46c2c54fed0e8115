//! One message for one browser, to the service that keeps it until the browser comes.

use super::{
    message::{lives, topic, urgency},
    primitives::Refused,
    seal::seal,
    vapid::PushKey,
};
use crate::{AUTHORIZATION, http::unsent};
use errtrack_core::{
    Timestamp,
    notify::{Notification, NotifyError},
    store::PushSubscription,
};
use errtrack_outgoing::{Outgoing, Question};
use http::{
    HeaderName,
    header::{CONTENT_ENCODING, CONTENT_TYPE},
};

const TTL: HeaderName = HeaderName::from_static("ttl");
const URGENCY: HeaderName = HeaderName::from_static("urgency");
const TOPIC: HeaderName = HeaderName::from_static("topic");

/// What came of a message.
#[derive(Debug)]
pub(super) enum Came {
    /// The service has it.
    Taken,
    /// The browser is not there any more.
    Gone,
    /// It does not have it.
    Failed(NotifyError),
}

/// A message that is ready.
#[derive(Debug)]
pub(super) struct Sending {
    endpoint: String,
    body: Vec<u8>,
    authorization: String,
    topic: Option<String>,
    urgency: &'static str,
    lives: u32,
}

impl Sending {
    pub(super) fn new(
        key: &PushKey,
        contact: Option<&str>,
        told: &Notification,
        text: &[u8],
        browser: &PushSubscription,
    ) -> Result<Self, NotifyError> {
        let refused = |Refused| NotifyError::permanent("the keys of this browser are none");
        Ok(Self {
            endpoint: browser.endpoint.clone(),
            body: seal(text, &browser.key, &browser.secret).map_err(refused)?,
            authorization: key.authorization(&browser.endpoint, contact, Timestamp::now()).map_err(refused)?,
            topic: topic(told),
            urgency: urgency(told),
            lives: lives(told),
        })
    }

    pub(super) async fn send(self, outgoing: &Outgoing) -> Came {
        let mut question = Question::post(&self.endpoint, self.body.into())
            .header(CONTENT_TYPE, "application/octet-stream")
            .header(CONTENT_ENCODING, "aes128gcm")
            .header(AUTHORIZATION, &self.authorization)
            .header(TTL, &self.lives.to_string())
            .header(URGENCY, self.urgency);
        if let Some(topic) = &self.topic {
            question = question.header(TOPIC, topic);
        }
        match outgoing.send(question).await {
            Ok(answer) => came(answer.status, answer.retry_after()),
            Err(error) => Came::Failed(unsent(&error)),
        }
    }
}

/// What a service means. Its words are left out: whoever names an endpoint must not read what a foreign server says.
fn came(status: u16, retry_after: Option<std::time::Duration>) -> Came {
    let answered = |why: &str| format!("the push service answered {status}{why}");
    Came::Failed(match status {
        200..300 => return Came::Taken,
        404 | 410 => return Came::Gone,
        408 | 425 | 429 | 500.. => NotifyError::new(answered("")).retry_after(retry_after),
        401 | 403 => {
            NotifyError::permanent(answered(": it takes messages of another server; notify this browser anew"))
        }
        300..=399 => NotifyError::permanent(answered(": redirects are not followed")),
        _ => NotifyError::permanent(answered("")),
    })
}
