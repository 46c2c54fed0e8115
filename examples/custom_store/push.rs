//! Browsers that members let be notified.

use crate::store::MemoryStore;
use async_trait::async_trait;
use errtrack_core::{
    MemberStatus, StoreError, Timestamp,
    store::{PushStore, PushSubscription},
};
use uuid::Uuid;

#[async_trait]
impl PushStore for MemoryStore {
    async fn push_key(&self) -> Result<Option<String>, StoreError> {
        Ok(self.lock()?.push_key.clone())
    }

    async fn ensure_push_key(&self, key: &str) -> Result<String, StoreError> {
        Ok(self.lock()?.push_key.get_or_insert_with(|| key.to_owned()).clone())
    }

    async fn push_subscriptions(&self, member: Uuid) -> Result<Vec<PushSubscription>, StoreError> {
        let mut browsers = self.lock()?.browsers.clone();
        browsers.retain(|browser| browser.member == member);
        browsers.sort_by_key(|browser| (browser.created_at, browser.id));
        Ok(browsers)
    }

    async fn push_members(&self) -> Result<Vec<Uuid>, StoreError> {
        let data = self.lock()?;
        let has_one = |id: Uuid| data.browsers.iter().any(|browser| browser.member == id);
        let mut members: Vec<_> = data.members.iter().filter(|member| has_one(member.id)).collect();
        members.sort_by_key(|member| (member.created_at, member.id));
        Ok(members.into_iter().map(|member| member.id).collect())
    }

    async fn put_push_subscription(
        &self,
        new: &PushSubscription,
        most: u32,
    ) -> Result<Option<PushSubscription>, StoreError> {
        let mut data = self.lock()?;
        let is_active = |status| status == MemberStatus::Active;
        let is_there = data.members.iter().any(|member| member.id == new.member && is_active(member.status));
        let is_other = |browser: &&PushSubscription| browser.member == new.member && browser.endpoint != new.endpoint;
        if !is_there || data.browsers.iter().filter(is_other).count() >= most as usize {
            return Ok(None);
        }
        let mut new = new.clone();
        let place = data.browsers.iter().position(|browser| browser.endpoint == new.endpoint);
        let before = place.map(|place| data.browsers.swap_remove(place));
        if let Some(before) = before.filter(|before| before.member == new.member) {
            (new.id, new.created_at, new.delivered_at) = (before.id, before.created_at, before.delivered_at);
        }
        data.browsers.push(new.clone());
        Ok(Some(new))
    }

    async fn remove_push_subscription(&self, member: Uuid, id: Uuid) -> Result<bool, StoreError> {
        let mut data = self.lock()?;
        let before = data.browsers.len();
        data.browsers.retain(|browser| (browser.member, browser.id) != (member, id));
        Ok(data.browsers.len() < before)
    }

    async fn note_pushes(&self, tries: &[(Uuid, Timestamp, Option<String>)]) -> Result<(), StoreError> {
        let mut data = self.lock()?;
        for (id, at, error) in tries {
            let Some(browser) = data.browsers.iter_mut().find(|browser| browser.id == *id) else { continue };
            if error.is_none() {
                browser.delivered_at = browser.delivered_at.max(Some(*at));
            }
            browser.failed_at = error.as_ref().map(|_| *at);
            browser.error.clone_from(error);
        }
        Ok(())
    }
}
