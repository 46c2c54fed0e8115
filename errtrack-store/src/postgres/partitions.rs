//! The partitions of payloads: one for each UTC day of arrival.
//!
//! A day's payloads leave by dropping one table, which costs nothing, however many they are. A partition is made as a table
//! of its own and then attached: so nobody who writes waits.

use super::{Postgres, explain::partitioning};
use crate::{error::sqlstate, sql::postgres as sql};
use errtrack_core::{StoreError, Timestamp};
use sqlx::{
    AssertSqlSafe, Connection, Error, Executor, FromRow, PgConnection,
    postgres::{PgArguments, PgRow},
    query::QueryAs,
};
use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};
use uuid::Uuid;

/// Milliseconds in a day.
const DAY: i64 = 86_400_000;
/// Days that are made ahead of time.
const AHEAD: i64 = 7;
/// A number that only we lock: `errtrack` in ASCII.
pub(crate) const TABLES: i64 = 0x6572_7274_7261_636b;
/// The name of a partition before its date.
const PREFIX: &str = "errtrack_payload_";

/// Days since 1970 for which this process has seen a partition.
#[derive(Debug, Default)]
pub(super) struct Days(Mutex<BTreeSet<i64>>);

impl Days {
    /// Days of events for which there may be no partition. Those long past are asked for each time, since another process
    /// may have dropped them.
    pub(super) fn missing(&self, events: impl Iterator<Item = Uuid>) -> BTreeSet<i64> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = today() - 1;
        let mut missing = BTreeSet::new();
        let mut last = None;
        for day in events.map(day_of) {
            if last.replace(day) != Some(day) && (day < recent || !known.contains(&day)) {
                missing.insert(day);
            }
        }
        missing
    }

    fn remove(&self, day: i64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&day);
    }

    fn add(&self, days: impl IntoIterator<Item = i64>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(days);
    }
}

/// A partition.
#[derive(Debug)]
pub(crate) struct Day {
    pub(crate) table: String,
    /// Days since 1970.
    day: i64,
    /// It was not taken out yet.
    attached: bool,
}

impl Postgres {
    /// Makes the partitions of today and the days to come.
    pub(crate) async fn make_days_ahead(&self) -> Result<(), StoreError> {
        let today = today();
        self.make_days((today..=today + AHEAD).collect()).await
    }

    /// The partitions of days that ended before that time, and those that were taken out and not dropped.
    pub(crate) async fn days_before(&self, oldest: Timestamp) -> Result<Vec<Day>, StoreError> {
        let first = oldest.as_micros() / 1000 / DAY;
        let tables: Vec<(String, bool)> = self.leased(sqlx::query_as(sql::DAYS)).await?;
        let day = |(table, attached): (String, bool)| {
            let day = day_named(&table).filter(|day| *day < first || !attached)?;
            Some(Day { table, day, attached })
        };
        Ok(tables.into_iter().filter_map(day).collect())
    }

    /// Events of a partition after a project and an id: project, id, and the row if it is still there.
    pub(crate) async fn events_of_day(
        &self,
        table: &str,
        (project, id): (i64, Vec<u8>),
        limit: i64,
    ) -> Result<Vec<(i64, Vec<u8>, Option<i64>)>, StoreError> {
        let [select, from] = sql::OF_DAY;
        let text = AssertSqlSafe([select, table, from].concat());
        self.leased(sqlx::query_as(text).bind(project).bind(id).bind(limit).persistent(false)).await
    }

    /// Takes a partition out, without making those wait who write to others.
    pub(crate) async fn detach_day(&self, day: &Day) -> Result<(), StoreError> {
        if !day.attached {
            return Ok(());
        }
        self.0.days.remove(day.day);
        let table = &day.table;
        let detach = format!("ALTER TABLE errtrack_payload DETACH PARTITION {table}");
        let done = self.drive(async {
            let mut lease = self.lease().await?;
            let concurrently = lease.connection().server_version_num().is_none_or(|version| version >= 140_000);
            let done = self.patiently(async {
                let connection = lease.connection();
                if !concurrently {
                    return connection.execute(AssertSqlSafe(detach.clone())).await.map(drop);
                }
                let done = connection.execute(AssertSqlSafe(format!("{detach} CONCURRENTLY"))).await;
                // An earlier attempt was cut short.
                match done {
                    Err(error) if sqlstate(&error).as_deref() == Some("55000") => {
                        connection.execute(AssertSqlSafe(format!("{detach} FINALIZE"))).await.map(drop)
                    }
                    done => done.map(drop),
                }
            });
            let done = done.await;
            lease.settle(done).await
        });
        done.await.map_err(partitioning)
    }

    /// Drops a partition that was taken out.
    pub(crate) async fn drop_day(&self, day: &Day) -> Result<(), StoreError> {
        let text = format!("DROP TABLE IF EXISTS {}", day.table);
        let done = self.drive(async {
            let mut lease = self.lease().await?;
            let done = self.patiently(lease.connection().execute(AssertSqlSafe(text))).await;
            lease.settle(done).await
        });
        done.await.map(drop).map_err(partitioning)
    }

    /// The rows of a query.
    async fn leased<'q, T>(&self, query: QueryAs<'q, sqlx::Postgres, T, PgArguments>) -> Result<Vec<T>, StoreError>
    where
        T: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        let rows = self.drive(async {
            let mut lease = self.lease().await?;
            let done = self.patiently(query.fetch_all(lease.connection())).await;
            lease.settle(done).await
        });
        rows.await.map_err(partitioning)
    }

    pub(super) async fn make_days(&self, days: BTreeSet<i64>) -> Result<(), StoreError> {
        let made = self.drive(async {
            let mut lease = self.lease().await?;
            let done = self.patiently(make(lease.connection(), &days)).await;
            lease.settle(done).await
        });
        made.await.map_err(partitioning)?;
        self.0.days.add(days);
        Ok(())
    }
}

/// Makes those that are not there. Several may do so at once.
async fn make(connection: &mut PgConnection, days: &BTreeSet<i64>) -> Result<(), Error> {
    if existing(connection).await?.is_superset(days) {
        return Ok(());
    }
    let mut tx = connection.begin().await?;
    sqlx::query(sql::LOCK_TABLES).bind(TABLES).execute(&mut *tx).await?;
    let there = existing(&mut tx).await?;
    for day in days.difference(&there) {
        let name = name(*day);
        let (from, to) = (bound(*day), bound(*day + 1));
        let text = format!(
            "CREATE TABLE {name} (LIKE errtrack_payload INCLUDING ALL);
             ALTER TABLE errtrack_payload ATTACH PARTITION {name} FOR VALUES FROM ('\\x{from}') TO ('\\x{to}')"
        );
        tx.execute(AssertSqlSafe(text)).await?;
    }
    tx.commit().await
}

async fn existing(connection: &mut PgConnection) -> Result<BTreeSet<i64>, Error> {
    let names: Vec<String> = sqlx::query_scalar(sql::PARTITIONS).fetch_all(connection).await?;
    Ok(names.iter().filter_map(|name| day_named(name)).collect())
}

fn today() -> i64 {
    Timestamp::now().as_micros() / 1000 / DAY
}

/// The day on which an event arrived, by its id: the first 48 bits of a UUIDv7 are milliseconds.
fn day_of(id: Uuid) -> i64 {
    i64::try_from(id.as_u128() >> 80).unwrap_or(i64::MAX) / DAY
}

/// The first id of a day, as hexadecimal digits.
fn bound(day: i64) -> String {
    format!("{:012x}{:020x}", day * DAY, 0)
}

fn name(day: i64) -> String {
    // A time of errtrack ends with the year 9999; ids that are beyond that, or none of ours, have plain numbers.
    let start = Timestamp::from_micros(day.saturating_mul(DAY * 1000));
    let is_time = start.as_micros() == day.saturating_mul(DAY * 1000);
    if is_time { format!("{PREFIX}{}", start.strftime("%Y%m%d")) } else { format!("{PREFIX}d{day}") }
}

fn day_named(table: &str) -> Option<i64> {
    let date = table.strip_prefix(PREFIX)?;
    if let Some(day) = date.strip_prefix('d') {
        return day.parse().ok();
    }
    let (year, month, day) = (date.get(..4)?, date.get(4..6)?, date.get(6..)?);
    let start: Timestamp = format!("{year}-{month}-{day}T00:00:00Z").parse().ok()?;
    Some(start.as_micros() / 1000 / DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_names_and_bounds() {
        for (day, expected) in [(0, "errtrack_payload_19700101"), (20_778, "errtrack_payload_20261121")] {
            assert_eq!(name(day), expected);
            assert_eq!(day_named(expected), Some(day));
        }
        let last = i64::try_from(u128::MAX >> 80).unwrap() / DAY;
        assert_eq!(day_named(&name(last)), Some(last));
        assert_eq!((day_named("errtrack_payload_pkey"), day_named("else")), (None, None));
        let id = Uuid::parse_str("019aa3b2-4c00-7abc-8def-000000000000").unwrap();
        let day = day_of(id);
        let id = id.simple().to_string();
        assert!(bound(day) <= id && id < bound(day + 1));
    }

    #[test]
    fn a_day_is_asked_for_until_it_is_known() {
        let days = Days::default();
        let id = |day: i64| Uuid::from_u128(u128::try_from(day * DAY).unwrap() << 80);
        let today = today();
        assert_eq!(days.missing([id(today), id(today), id(3)].into_iter()), [3, today].into());
        days.add([3, today]);
        assert_eq!(days.missing([id(today), id(3)].into_iter()), [3].into());
    }
}
