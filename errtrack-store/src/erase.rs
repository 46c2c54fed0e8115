//! Deleting what belongs to a user. Who it is stands in the payloads alone; tables hold a hash.

use crate::{
    SqlStore, copies,
    error::Doing,
    events::{EventRow, read},
    issues::numbers,
    members,
    pool::{Dialect, reading, writing},
    sql::{erase as sql, event, set_aside},
    trim::Pins,
};
use errtrack_core::{
    Event, ProjectId, StoreError, User,
    store::{Cursor, EventPage},
    user_hash,
};
use sqlx::Connection;

/// Events that are read at once.
const CHUNK: i64 = 200;
const READ: &str = "cannot read the events of a user";
const ERASE: &str = "cannot erase a user";

/// A row of an event that was set aside: project, id, codec, payload.
type SetAsideRow = (i64, Vec<u8>, i64, Vec<u8>);

impl SqlStore {
    pub(crate) async fn erase(&self, projects: Option<&[ProjectId]>, user: &str) -> Result<u64, StoreError> {
        let _turn = self.upkeep.lock().await;
        let hash = user_hash(user);
        // As it stands in events.
        let user = &user.replace('\0', "\u{fffd}");
        let list = projects.map(|projects| numbers(projects.iter().map(|project| project.0)));
        let issues: Vec<(i64, i64)> = reading!(self, ERASE, |connection| {
            sqlx::query_as(Db::text(sql::ISSUES)).bind(hash).bind(list.clone()).fetch_all(connection).await
        })?;
        let mut erased = 0;
        for (project, issue) in issues {
            // The count goes between two looks: an event that comes after it counts its user anew.
            let last = self.erase_events(issue, 0, user, &mut erased).await?;
            self.forget_user(project, issue, hash).await?;
            self.erase_events(issue, last, user, &mut erased).await?;
        }
        self.erase_set_aside(projects, user).await?;
        Ok(erased)
    }

    /// Reads the user's events group by group, row by row; the cursor holds both. One look at the database per page.
    pub(crate) async fn events_of_user(
        &self,
        projects: Option<&[ProjectId]>,
        user: &str,
        cursor: Option<&Cursor>,
        limit: u32,
    ) -> Result<EventPage, StoreError> {
        let hash = user_hash(user);
        let user = &user.replace('\0', "\u{fffd}");
        let list = projects.map(|projects| numbers(projects.iter().map(|project| project.0)));
        let (from, after) = cursor.map_or((0, 0), |cursor| (cursor.key, cursor.id));
        let groups: Vec<(i64, i64)> = reading!(self, READ, |connection| {
            sqlx::query_as(Db::text(sql::ISSUES)).bind(hash).bind(list.clone()).fetch_all(connection).await
        })?;
        let mut groups = groups.into_iter().map(|(_, group)| group).filter(|group| *group >= from);
        let Some(group) = groups.next() else { return Ok(EventPage::default()) };
        let after = if group == from { after } else { 0 };
        let rows: Vec<EventRow> = reading!(self, READ, |connection| {
            let query = sqlx::query_as(Db::text(event::OF_GROUP)).bind(group).bind(after).bind(i64::from(limit));
            query.fetch_all(connection).await
        })?;
        let is_last = u32::try_from(rows.len()).is_ok_and(|rows| rows < limit);
        let next = match (rows.last(), is_last) {
            (Some(last), false) => Some(Cursor { key: group, id: last.0 }),
            _ => groups.next().map(|next| Cursor { key: next, id: 0 }),
        };
        let mut events = Vec::new();
        for row in rows {
            let (stored, _) = read(row, &self.codec).doing(READ)?;
            events.extend((stored.event.user.as_ref().and_then(User::key) == Some(user)).then_some(stored));
        }
        Ok(EventPage { events, next })
    }

    /// Deletes the user's events of an issue after a row; answers the last row that there was.
    async fn erase_events(&self, issue: i64, after: i64, user: &str, erased: &mut u64) -> Result<i64, StoreError> {
        let mut last = after;
        loop {
            let rows: Vec<(i64, i64, Vec<u8>)> = reading!(self, ERASE, |connection| {
                let query = sqlx::query_as(Db::text(sql::EVENTS)).bind(issue).bind(last).bind(CHUNK);
                query.fetch_all(connection).await
            })?;
            let Some((row, ..)) = rows.last() else { return Ok(last) };
            last = *row;
            let theirs = rows.iter().filter(|(_, codec, payload)| is_of(self.codec.event(*codec, payload), user));
            let theirs: Vec<i64> = theirs.map(|(row, ..)| *row).collect();
            *erased += self.drop_events(&theirs, Pins::Go).await?;
        }
    }

    async fn forget_user(&self, project: i64, issue: i64, hash: i64) -> Result<(), StoreError> {
        while !self.try_forget_user(project, issue, hash).await? {}
        Ok(())
    }

    /// `false`, and nothing is done, if the issue was merged or taken apart meanwhile.
    async fn try_forget_user(&self, project: i64, issue: i64, hash: i64) -> Result<bool, StoreError> {
        writing!(self, ERASE, |connection| {
            let mut tx = connection.begin_with(Db::BEGIN).await?;
            let Some(rows) = members::lock(&mut *tx, &[issue]).await? else {
                return tx.rollback().await.map(|()| false);
            };
            // Whose text it was is not known any more.
            copies::forget(&mut *tx, &members::list(&rows), false).await?;
            let of_group = [sql::LOCK_ISSUE, sql::LOCK_MERGED, sql::LESS_USERS, sql::DELETE_USER];
            for sql in of_group.into_iter().chain([sql::LESS_USERS_MERGED, sql::DELETE_USER_MERGED]) {
                sqlx::query(Db::text(sql)).bind(project).bind(issue).bind(hash).execute(&mut *tx).await?;
            }
            sqlx::query(Db::text(sql::RAISE_ERASURES)).execute(&mut *tx).await?;
            tx.commit().await.map(|()| true)
        })
    }

    async fn erase_set_aside(&self, projects: Option<&[ProjectId]>, user: &str) -> Result<(), StoreError> {
        let mut after = (0, Vec::new());
        loop {
            let rows: Vec<SetAsideRow> = reading!(self, ERASE, |connection| {
                let query = sqlx::query_as(Db::text(set_aside::ALL)).bind(after.0).bind(after.1.clone());
                query.bind(CHUNK).fetch_all(connection).await
            })?;
            let Some((project, id, ..)) = rows.last() else { return Ok(()) };
            after = (*project, id.clone());
            for (project, id, codec, payload) in rows {
                let asked = projects.is_none_or(|projects| projects.contains(&ProjectId(project)));
                if asked && is_of(self.codec.event(codec, &payload), user) {
                    writing!(self, ERASE, |connection| {
                        let query = sqlx::query(Db::text(set_aside::DELETE)).bind(project).bind(id.clone());
                        query.execute(connection).await.map(drop)
                    })?;
                }
            }
        }
    }
}

fn is_of(event: Option<Event>, user: &str) -> bool {
    event.and_then(|event| event.user).as_ref().and_then(User::key) == Some(user)
}
