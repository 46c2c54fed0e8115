//! Retention by whole days: where payloads stand in a partition for each.

use super::CHUNK;
use crate::{SqlStore, postgres::Postgres, trim::Pins};
use errtrack_core::{StoreError, Timestamp};

impl SqlStore {
    /// Drops the partitions of days that ended before that time, with the events that arrived in them.
    pub(super) async fn drop_days(&self, postgres: &Postgres, oldest: Timestamp) -> Result<u64, StoreError> {
        let mut dropped = 0;
        for day in postgres.days_before(oldest).await? {
            dropped += self.empty_day(postgres, &day.table).await?;
            postgres.detach_day(&day).await?;
            // What came between the two; nothing comes any more.
            dropped += self.empty_day(postgres, &day.table).await?;
            postgres.drop_day(&day).await?;
        }
        Ok(dropped)
    }

    /// Deletes the events of a day, but not their payloads, which go with the table.
    async fn empty_day(&self, postgres: &Postgres, table: &str) -> Result<u64, StoreError> {
        let (mut dropped, mut after) = (0, (0, Vec::new()));
        loop {
            let events = postgres.events_of_day(table, after, CHUNK).await?;
            let Some((project, id, _)) = events.last() else { return Ok(dropped) };
            after = (*project, id.clone());
            let rows: Vec<i64> = events.into_iter().filter_map(|(.., row)| row).collect();
            dropped += self.drop_events(&rows, Pins::GoWithTheDay).await?;
        }
    }
}
