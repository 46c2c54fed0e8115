//! Web push: notifications in members' browsers (RFC 8030, 8291, 8292).
//!
//! ```text
//! entry for everybody ─▶ an entry a member ─▶ every browser of that member
//!                                                  ╰─ one that failed gets an entry of its own
//! ```
//!
//! Who may see what is asked at each step, as members come, go and are limited meanwhile. A browser that is gone (404, 410) is
//! forgotten.

mod audience;
mod message;
mod primitives;
mod seal;
mod send;
mod subscription;
#[cfg(test)]
mod tests;
mod vapid;

pub use subscription::{InvalidBrowser, label, new as new_subscription};
pub use vapid::PushKey;

use crate::Surroundings;
use async_trait::async_trait;
use audience::Audience;
use errtrack_core::{
    Store, StoreError, Timestamp,
    notify::{Delivery, Notification, Notifier, NotifyError, OutboxEntry, Trigger},
    store::PushSubscription,
};
use errtrack_outgoing::Outgoing;
use message::Message;
use send::{Came, Sending};
use std::{fmt, sync::Arc, time::Duration};
use tokio::{sync::OnceCell, task::JoinSet};
use uuid::Uuid;

/// The name of the channel.
const NAME: &str = "push";
/// What stands before the id of a browser, where a recipient is one browser of a member.
const BROWSER: &str = "browser:";
/// How long a browser that failed is left alone, unless its service says for how long.
const PAUSE: Duration = Duration::from_secs(10);

/// The channel `push`: tells members by their browsers.
///
/// An entry without recipients is for every member who has a browser and may see what it is about; with an address, for that
/// member; with an address and `browser:ID`, for one browser of that member.
pub struct PushChannel {
    store: Arc<dyn Store>,
    key: OnceCell<PushKey>,
    dashboard: Option<String>,
    outgoing: Outgoing,
}

impl PushChannel {
    /// Whether this program can encrypt and sign, which takes a feature `tls-…`.
    pub const BUILT_IN: bool = primitives::BUILT_IN;

    /// Tells the members of that store. The key is made when it is first needed.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, surroundings: &Surroundings) -> Self {
        let outgoing = Outgoing::new(surroundings.allowed.clone());
        Self { store, key: OnceCell::new(), dashboard: surroundings.dashboard.clone(), outgoing }
    }

    /// The same, but with these certificates (DER) alone trusted to vouch for push services.
    #[must_use]
    pub fn trusting(self, certificates: impl IntoIterator<Item = Vec<u8>>) -> Self {
        Self { outgoing: self.outgoing.trusting(certificates), ..self }
    }

    /// The recipients of an entry that is for one browser.
    #[must_use]
    pub fn to_browser(member: &str, browser: Uuid) -> Vec<String> {
        vec![member.to_owned(), format!("{BROWSER}{browser}")]
    }

    /// Makes an entry for each of the members of whom `is_meant` says so.
    async fn spread(&self, entry: &OutboxEntry, is_meant: impl Fn(&str) -> bool) -> Result<(), NotifyError> {
        let with_browsers = self.store.push_members().await.map_err(away)?;
        let members = self.store.members().await.map_err(away)?;
        let audience = Audience::read(&*self.store).await.map_err(away)?;
        let meant = members.iter().filter(|member| with_browsers.contains(&member.id) && is_meant(&member.email));
        let entries: Vec<OutboxEntry> = meant
            .filter_map(|member| Some((member, audience.part(member, &entry.notification)?)))
            .map(|(member, notification)| OutboxEntry {
                notification,
                ..derived(entry, &member.email, vec![member.email.clone()])
            })
            .collect();
        if entries.is_empty() {
            return Err(NotifyError::permanent("nobody who may see it has a browser that is notified"));
        }
        self.store.put_outbox(&entries).await.map_err(away).map(drop)
    }

    /// Tells a member, by every browser or by one.
    async fn tell(&self, entry: &OutboxEntry, email: &str, only: Option<&str>) -> Result<(), NotifyError> {
        let member = self.store.member_by_email(&email.to_lowercase()).await.map_err(away)?;
        let audience = Audience::read(&*self.store).await.map_err(away)?;
        let told = member.and_then(|member| Some((audience.part(&member, &entry.notification)?, member)));
        let Some((told, member)) = told else {
            return Err(NotifyError::permanent(format!("{email} is no member who may see it")));
        };
        let mut browsers = self.store.push_subscriptions(member.id).await.map_err(away)?;
        browsers.retain(|browser| only.is_none_or(|id| browser.id.to_string() == id));
        if browsers.is_empty() {
            return match only {
                // Whoever took it away wants to hear nothing there.
                Some(_) if told.trigger != Trigger::Test => Ok(()),
                _ => Err(NotifyError::permanent(format!("{email} has no browser that is notified"))),
            };
        }
        let came = self.send(&told, &browsers).await.map_err(away)?;
        self.note(&browsers, &came).await;
        self.settle(entry, email, &browsers, came).await
    }

    /// Sends to all of them at the same time; answers what came of each, in their order.
    async fn send(&self, told: &Notification, browsers: &[PushSubscription]) -> Result<Vec<Came>, StoreError> {
        let key = self.key.get_or_try_init(|| PushKey::of(&*self.store)).await?;
        let message = Message::of(told, self.dashboard.as_deref());
        let text = serde_json::to_vec(&message).map_err(StoreError::other)?;
        let contact = self.dashboard.as_deref().filter(|dashboard| dashboard.starts_with("https://"));
        let mut under_way = JoinSet::new();
        for (place, browser) in browsers.iter().enumerate() {
            let (sending, outgoing) = (Sending::new(key, contact, told, &text, browser), self.outgoing.clone());
            under_way.spawn(async move {
                let came = match sending {
                    Ok(sending) => sending.send(&outgoing).await,
                    Err(error) => Came::Failed(error),
                };
                (place, came)
            });
        }
        let cut_short = |_: &PushSubscription| Came::Failed(NotifyError::new("it was cut short"));
        let mut all: Vec<Came> = browsers.iter().map(cut_short).collect();
        while let Some(done) = under_way.join_next().await {
            if let Ok((place, came)) = done
                && let Some(of_browser) = all.get_mut(place)
            {
                *of_browser = came;
            }
        }
        Ok(all)
    }

    /// Notes what came of it, for the member to see. It may fail: the notification has arrived all the same.
    async fn note(&self, browsers: &[PushSubscription], came: &[Came]) {
        let now = Timestamp::now();
        let mut tries = Vec::with_capacity(came.len());
        for (browser, came) in browsers.iter().zip(came) {
            match came {
                Came::Taken => tries.push((browser.id, now, None)),
                Came::Failed(error) => tries.push((browser.id, now, Some(error.message.clone()))),
                Came::Gone => drop(self.store.remove_push_subscription(browser.member, browser.id).await),
            }
        }
        if !tries.is_empty() {
            let _ = self.store.note_pushes(&tries).await;
        }
    }

    /// What the entry came to. Where there are several browsers, each that may work another time gets an entry of its own, so
    /// that the others do not hear the same twice.
    async fn settle(
        &self,
        entry: &OutboxEntry,
        email: &str,
        browsers: &[PushSubscription],
        came: Vec<Came>,
    ) -> Result<(), NotifyError> {
        let now = Timestamp::now();
        let (mut again, mut taken, mut failed) = (Vec::new(), 0_usize, None);
        for (browser, came) in browsers.iter().zip(came) {
            match came {
                Came::Taken => taken += 1,
                Came::Gone => {}
                // Of a test, who makes it wants to know.
                Came::Failed(error) if browsers.len() == 1 || entry.notification.trigger == Trigger::Test => {
                    return Err(error);
                }
                Came::Failed(error) if error.permanent => failed = Some(error),
                Came::Failed(error) => again.push(OutboxEntry {
                    due_at: now.plus(error.retry_after.unwrap_or_default().max(PAUSE)),
                    ..derived(entry, &browser.id.to_string(), Self::to_browser(email, browser.id))
                }),
            }
        }
        if !again.is_empty() {
            return self.store.put_outbox(&again).await.map_err(away).map(drop);
        }
        match (taken, failed) {
            (1.., _) => Ok(()),
            (0, Some(error)) => Err(error),
            (0, None) => Err(NotifyError::permanent(format!("every browser of {email} that was notified is gone"))),
        }
    }
}

#[async_trait]
impl Notifier for PushChannel {
    fn name(&self) -> &str {
        NAME
    }

    async fn notify(&self, delivery: &Delivery<'_>) -> Result<(), NotifyError> {
        let entry = delivery.entry;
        match entry.recipients.as_slice() {
            [] => self.spread(entry, |_| true).await,
            [email] => self.tell(entry, email, None).await,
            [email, second] if second.starts_with(BROWSER) => {
                self.tell(entry, email, second.strip_prefix(BROWSER)).await
            }
            several => self.spread(entry, |email| several.iter().any(|to| to.eq_ignore_ascii_case(email))).await,
        }
    }
}

/// An entry that an entry comes to, the same whenever it is made. Who cannot be reached holds up nobody else.
fn derived(entry: &OutboxEntry, part: &str, recipients: Vec<String>) -> OutboxEntry {
    let digest = primitives::sha256(&[entry.key.as_bytes(), part.as_bytes()]);
    let mut key = [0; 16];
    key.iter_mut().zip(digest).for_each(|(byte, of)| *byte = of);
    OutboxEntry {
        key: Uuid::from_bytes(key),
        recipients,
        ordering: if entry.ordering.is_empty() { String::new() } else { format!("{}:{part}", entry.ordering) },
        ..entry.clone()
    }
}

/// The store did not do it, which may be another time.
fn away(error: StoreError) -> NotifyError {
    let error = error.context("telling members' browsers");
    NotifyError { permanent: !error.is_unavailable(), ..NotifyError::new(error.to_string()) }
}

impl fmt::Debug for PushChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PushChannel").field("dashboard", &self.dashboard).finish_non_exhaustive()
    }
}
