//! Members, tokens, keys, and the audit log.

use crate::store::MemoryStore;
use async_trait::async_trait;
use errtrack_core::{
    ApiKey, AuditEntry, Member, MemberChange, MemberChanged, MemberStatus, StoreError, Timestamp, Token, TokenHash,
    TokenKind,
    store::{AccountStore, AuditStore, Change, KeyStore, MAX_AUDIT_ENTRIES},
};
use uuid::Uuid;

#[async_trait]
impl AccountStore for MemoryStore {
    async fn member_by_email(&self, email: &str) -> Result<Option<Member>, StoreError> {
        Ok(self.lock()?.members.iter().find(|member| member.email == email).cloned())
    }

    async fn member(&self, id: Uuid) -> Result<Option<Member>, StoreError> {
        Ok(self.lock()?.members.iter().find(|member| member.id == id).cloned())
    }

    async fn members(&self) -> Result<Vec<Member>, StoreError> {
        let mut members = self.lock()?.members.clone();
        members.sort_by_key(|member| (member.created_at, member.id));
        Ok(members)
    }

    async fn member_count(&self) -> Result<i64, StoreError> {
        Ok(i64::try_from(self.lock()?.members.len()).unwrap_or(i64::MAX))
    }

    async fn put_member(&self, member: &Member) -> Result<Member, StoreError> {
        let mut data = self.lock()?;
        let mut member = member.clone();
        match data.members.iter_mut().find(|known| known.email == member.email) {
            Some(known) => {
                (member.id, member.created_at, member.last_active) = (known.id, known.created_at, known.last_active);
                member.has_second_factor = known.has_second_factor;
                known.clone_from(&member);
            }
            None => data.members.push(member.clone()),
        }
        drop(data);
        self.feed.tell(Change::Accounts);
        Ok(member)
    }

    async fn add_member(&self, member: &Member) -> Result<bool, StoreError> {
        let mut data = self.lock()?;
        if data.members.iter().any(|known| known.email == member.email) {
            return Ok(false);
        }
        data.members.push(member.clone());
        drop(data);
        self.feed.tell(Change::Accounts);
        Ok(true)
    }

    async fn change_member(&self, id: Uuid, change: &MemberChange) -> Result<MemberChanged, StoreError> {
        self.alter(id, Some(change))
    }

    async fn delete_member(&self, id: Uuid) -> Result<MemberChanged, StoreError> {
        self.alter(id, None)
    }

    async fn note_activity(&self, members: &[(Uuid, Timestamp)]) -> Result<(), StoreError> {
        let mut data = self.lock()?;
        for (id, at) in members {
            if let Some(member) = data.members.iter_mut().find(|member| member.id == *id) {
                member.last_active = member.last_active.max(Some(*at));
            }
        }
        Ok(())
    }

    async fn put_token(&self, token: &Token) -> Result<(), StoreError> {
        let mut data = self.lock()?;
        data.tokens.retain(|other| !is(other, token.kind, token.hash));
        data.tokens.push(token.clone());
        drop(data);
        self.feed.tell(Change::Accounts);
        Ok(())
    }

    async fn token_member(&self, kind: TokenKind, hash: TokenHash) -> Result<Option<Member>, StoreError> {
        let data = self.lock()?;
        let token = data.tokens.iter().find(|token| is(token, kind, hash) && token.expires_at > Timestamp::now());
        let member = token.and_then(|token| data.members.iter().find(|member| member.id == token.member));
        Ok(member.filter(|member| member.status != MemberStatus::Disabled).cloned())
    }

    async fn take_token(&self, kind: TokenKind, hash: TokenHash) -> Result<bool, StoreError> {
        let mut data = self.lock()?;
        let place = data.tokens.iter().position(|token| is(token, kind, hash));
        let token = place.map(|place| data.tokens.swap_remove(place));
        drop(data);
        if token.is_some() {
            self.feed.tell(Change::Accounts);
        }
        Ok(token.is_some_and(|token| token.expires_at > Timestamp::now()))
    }

    async fn tokens(&self, kind: TokenKind, member: Uuid) -> Result<Vec<Token>, StoreError> {
        let mut tokens = self.lock()?.tokens.clone();
        let now = Timestamp::now();
        tokens.retain(|token| token.kind == kind && token.member == member && token.expires_at > now);
        tokens.sort_by_key(|token| std::cmp::Reverse(token.created_at));
        Ok(tokens)
    }

    async fn end_tokens(&self, kind: TokenKind, member: Uuid, except: Option<TokenHash>) -> Result<u64, StoreError> {
        let mut data = self.lock()?;
        let before = data.tokens.len();
        data.tokens.retain(|token| token.kind != kind || token.member != member || Some(token.hash) == except);
        let ended = before - data.tokens.len();
        drop(data);
        self.feed.tell(Change::Accounts);
        Ok(ended as u64)
    }

    async fn second_factor(&self, member: Uuid) -> Result<Option<String>, StoreError> {
        Ok(self.lock()?.second_factors.get(&member).cloned())
    }

    async fn swap_second_factor(
        &self,
        member: Uuid,
        before: Option<&str>,
        after: Option<&str>,
    ) -> Result<bool, StoreError> {
        let mut data = self.lock()?;
        let is_there = data.members.iter().any(|known| known.id == member);
        if !is_there || data.second_factors.get(&member).map(String::as_str) != before {
            return Ok(false);
        }
        match after {
            Some(after) => data.second_factors.insert(member, after.to_owned()),
            None => data.second_factors.remove(&member),
        };
        if let Some(known) = data.members.iter_mut().find(|known| known.id == member) {
            known.has_second_factor = after.is_some();
        }
        drop(data);
        self.feed.tell(Change::Accounts);
        Ok(true)
    }
}

impl MemoryStore {
    fn alter(&self, id: Uuid, change: Option<&MemberChange>) -> Result<MemberChanged, StoreError> {
        let mut data = self.lock()?;
        let owners = data.members.iter().filter(|member| member.is_active_owner()).count();
        let Some(place) = data.members.iter().position(|member| member.id == id) else {
            return Ok(MemberChanged::Gone);
        };
        let Some(before) = data.members.get(place).cloned() else { return Ok(MemberChanged::Gone) };
        let after = change.map(|change| change.of(&before));
        if before.is_active_owner() && owners <= 1 && !after.as_ref().is_some_and(Member::is_active_owner) {
            return Ok(MemberChanged::LastOwner);
        }
        let spared = match after.as_ref().map(|after| after.status) {
            Some(MemberStatus::Active) => None,
            Some(MemberStatus::Invited) => Some(Some(TokenKind::Invitation)),
            Some(MemberStatus::Disabled) | None => Some(None),
        };
        if let Some(spared) = spared {
            data.tokens.retain(|token| token.member != id || Some(token.kind) == spared);
            data.browsers.retain(|browser| browser.member != id);
        }
        match (&after, data.members.get_mut(place)) {
            (Some(after), Some(member)) => member.clone_from(after),
            _ => {
                data.members.remove(place);
                data.second_factors.remove(&id);
            }
        }
        drop(data);
        self.feed.tell(Change::Accounts);
        Ok(MemberChanged::Done(after.unwrap_or(before)))
    }
}

fn is(token: &Token, kind: TokenKind, hash: TokenHash) -> bool {
    token.kind == kind && token.hash == hash
}

#[async_trait]
impl KeyStore for MemoryStore {
    async fn api_keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        Ok(self.lock()?.keys.clone())
    }

    async fn add_api_key(&self, key: &ApiKey) -> Result<(), StoreError> {
        self.lock()?.keys.push(key.clone());
        self.feed.tell(Change::Accounts);
        Ok(())
    }

    async fn delete_api_key(&self, id: Uuid) -> Result<bool, StoreError> {
        let mut data = self.lock()?;
        let place = data.keys.iter().position(|key| key.id == id);
        if let Some(place) = place {
            data.keys.remove(place);
            drop(data);
            self.feed.tell(Change::Accounts);
        }
        Ok(place.is_some())
    }

    async fn note_use(&self, keys: &[(Uuid, Timestamp)]) -> Result<(), StoreError> {
        let mut data = self.lock()?;
        for (id, at) in keys {
            if let Some(key) = data.keys.iter_mut().find(|key| key.id == *id) {
                key.last_used = key.last_used.max(Some(*at));
            }
        }
        Ok(())
    }
}

#[async_trait]
impl AuditStore for MemoryStore {
    async fn audit(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        let mut data = self.lock()?;
        data.last_entry += 1;
        let entry = AuditEntry { id: data.last_entry, ..entry.clone() };
        data.audit.push_front(entry);
        data.audit.truncate(usize::try_from(MAX_AUDIT_ENTRIES).unwrap_or(usize::MAX));
        Ok(())
    }

    async fn audit_log(&self, before: Option<i64>, limit: u32) -> Result<Vec<AuditEntry>, StoreError> {
        let data = self.lock()?;
        let entries = data.audit.iter().filter(|entry| before.is_none_or(|before| entry.id < before));
        Ok(entries.take(usize::try_from(limit).unwrap_or(usize::MAX)).cloned().collect())
    }
}
