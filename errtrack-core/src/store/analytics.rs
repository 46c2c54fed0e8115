//! Figures: what rollups say, without looking at an event.

use super::StoreError;
use crate::{Issue, ProjectId, Timestamp};
use async_trait::async_trait;

/// Reads figures from rollups, which are written with every batch. A figure stays true whatever retention lets go of, and
/// when issues are deleted or merged: it says what happened.
#[async_trait]
pub trait AnalyticsStore: Send + Sync + 'static {
    /// A number pair that differs from any before it once something was written that figures are made of, by whichever
    /// process. Costs a look-up per project: cheap enough to be asked before each answer that was kept.
    async fn figures_version(&self, scope: &FigureScope) -> Result<FigureVersion, StoreError>;

    /// What happened in the buckets of that width which begin from `from` to `until` (both included), the oldest first;
    /// those in which nothing happened may be missing.
    async fn rollups(
        &self,
        scope: &FigureScope,
        width: RollupWidth,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Rollup>, StoreError>;

    /// How many events came from each environment since the hour of that time, the most first.
    async fn environments(&self, scope: &FigureScope, since: Timestamp) -> Result<Vec<EnvironmentCount>, StoreError>;

    /// The issues with the most events since the hour of that time, and how many each had; the most first. With an
    /// environment, those that were ever seen in it.
    async fn top_issues(
        &self,
        scope: &FigureScope,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<(Issue, i64)>, StoreError>;
}

/// Of what figures are made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct FigureScope {
    /// In these projects; `None` means all.
    pub projects: Option<Vec<ProjectId>>,
    /// In this environment; `None` means all. The first 200 characters count.
    pub environment: Option<String>,
}

/// Says whether figures may have changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct FigureVersion {
    /// Events that were ever counted.
    pub events: i64,
    /// How often people or upkeep changed issues or projects.
    pub edits: i64,
}

/// How long a bucket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RollupWidth {
    /// An hour.
    Hour,
    /// A day of UTC.
    Day,
    /// All of time, in one bucket that begins in 1970.
    Ever,
}

impl RollupWidth {
    /// In hours; 0 for all of time. Under this it is stored.
    #[must_use]
    pub const fn hours(self) -> i64 {
        match self {
            Self::Hour => 1,
            Self::Day => 24,
            Self::Ever => 0,
        }
    }

    /// The first hour of the bucket that has that hour.
    #[must_use]
    pub const fn start(self, hour: i64) -> i64 {
        match self {
            Self::Hour => hour,
            Self::Day => hour.div_euclid(24) * 24,
            Self::Ever => 0,
        }
    }
}

/// What happened in a bucket of time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rollup {
    /// Its first hour since 1970.
    pub hour: i64,
    /// Events.
    pub events: i64,
    /// Those of level `fatal`.
    pub fatal: i64,
    /// Issues that were made.
    pub new_issues: i64,
    /// How often an issue was resolved.
    pub resolved: i64,
    /// Microseconds that these took together from when they were first seen.
    pub resolving_micros: i64,
}

impl Rollup {
    /// Adds what happened in another bucket.
    pub const fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.fatal += other.fatal;
        self.new_issues += other.new_issues;
        self.resolved += other.resolved;
        self.resolving_micros = self.resolving_micros.saturating_add(other.resolving_micros);
    }
}

/// How many events came from an environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EnvironmentCount {
    /// Its name; empty for events that name none. `None` for all beyond the first hundred of a project.
    pub environment: Option<String>,
    /// Events.
    pub events: i64,
    /// Those of level `fatal`.
    pub fatal: i64,
}
