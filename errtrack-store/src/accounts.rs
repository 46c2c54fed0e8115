//! Members and their tokens.

use crate::{SqlStore, error::Doing, issues::read_uuid, pool::on, sql::account as sql};
use async_trait::async_trait;
use errtrack_core::{
    Member, StoreError, Timestamp, TokenHash, TokenKind,
    store::{AccountStore, Change},
};
use uuid::Uuid;

const READ: &str = "cannot read members";
const WRITE: &str = "cannot write a member";
const TOKEN: &str = "cannot write a token";

/// A member as SQL gives it.
type MemberRow = (Vec<u8>, String, String, String, Option<String>, i64);

#[async_trait]
impl AccountStore for SqlStore {
    async fn member_by_email(&self, email: &str) -> Result<Option<Member>, StoreError> {
        let row: Option<MemberRow> = on!(&self.readers, |pool| {
            sqlx::query_as(sql::BY_EMAIL).bind(email.to_owned()).fetch_optional(pool).await.doing(READ)?
        });
        row.map(member).transpose()
    }

    async fn member_count(&self) -> Result<i64, StoreError> {
        on!(&self.readers, |pool| sqlx::query_scalar(sql::COUNT).fetch_one(pool).await.doing(READ))
    }

    async fn put_member(&self, new: &Member) -> Result<Member, StoreError> {
        let new = new.clone();
        let mut writer = self.writer.lock(WRITE).await?;
        let row = on!(&mut *writer, |connection| {
            let query = sqlx::query_as(sql::PUT).bind(new.id.as_bytes().to_vec()).bind(new.email).bind(new.name);
            let query = query.bind(new.role.as_str()).bind(new.password_hash).bind(new.created_at.as_micros());
            query.fetch_one(connection).await
        });
        let row = self.writer.check(row, WRITE)?;
        self.feed.tell(Change::Accounts);
        member(row)
    }

    async fn put_token(
        &self,
        kind: TokenKind,
        token: TokenHash,
        member: Uuid,
        expires: Timestamp,
    ) -> Result<(), StoreError> {
        let mut writer = self.writer.lock(TOKEN).await?;
        let done = on!(&mut *writer, |connection| {
            let query = sqlx::query(sql::PUT_TOKEN).bind(number(kind)).bind(token.0.to_vec());
            let query = query.bind(member.as_bytes().to_vec()).bind(expires.as_micros());
            query.execute(connection).await.map(drop)
        });
        self.writer.check(done, TOKEN)?;
        self.feed.tell(Change::Accounts);
        Ok(())
    }

    async fn token_member(&self, kind: TokenKind, token: TokenHash) -> Result<Option<Member>, StoreError> {
        let row: Option<MemberRow> = on!(&self.readers, |pool| {
            let query = sqlx::query_as(sql::TOKEN_MEMBER).bind(number(kind)).bind(token.0.to_vec());
            query.bind(Timestamp::now().as_micros()).fetch_optional(pool).await.doing(READ)?
        });
        row.map(member).transpose()
    }

    async fn take_token(&self, kind: TokenKind, token: TokenHash) -> Result<bool, StoreError> {
        let mut writer = self.writer.lock(TOKEN).await?;
        let expires = on!(&mut *writer, |connection| {
            let query = sqlx::query_scalar(sql::TAKE_TOKEN).bind(number(kind)).bind(token.0.to_vec());
            query.fetch_optional(connection).await
        });
        let expires: Option<i64> = self.writer.check(expires, TOKEN)?;
        if expires.is_some() {
            self.feed.tell(Change::Accounts);
        }
        Ok(expires.is_some_and(|expires| expires > Timestamp::now().as_micros()))
    }
}

const fn number(kind: TokenKind) -> i64 {
    match kind {
        TokenKind::Session => 0,
        TokenKind::SignInLink => 1,
    }
}

fn member(row: MemberRow) -> Result<Member, StoreError> {
    let (id, email, name, role, password_hash, created_at) = row;
    let id = read_uuid(&id).doing(READ)?;
    let role = role.parse().map_err(|_| StoreError::corrupt(format!("{email} has the unknown role {role}")))?;
    Ok(Member { id, email, name, role, password_hash, created_at: Timestamp::from_micros(created_at) })
}
