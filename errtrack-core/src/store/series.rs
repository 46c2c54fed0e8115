//! Series: readings over time, which many processes write and which add up when they are read.

use super::StoreError;
use crate::ProjectId;
use async_trait::async_trait;
use uuid::Uuid;

/// Keeps points of series. A point belongs to one process (`node`), which writes it again and again while its bucket lasts; so
/// writing is replacing, and none is lost or counted twice when an answer of the database is.
#[async_trait]
pub trait SeriesStore: Send + Sync + 'static {
    /// Writes points; one that is there, by all but its data, is replaced. For a project that is gone nothing is kept
    /// for long.
    async fn put_points(&self, points: &[SeriesPoint]) -> Result<(), StoreError>;

    /// The points that match, the oldest first.
    async fn points(&self, query: &SeriesQuery) -> Result<Vec<SeriesPoint>, StoreError>;

    /// Lets go of the points of a series, with buckets of that width, that began before that minute; answers how many went.
    async fn drop_points(&self, series: Series, width: i64, before: i64) -> Result<u64, StoreError>;
}

/// What a series is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Series {
    /// Requests by route ([`RouteStatistics::to_point`](crate::RouteStatistics::to_point)), by method and template.
    Routes,
    /// Readings of the machine.
    Machine,
    /// Checks of services, by name.
    Checks,
    /// That a process was there.
    Beats,
    /// How many users met an event: any, or one that rules of a name ask for.
    Users,
    /// Events that alert rules ask for by release, source or tag.
    Watched,
}

impl Series {
    /// For how many days points are kept, by series and width in minutes.
    pub const KEPT: [(Self, i64, i64); 12] = [
        (Self::Routes, 10, 2),
        (Self::Routes, 60, 32),
        (Self::Routes, 1_440, 400),
        (Self::Machine, 1, 2),
        (Self::Machine, 60, 32),
        (Self::Checks, 10, 2),
        (Self::Checks, 60, 32),
        (Self::Beats, 60, 100),
        (Self::Users, 5, 2),
        (Self::Users, 60, 32),
        (Self::Watched, 1, 8),
        (Self::Watched, 60, 32),
    ];

    /// The number under which it is stored.
    #[must_use]
    pub const fn to_number(self) -> i64 {
        match self {
            Self::Routes => 1,
            Self::Machine => 2,
            Self::Checks => 3,
            Self::Beats => 4,
            Self::Users => 5,
            Self::Watched => 6,
        }
    }
}

/// A point of a series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesPoint {
    /// Of this series.
    pub series: Series,
    /// Of this project; number 0 where it is about the machine or the whole store.
    pub project: ProjectId,
    /// How many minutes its bucket has.
    pub width: i64,
    /// The first of them, since 1970.
    pub start: i64,
    /// What it is about.
    pub name: String,
    /// Who wrote it.
    pub node: Uuid,
    /// JSON; what stands in it is the series' own.
    pub data: String,
}

/// Which points to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesQuery {
    /// Of this series.
    pub series: Series,
    /// Of these projects; `None` means all, and what is of none.
    pub projects: Option<Vec<ProjectId>>,
    /// With buckets of so many minutes.
    pub width: i64,
    /// Which begin in this minute since 1970 or later,
    pub from: i64,
    /// and in this one at the latest.
    pub until: i64,
}
