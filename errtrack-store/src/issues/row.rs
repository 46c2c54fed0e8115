//! An issue as SQL gives it, and what it means.

use errtrack_core::{Condition, EventId, Fingerprint, Issue, IssueId, Level, ProjectId, Status, Timestamp};
use sqlx::{ColumnIndex, Decode, FromRow, Row, Type};
use uuid::Uuid;

/// A row of [`COLUMNS`](crate::sql::issue::COLUMNS).
pub(crate) struct IssueRow(Issue);

impl From<IssueRow> for Issue {
    fn from(row: IssueRow) -> Self {
        row.0
    }
}

impl<'r, R> FromRow<'r, R> for IssueRow
where
    R: Row,
    usize: ColumnIndex<R>,
    i64: Decode<'r, R::Database> + Type<R::Database>,
    bool: Decode<'r, R::Database> + Type<R::Database>,
    String: Decode<'r, R::Database> + Type<R::Database>,
    Vec<u8>: Decode<'r, R::Database> + Type<R::Database>,
{
    fn from_row(row: &'r R) -> Result<Self, sqlx::Error> {
        let time = |column: usize| row.try_get(column).map(Timestamp::from_micros);
        let uuid = |column: usize| row.try_get(column).and_then(|bytes: Vec<u8>| read_uuid(&bytes));
        Ok(Self(Issue {
            id: IssueId(row.try_get(0)?),
            uuid: uuid(1)?,
            project: ProjectId(row.try_get(2)?),
            project_slug: row.try_get(3)?,
            number: row.try_get(4)?,
            fingerprint: Fingerprint(*uuid(5)?.as_bytes()),
            ty: row.try_get(6)?,
            value: row.try_get(7)?,
            culprit: row.try_get(8)?,
            level: Level::from_number(row.try_get(9)?),
            status: Status::from_number(row.try_get(10)?),
            regressed: row.try_get(11)?,
            source: row.try_get(12)?,
            platform: row.try_get(13)?,
            environment: row.try_get(14)?,
            first_release: row.try_get(15)?,
            last_release: row.try_get(16)?,
            first_seen: time(17)?,
            last_seen: time(18)?,
            count: row.try_get(19)?,
            stored_count: row.try_get(20)?,
            user_count: row.try_get(21)?,
            last_event: EventId::from(uuid(22)?),
            created_at: time(23)?,
            updated_at: time(24)?,
            resolved_at: row.try_get::<Option<i64>, _>(25)?.map(Timestamp::from_micros),
            assigned_to: row.try_get(26)?,
            condition: condition(row.try_get(27)?, row.try_get(28)?, row.try_get(29)?, row.try_get(30)?),
        }))
    }
}

/// What ends a status, as its columns say.
pub(crate) fn condition(
    resolved_in: Option<String>,
    resolved_after: Option<String>,
    until: Option<i64>,
    count: Option<i64>,
) -> Option<Condition> {
    match (resolved_in, resolved_after) {
        (Some(release), _) => Some(Condition::InRelease(release)),
        (None, Some(release)) => Some(Condition::AfterRelease(release)),
        (None, None) => (until.is_some() || count.is_some())
            .then(|| Condition::Until { time: until.map(Timestamp::from_micros), count }),
    }
}

/// The issue of a row.
pub(crate) fn read_issue<'r, R: Row>(row: &'r R) -> Result<Issue, sqlx::Error>
where
    IssueRow: FromRow<'r, R>,
{
    IssueRow::from_row(row).map(Into::into)
}

/// A UUID of its 16 bytes.
pub(crate) fn read_uuid(bytes: &[u8]) -> Result<Uuid, sqlx::Error> {
    Uuid::from_slice(bytes).map_err(|error| sqlx::Error::Decode(error.into()))
}
