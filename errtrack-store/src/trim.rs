//! Letting go of events: given ones, and those that an issue has beyond what is kept.

use crate::{
    SqlStore,
    delete::STEP,
    issues::numbers,
    pool::{Dialect, reading, writing},
    sql::retain as sql,
};
use errtrack_core::{
    StoreError, Timestamp,
    retention::{Kept, surplus},
};
use sqlx::Connection;
use std::{collections::HashSet, time::Instant};

/// Events of one issue that are looked at together.
const CHUNK: usize = 10_000;
const TRIM: &str = "cannot let go of events";

/// Whether pinned events go too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pins {
    Stay,
    Go,
    /// And all payloads of the day go together, later.
    #[cfg(feature = "postgres")]
    GoWithTheDay,
}

impl SqlStore {
    /// Lets go of events until no issue has more than `keep`.
    pub(crate) async fn trim(&self, keep: u32) -> Result<u64, StoreError> {
        let (mut trimmed, mut after) = (0, 0);
        loop {
            let full: Vec<(i64, i64)> = reading!(self, TRIM, |connection| {
                sqlx::query_as(Db::text(sql::FULL)).bind(i64::from(keep)).bind(after).fetch_all(connection).await
            })?;
            let Some((_, last)) = full.last() else { break };
            after = *last;
            for (project, issue) in full {
                trimmed += self.trim_issue(project, issue, keep).await?;
            }
        }
        Ok(trimmed)
    }

    /// In chunks: an issue can have hundreds of thousands of events after a flood. Each chunk is trimmed as if it were all,
    /// until what is left fits into one; so as many stay as when all are looked at together, spread about alike.
    async fn trim_issue(&self, project: i64, issue: i64, keep: u32) -> Result<u64, StoreError> {
        let pinned: Vec<i64> = reading!(self, TRIM, |connection| {
            sqlx::query_scalar(Db::text(sql::PINNED)).bind(project).bind(issue).fetch_all(connection).await
        })?;
        let pinned: HashSet<i64> = pinned.into_iter().collect();
        let keep = usize::try_from(keep).unwrap_or(usize::MAX);
        let size = CHUNK.max(keep.saturating_mul(2).saturating_add(pinned.len()));
        let mut trimmed = 0;
        loop {
            let (mut chunks, mut after) = (0, (i64::MIN, 0));
            loop {
                let rows: Vec<(i64, i64)> = reading!(self, TRIM, |connection| {
                    let query = sqlx::query_as(Db::text(sql::CANDIDATES)).bind(issue).bind(after.0).bind(after.1);
                    query.bind(i64::try_from(size).unwrap_or(i64::MAX)).fetch_all(connection).await
                })?;
                let Some((row, timestamp)) = rows.last() else { break };
                after = (*timestamp, *row);
                chunks += 1;
                let whole = rows.len() < size;
                let kept = |(row, timestamp): (i64, i64)| Kept {
                    row,
                    timestamp: Timestamp::from_micros(timestamp),
                    pinned: pinned.contains(&row),
                };
                let events: Vec<Kept> = rows.into_iter().map(kept).collect();
                trimmed += self.drop_events(&surplus(&events, keep), Pins::Stay).await?;
                if whole {
                    break;
                }
            }
            if chunks <= 1 {
                return Ok(trimmed);
            }
        }
    }

    /// Lets go of events by their rows, in small steps; answers how many there were.
    pub(crate) async fn drop_events(&self, rows: &[i64], pins: Pins) -> Result<u64, StoreError> {
        let mut dropped = 0;
        for rows in rows.chunks(usize::try_from(STEP).unwrap_or(1)) {
            let list = numbers(rows.iter().copied());
            let stay = pins == Pins::Stay;
            let payloads = matches!(pins, Pins::Stay | Pins::Go);
            let (gone, took) = writing!(self, TRIM, |connection| {
                let start = Instant::now();
                let mut tx = connection.begin_with(Db::BEGIN).await?;
                for sql in [sql::LESS_STORED, sql::LESS_STORED_MERGED] {
                    sqlx::query(Db::text(sql)).bind(list.clone()).bind(stay).execute(&mut *tx).await?;
                }
                let delete = sqlx::query(Db::text(sql::DELETE_ROWS)).bind(list.clone()).bind(stay);
                let gone = delete.bind(payloads).execute(&mut *tx).await?;
                tx.commit().await.map(|()| (gone.rows_affected(), start.elapsed()))
            })?;
            dropped += gone;
            self.pace.rest(took).await;
        }
        Ok(dropped)
    }
}
