//! Members and their tokens.

use crate::{
    SqlStore,
    error::Doing,
    issues::read_uuid,
    pool::{Dialect, reading, writing},
    sql::account as sql,
    tag::stored,
};
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
        let row: Option<MemberRow> = reading!(self, READ, |connection| {
            sqlx::query_as(Db::text(sql::BY_EMAIL)).bind(stored(email)).fetch_optional(connection).await
        })?;
        row.map(member).transpose()
    }

    async fn member_count(&self) -> Result<i64, StoreError> {
        reading!(self, READ, |connection| sqlx::query_scalar(Db::text(sql::COUNT)).fetch_one(connection).await)
    }

    async fn put_member(&self, new: &Member) -> Result<Member, StoreError> {
        let row = writing!(self, WRITE, |connection| {
            let query = sqlx::query_as(Db::text(sql::PUT)).bind(new.id.as_bytes().to_vec());
            let query = query.bind(stored(&new.email)).bind(stored(&new.name)).bind(new.role.as_str());
            let query = query.bind(new.password_hash.clone()).bind(new.created_at.as_micros());
            query.fetch_one(connection).await
        })?;
        self.announce([Change::Accounts]).await;
        member(row)
    }

    async fn put_token(
        &self,
        kind: TokenKind,
        token: TokenHash,
        member: Uuid,
        expires: Timestamp,
    ) -> Result<(), StoreError> {
        writing!(self, TOKEN, |connection| {
            let query = sqlx::query(Db::text(sql::PUT_TOKEN)).bind(number(kind)).bind(token.0.to_vec());
            let query = query.bind(member.as_bytes().to_vec()).bind(expires.as_micros());
            query.execute(connection).await.map(drop)
        })?;
        self.announce([Change::Accounts]).await;
        Ok(())
    }

    async fn token_member(&self, kind: TokenKind, token: TokenHash) -> Result<Option<Member>, StoreError> {
        let row: Option<MemberRow> = reading!(self, READ, |connection| {
            let query = sqlx::query_as(Db::text(sql::TOKEN_MEMBER)).bind(number(kind)).bind(token.0.to_vec());
            query.bind(Timestamp::now().as_micros()).fetch_optional(connection).await
        })?;
        row.map(member).transpose()
    }

    async fn take_token(&self, kind: TokenKind, token: TokenHash) -> Result<bool, StoreError> {
        let expires: Option<i64> = writing!(self, TOKEN, |connection| {
            let query = sqlx::query_scalar(Db::text(sql::TAKE_TOKEN)).bind(number(kind)).bind(token.0.to_vec());
            query.fetch_optional(connection).await
        })?;
        if expires.is_some() {
            self.announce([Change::Accounts]).await;
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
