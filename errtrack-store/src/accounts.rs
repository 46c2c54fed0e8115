//! Members and their tokens.

use crate::{
    SqlStore,
    error::Doing,
    issues::{numbers, read_uuid},
    pool::{Dialect, reading, writing},
    sql::{account as sql, push},
    tag::stored,
};
use async_trait::async_trait;
use errtrack_core::{
    Member, MemberChange, MemberChanged, MemberStatus, ProjectId, StoreError, Timestamp, Token, TokenHash, TokenKind,
    store::{AccountStore, Change},
};
use sqlx::Connection;
use uuid::Uuid;

const READ: &str = "cannot read members";
const WRITE: &str = "cannot write a member";
const TOKEN: &str = "cannot write a token";

/// A member as SQL gives it.
type MemberRow = (Vec<u8>, String, String, String, String, Option<String>, Option<String>, bool, i64, Option<i64>);

/// Binds what is written of a member when it is made.
macro_rules! bind_member {
    ($query:expr, $member:expr) => {
        $query
            .bind($member.id.as_bytes().to_vec())
            .bind(stored(&$member.email))
            .bind(stored(&$member.name))
            .bind($member.role.as_str())
            .bind($member.status.as_str())
            .bind(write_projects($member.projects.as_deref()))
            .bind($member.password_hash.clone())
            .bind($member.created_at.as_micros())
            .bind($member.last_active.map(Timestamp::as_micros))
    };
}

#[async_trait]
impl AccountStore for SqlStore {
    async fn member_by_email(&self, email: &str) -> Result<Option<Member>, StoreError> {
        let row: Option<MemberRow> = reading!(self, READ, |connection| {
            sqlx::query_as(Db::text(sql::BY_EMAIL)).bind(stored(email)).fetch_optional(connection).await
        })?;
        row.map(member).transpose()
    }

    async fn member(&self, id: Uuid) -> Result<Option<Member>, StoreError> {
        let row: Option<MemberRow> = reading!(self, READ, |connection| {
            sqlx::query_as(Db::text(sql::BY_ID)).bind(id.as_bytes().to_vec()).fetch_optional(connection).await
        })?;
        row.map(member).transpose()
    }

    async fn members(&self) -> Result<Vec<Member>, StoreError> {
        let rows: Vec<MemberRow> =
            reading!(self, READ, |connection| sqlx::query_as(Db::text(sql::ALL)).fetch_all(connection).await)?;
        rows.into_iter().map(member).collect()
    }

    async fn member_count(&self) -> Result<i64, StoreError> {
        reading!(self, READ, |connection| sqlx::query_scalar(Db::text(sql::COUNT)).fetch_one(connection).await)
    }

    async fn put_member(&self, new: &Member) -> Result<Member, StoreError> {
        let row = writing!(self, WRITE, |connection| {
            bind_member!(sqlx::query_as(Db::text(sql::PUT)), new).fetch_one(connection).await
        })?;
        self.announce([Change::Accounts]).await;
        member(row)
    }

    async fn add_member(&self, new: &Member) -> Result<bool, StoreError> {
        let added = writing!(self, WRITE, |connection| {
            bind_member!(sqlx::query(Db::text(sql::ADD)), new)
                .execute(connection)
                .await
                .map(|done| done.rows_affected())
        })? > 0;
        if added {
            self.announce([Change::Accounts]).await;
        }
        Ok(added)
    }

    async fn change_member(&self, id: Uuid, change: &MemberChange) -> Result<MemberChanged, StoreError> {
        self.alter_member(id, Some(change)).await
    }

    async fn delete_member(&self, id: Uuid) -> Result<MemberChanged, StoreError> {
        self.alter_member(id, None).await
    }

    async fn note_activity(&self, members: &[(Uuid, Timestamp)]) -> Result<(), StoreError> {
        self.note(sql::NOTE_ACTIVITY, members, WRITE).await
    }

    async fn put_token(&self, token: &Token) -> Result<(), StoreError> {
        writing!(self, TOKEN, |connection| {
            let query = sqlx::query(Db::text(sql::PUT_TOKEN)).bind(number(token.kind)).bind(token.hash.0.to_vec());
            let query = query.bind(token.member.as_bytes().to_vec()).bind(token.expires_at.as_micros());
            let query = query.bind(token.created_at.as_micros()).bind(stored(&token.about));
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

    async fn tokens(&self, kind: TokenKind, member: Uuid) -> Result<Vec<Token>, StoreError> {
        let rows: Vec<(Vec<u8>, i64, i64, String)> = reading!(self, READ, |connection| {
            let query = sqlx::query_as(Db::text(sql::TOKENS)).bind(member.as_bytes().to_vec()).bind(number(kind));
            query.bind(Timestamp::now().as_micros()).fetch_all(connection).await
        })?;
        let token = |(hash, created_at, expires_at, about): (Vec<u8>, i64, i64, String)| {
            Ok(Token {
                kind,
                hash: read_hash(hash)?,
                member,
                created_at: Timestamp::from_micros(created_at),
                expires_at: Timestamp::from_micros(expires_at),
                about,
            })
        };
        rows.into_iter().map(token).collect()
    }

    async fn end_tokens(&self, kind: TokenKind, member: Uuid, except: Option<TokenHash>) -> Result<u64, StoreError> {
        // No hash is empty.
        let except = except.map(|hash| hash.0.to_vec()).unwrap_or_default();
        let ended = writing!(self, TOKEN, |connection| {
            let query = sqlx::query(Db::text(sql::END_TOKENS)).bind(member.as_bytes().to_vec()).bind(number(kind));
            query.bind(except.clone()).execute(connection).await.map(|done| done.rows_affected())
        })?;
        if ended > 0 {
            self.announce([Change::Accounts]).await;
        }
        Ok(ended)
    }

    async fn second_factor(&self, member: Uuid) -> Result<Option<String>, StoreError> {
        let row: Option<Option<String>> = reading!(self, READ, |connection| {
            let query = sqlx::query_scalar(Db::text(sql::SECOND_FACTOR)).bind(member.as_bytes().to_vec());
            query.fetch_optional(connection).await
        })?;
        Ok(row.flatten())
    }

    async fn swap_second_factor(
        &self,
        member: Uuid,
        before: Option<&str>,
        after: Option<&str>,
    ) -> Result<bool, StoreError> {
        let swapped = writing!(self, WRITE, |connection| {
            let query = sqlx::query(Db::text(sql::SWAP_SECOND_FACTOR)).bind(member.as_bytes().to_vec());
            let query = query.bind(before.map(str::to_owned)).bind(after.map(str::to_owned));
            query.execute(connection).await.map(|done| done.rows_affected())
        })? > 0;
        if swapped {
            self.announce([Change::Accounts]).await;
        }
        Ok(swapped)
    }
}

impl SqlStore {
    /// Changes a member, or deletes it.
    async fn alter_member(&self, id: Uuid, change: Option<&MemberChange>) -> Result<MemberChanged, StoreError> {
        let key = id.as_bytes().to_vec();
        let changed = writing!(self, WRITE, |connection| {
            let mut tx = connection.begin_with(Db::BEGIN).await?;
            let owners: Vec<Vec<u8>> = sqlx::query_scalar(Db::text(sql::LOCK_OWNERS)).fetch_all(&mut *tx).await?;
            let row: Option<MemberRow> =
                sqlx::query_as(Db::text(sql::LOCK)).bind(key.clone()).fetch_optional(&mut *tx).await?;
            let Some(row) = row else { return tx.rollback().await.map(|()| Ok(MemberChanged::Gone)) };
            let before = match member(row) {
                Ok(before) => before,
                Err(corrupt) => return tx.rollback().await.map(|()| Err(corrupt)),
            };
            let after = change.map(|change| change.of(&before));
            let stays = after.as_ref().is_some_and(Member::is_active_owner);
            if before.is_active_owner() && !stays && owners.len() <= 1 {
                return tx.rollback().await.map(|()| Ok(MemberChanged::LastOwner));
            }
            if let Some(after) = &after {
                let query = sqlx::query(Db::text(sql::CHANGE)).bind(key.clone()).bind(stored(&after.name));
                let query = query.bind(after.role.as_str()).bind(after.status.as_str());
                let query = query.bind(write_projects(after.projects.as_deref())).bind(after.password_hash.clone());
                query.execute(&mut *tx).await?;
            } else {
                sqlx::query(Db::text(sql::DELETE)).bind(key.clone()).execute(&mut *tx).await?;
            }
            let kept = after.as_ref().map(|after| after.status);
            if kept != Some(MemberStatus::Active) {
                let spared = if kept == Some(MemberStatus::Invited) { number(TokenKind::Invitation) } else { NO_KIND };
                sqlx::query(Db::text(sql::DELETE_TOKENS)).bind(key.clone()).bind(spared).execute(&mut *tx).await?;
                sqlx::query(Db::text(push::REMOVE_ALL)).bind(key.clone()).execute(&mut *tx).await?;
            }
            tx.commit().await.map(|()| Ok(MemberChanged::Done(after.unwrap_or(before))))
        })??;
        if matches!(changed, MemberChanged::Done(_)) {
            self.announce([Change::Accounts]).await;
        }
        Ok(changed)
    }

    /// Notes times, each with the row that it is for.
    pub(crate) async fn note(
        &self,
        text: crate::sql::Sql,
        times: &[(Uuid, Timestamp)],
        what: &'static str,
    ) -> Result<(), StoreError> {
        writing!(self, what, |connection| {
            let mut tx = connection.begin_with(Db::BEGIN).await?;
            for (id, at) in times {
                let query = sqlx::query(Db::text(text)).bind(id.as_bytes().to_vec()).bind(at.as_micros());
                query.execute(&mut *tx).await?;
            }
            tx.commit().await
        })
    }
}

/// The number of no kind of token.
const NO_KIND: i64 = -1;

const fn number(kind: TokenKind) -> i64 {
    match kind {
        TokenKind::Session => 0,
        TokenKind::SignInLink => 1,
        TokenKind::Invitation => 2,
        TokenKind::PasswordReset => 3,
        TokenKind::HalfSignIn => 4,
    }
}

fn member(row: MemberRow) -> Result<Member, StoreError> {
    let (id, email, name, role, status, projects, password_hash, has_second_factor, created_at, last_active) = row;
    let id = read_uuid(&id).doing(READ)?;
    let role = role.parse().map_err(|_| StoreError::corrupt(format!("{email} has the unknown role {role}")))?;
    let status = status.parse().map_err(|_| StoreError::corrupt(format!("{email} has the unknown status {status}")))?;
    Ok(Member {
        id,
        name,
        role,
        status,
        projects: read_projects(projects.as_deref())?,
        password_hash,
        has_second_factor,
        created_at: Timestamp::from_micros(created_at),
        last_active: last_active.map(Timestamp::from_micros),
        email,
    })
}

/// A list of projects, or all of them.
pub(crate) fn write_projects(projects: Option<&[ProjectId]>) -> Option<String> {
    projects.map(|projects| numbers(projects.iter().map(|project| project.0)))
}

pub(crate) fn read_projects(projects: Option<&str>) -> Result<Option<Vec<ProjectId>>, StoreError> {
    let Some(list) = projects else { return Ok(None) };
    let list: Vec<i64> = serde_json::from_str(list).map_err(|_| StoreError::corrupt("projects are no list"))?;
    Ok(Some(list.into_iter().map(ProjectId).collect()))
}

pub(crate) fn read_hash(hash: Vec<u8>) -> Result<TokenHash, StoreError> {
    hash.try_into().map(TokenHash).map_err(|_| StoreError::corrupt("a hash has a wrong length"))
}
