//! Members and their tokens.

use crate::{data::Token, store::MemoryStore};
use async_trait::async_trait;
use errtrack_core::{
    Member, StoreError, Timestamp, TokenHash, TokenKind,
    store::{AccountStore, Change},
};
use uuid::Uuid;

#[async_trait]
impl AccountStore for MemoryStore {
    async fn member_by_email(&self, email: &str) -> Result<Option<Member>, StoreError> {
        Ok(self.lock()?.members.iter().find(|member| member.email == email).cloned())
    }

    async fn member_count(&self) -> Result<i64, StoreError> {
        Ok(i64::try_from(self.lock()?.members.len()).unwrap_or(i64::MAX))
    }

    async fn put_member(&self, member: &Member) -> Result<Member, StoreError> {
        let mut data = self.lock()?;
        let mut member = member.clone();
        match data.members.iter_mut().find(|known| known.email == member.email) {
            Some(known) => {
                (member.id, member.created_at) = (known.id, known.created_at);
                known.clone_from(&member);
            }
            None => data.members.push(member.clone()),
        }
        drop(data);
        self.feed.tell(Change::Accounts);
        Ok(member)
    }

    async fn put_token(
        &self,
        kind: TokenKind,
        hash: TokenHash,
        member: Uuid,
        expires: Timestamp,
    ) -> Result<(), StoreError> {
        self.lock()?.tokens.push(Token { kind, hash, member, expires });
        self.feed.tell(Change::Accounts);
        Ok(())
    }

    async fn token_member(&self, kind: TokenKind, hash: TokenHash) -> Result<Option<Member>, StoreError> {
        let data = self.lock()?;
        let token = data.tokens.iter().find(|token| token.is(kind, hash) && token.expires > Timestamp::now());
        Ok(token.and_then(|token| data.members.iter().find(|member| member.id == token.member)).cloned())
    }

    async fn take_token(&self, kind: TokenKind, hash: TokenHash) -> Result<bool, StoreError> {
        let mut data = self.lock()?;
        let place = data.tokens.iter().position(|token| token.is(kind, hash));
        let token = place.map(|place| data.tokens.swap_remove(place));
        drop(data);
        if token.is_some() {
            self.feed.tell(Change::Accounts);
        }
        Ok(token.is_some_and(|token| token.expires > Timestamp::now()))
    }
}

impl Token {
    fn is(&self, kind: TokenKind, hash: TokenHash) -> bool {
        self.kind == kind && self.hash == hash
    }
}
