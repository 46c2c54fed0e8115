//! Events that could not be written, kept for people to look at.

use crate::{
    SqlStore,
    pool::{Dialect, reading, writing},
    sql::set_aside as sql,
    tag::stored,
};
use errtrack_core::{Occurrence, ProjectId, StoreError, Timestamp, store::SetAside};
use sqlx::Connection;

/// How many are kept.
const MOST: i64 = 1000;
const WRITE: &str = "cannot set an event aside";
const READ: &str = "cannot read the events that were set aside";

/// Project, time, how many events, codec, reason, payload.
type Row = (i64, i64, i64, i64, String, Vec<u8>);

impl SqlStore {
    pub(crate) async fn put_aside(&self, occurrence: &Occurrence, reason: &str) -> Result<(), StoreError> {
        let mut payload = Vec::new();
        let codec = self.codec.packer().pack(occurrence.payload(), &mut payload);
        let times = i64::try_from(occurrence.times()).unwrap_or(i64::MAX);
        let reason = stored(reason);
        writing!(self, WRITE, |connection| {
            let mut tx = connection.begin_with(Db::BEGIN).await?;
            let query = sqlx::query(Db::text(sql::PUT)).bind(occurrence.project().0);
            let query = query.bind(occurrence.id().as_bytes().to_vec()).bind(Timestamp::now().as_micros());
            let query = query.bind(times).bind(codec).bind(reason.clone()).bind(payload.clone());
            query.execute(&mut *tx).await?;
            sqlx::query(Db::text(sql::DELETE_OLDEST)).bind(MOST - 1).execute(&mut *tx).await?;
            tx.commit().await
        })
    }

    pub(crate) async fn read_set_aside(&self, limit: u32) -> Result<Vec<SetAside>, StoreError> {
        let rows: Vec<Row> = reading!(self, READ, |connection| {
            sqlx::query_as(Db::text(sql::NEWEST)).bind(i64::from(limit)).fetch_all(connection).await
        })?;
        let read = |(project, at, times, codec, reason, payload): Row| SetAside {
            project: ProjectId(project),
            at: Timestamp::from_micros(at),
            reason,
            times,
            event: self.codec.event(codec, &payload),
        };
        Ok(rows.into_iter().map(read).collect())
    }
}
