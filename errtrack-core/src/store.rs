//! The store: where occurrences, issues and accounts are kept.
//!
//! [`Store`] is split into capabilities, so that a function asks for no more than it uses and a backend can be written one
//! part at a time. Lookups answer `Option`, not an error; a method either does all it says or nothing.
//!
//! `errtrack-store` holds the SQL backends and a conformance suite that any other backend can run too.
//!
//! # Writing a backend
//! `examples/custom_store` is one, in memory, as short as it can be: read it beside this. The order of work that gets
//! furthest with the least:
//!
//! 1. [`ProjectStore`], [`Recorder::record`] and [`IssueStore::issue`]: with these a [`Tracker`](crate::Tracker) starts
//!    and counts. Everything else can answer `Ok` and nothing, for now.
//! 2. The rest of [`IssueStore`], [`GroupStore`], [`TriageStore`], [`EventStore`], [`AccountStore`], [`KeyStore`] and [`AuditStore`]: with these the pages work.
//! 3. [`Upkeep`], [`BalanceStore`], [`LeaseStore`], [`OutboxStore`], [`IntegrationStore`], [`SettingStore`], [`Feed`], [`AnalyticsStore`], [`SeriesStore`], [`AlertStore`], [`IncidentStore`], [`TicketStore`], [`PushStore`]: with these it can run for years, and in several processes.
//!    [`surplus`](crate::retention::surplus) chooses the events to keep, [`LocalFeed`] tells changes within the process.
//!
//! Run the suite from the first day; it says what is missing, one promise a test. It compiles without any SQL:
//!
//! ```toml
//! [dev-dependencies]
//! errtrack-store = { version = "0.1", features = ["conformance"] }
//! ```
//! ```text
//! async fn open() -> (MyStore, Guard) { … }   // new and empty, and what must live as long
//! errtrack_store::conformance!(open);
//! ```
//!
//! **What a transaction must guarantee.** A batch is written whole or not at all, and when `record` says `Ok` it survives a
//! power cut. To be right with several writers at once, these must not come between each other:
//! - to look for the issue of a fingerprint and to make it: two writers must not make two, and [`Issue::number`] has no gaps,
//!   so it is taken in the transaction that makes the issue, not from a sequence that forgets to roll back;
//! - to look for an event's id and to count the event: what has been stored counts nowhere, neither in the issue nor in hours
//!   and tags;
//! - to look at a batch's [`BatchKey`], to note it and to write the batch;
//! - to let go of an event and to lower [`Issue::stored_count`].
//!
//! A database with row locks takes them in one order (projects by number, then issues by id, then those that they were
//! merged into), or writers wait for each other for ever; one without has one writer at a time, as SQLite does. Counts are kept, not computed: pages read
//! [`Issue::count`], and events come and go below it.
//!
//! **Errors.** [`StoreError::unavailable`] says that the same call can succeed later, and the tracker then keeps what it has
//! and tries again; any other error of `record` makes it split the batch and set aside what cannot be written. So never call
//! a bad row unavailable, nor a lost connection anything else. Let nothing wait for ever: a database that does not answer in
//! some seconds is unavailable.
//!
//! **Cancelling.** A future of any method may be dropped at any await. What was begun must then be rolled back or, once it
//! is committed, be whole.

mod account;
mod alert;
mod analytics;
mod batch;
mod error;
mod feed;
mod groups;
mod incident;
mod integration;
mod outbox;
mod push;
mod query;
mod series;
mod ticket;
mod triage;
mod upkeep;

pub use account::{AccountStore, AuditStore, KeyStore, MAX_AUDIT_ENTRIES};
pub use alert::{AlertState, AlertStore, Evaluation, FiringQuery, Tally, TallyQuery, TallyWidth};
pub use analytics::{AnalyticsStore, EnvironmentCount, FigureScope, FigureVersion, Rollup, RollupWidth};
pub use batch::{Batch, BatchKey, Outcome, Recorded};
pub use error::StoreError;
pub use feed::{Change, Changes, Feed, IssueEvent, LocalFeed};
pub use groups::{GroupStore, MAX_GROUPS, Refusal, Regrouped};
pub use incident::{IncidentChanged, IncidentQuery, IncidentStore, OpenedIncident, Recovery};
pub use integration::{Integration, IntegrationStore};
pub use outbox::{OutboxCount, OutboxItem, OutboxQuery, OutboxState, OutboxStore, Settlement};
pub use push::{PushStore, PushSubscription};
pub use query::{Cursor, EventPage, EventPosition, IssuePage, IssueQuery, Sort, StatusCounts, StoredEvent};
pub use series::{Series, SeriesPoint, SeriesQuery, SeriesStore};
pub use ticket::{MAX_TICKETS, Ticket, TicketAdded, TicketStore};
pub use triage::{Comment, TriageStore};
pub use upkeep::{Connections, ProjectRetention, Retention, RetentionReport, SetAside, Storage, TableSize, Upkeep};

use crate::{Balance, Issue, IssueId, IssueRef, Occurrence, Project, ProjectId, Status, Timestamp};
use async_trait::async_trait;
use std::time::Duration;
use uuid::Uuid;

/// Everything that the tracker and the web pages need of a store.
pub trait Store:
    Recorder
    + IssueStore
    + GroupStore
    + TriageStore
    + EventStore
    + ProjectStore
    + SettingStore
    + AccountStore
    + KeyStore
    + AuditStore
    + BalanceStore
    + LeaseStore
    + OutboxStore
    + IntegrationStore
    + AnalyticsStore
    + SeriesStore
    + AlertStore
    + IncidentStore
    + PushStore
    + TicketStore
    + Feed
    + Upkeep
{
}

impl<T> Store for T where
    T: Recorder
        + IssueStore
        + GroupStore
        + TriageStore
        + EventStore
        + ProjectStore
        + SettingStore
        + AccountStore
        + KeyStore
        + AuditStore
        + BalanceStore
        + LeaseStore
        + OutboxStore
        + IntegrationStore
        + AnalyticsStore
        + SeriesStore
        + AlertStore
        + IncidentStore
        + PushStore
        + TicketStore
        + Feed
        + Upkeep
{
}

/// Writes occurrences.
#[async_trait]
pub trait Recorder: Send + Sync + 'static {
    /// Writes a batch in one transaction and answers, in order, what became of each occurrence.
    ///
    /// When it returns `Ok`, the batch is durable. Issues are made or updated, events inserted, rollups and tallies
    /// increased by [`Occurrence::times`]. An event id that its project already has changes nothing
    /// ([`Outcome::Duplicate`]), also within one batch. A resolved issue that is hit reopens, unless it has a
    /// [condition](TriageStore::set_condition), which must be met; so does an ignored one whose condition is met. An occurrence marked in
    /// [`Batch::counted_only`] counts, but its payload is not kept. A batch whose [key](Batch::key) says that it repeats one
    /// that was committed changes nothing ([`Outcome::Settled`]).
    ///
    /// Several processes may record at once: there is one issue per fingerprint all the same, and its counts are exact.
    ///
    /// # Errors
    /// Nothing was written. [`StoreError::is_unavailable`] says whether trying again later can help.
    async fn record(&self, batch: &Batch) -> Result<Vec<Recorded>, StoreError>;

    /// Keeps an occurrence that could not be written, with the reason, for people to look at; it does not count. One that
    /// is set aside again has the new reason. The oldest go when there are more than a thousand. For a project that is gone
    /// nothing is kept.
    async fn set_aside(&self, occurrence: &Occurrence, reason: &str) -> Result<(), StoreError>;
}

/// Reads and changes issues. The number of one that was merged stands for the one that it was merged into.
#[async_trait]
pub trait IssueStore: Send + Sync + 'static {
    /// One page of the issues that match.
    async fn issues(&self, query: &IssueQuery) -> Result<IssuePage, StoreError>;

    /// How many issues match in each status, whatever status the query asks for.
    async fn status_counts(&self, query: &IssueQuery) -> Result<StatusCounts, StoreError>;

    /// The issue of that name, or the one that it was merged into.
    async fn issue(&self, name: &IssueRef) -> Result<Option<Issue>, StoreError>;

    /// Sets the status of issues and answers how many there were. Resolving sets `resolved_at`; leaving it clears it.
    async fn set_status(&self, issues: &[IssueId], status: Status) -> Result<u64, StoreError>;

    /// Sets or clears who looks after an issue.
    async fn assign(&self, issue: IssueId, to: Option<&str>) -> Result<bool, StoreError>;

    /// Deletes issues with all their groups and all that belongs to them and answers how many there were. What is said of them
    /// elsewhere goes in the same transaction: see [`Forgotten`](crate::alert::Forgotten). Entries of the outbox that were
    /// delivered and firings stay, without their text; an evaluation that began before is refused.
    async fn delete_issues(&self, issues: &[IssueId]) -> Result<u64, StoreError>;

    /// Events per bucket for each of the issues, in their order: `buckets` buckets of `width` hours, the last one holding
    /// `until`. Each list has `buckets` entries, the oldest first. Buckets begin at multiples of their width since 1970.
    async fn histograms(
        &self,
        issues: &[IssueId],
        until: Timestamp,
        width: u32,
        buckets: u32,
    ) -> Result<Vec<Vec<i64>>, StoreError>;

    /// The most frequent values of each tag of an issue, the tags by name: at most `values` per tag. A store may tell apart
    /// only the first hundred values of a tag, but their total is exact.
    async fn tag_tallies(&self, issue: IssueId, values: u32) -> Result<Vec<TagTally>, StoreError>;

    /// The values that a tag (`environment`, `release`, …) has in a project, the most frequent first.
    async fn tag_values(&self, projects: &[ProjectId], key: &str, limit: u32) -> Result<Vec<String>, StoreError>;
}

/// How often each value of one tag was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagTally {
    /// The tag.
    pub key: String,
    /// How many events had it.
    pub total: i64,
    /// Values and their counts, the most frequent first.
    pub values: Vec<(String, i64)>,
}

/// Reads events.
#[async_trait]
pub trait EventStore: Send + Sync + 'static {
    /// The event with that id, ours or the client's, in any of the projects (all, if `None`).
    async fn event(&self, projects: Option<&[ProjectId]>, id: Uuid) -> Result<Option<StoredEvent>, StoreError>;

    /// The kept events of an issue, the newest first, `limit` at most, those after `cursor` if there is one.
    async fn events(&self, issue: IssueId, cursor: Option<&Cursor>, limit: u32) -> Result<EventPage, StoreError>;

    /// Where an event stands among the kept events of its issue.
    async fn position(&self, event: &StoredEvent) -> Result<EventPosition, StoreError>;

    /// Pins an event, so that it stays when its issue or project has too many, or lets it go again; `false` if it is gone.
    async fn pin(&self, event: &StoredEvent, pinned: bool) -> Result<bool, StoreError>;

    /// Kept events of a user, in any of the projects (all, if `None`), in an order that stays: `limit` at most, those after
    /// `cursor` if there is one. A page can have fewer events, or none, and still a next one. `user` is the id, or what else
    /// stands for it ([`User::key`](crate::User::key)).
    async fn user_events(
        &self,
        projects: Option<&[ProjectId]>,
        user: &str,
        cursor: Option<&Cursor>,
        limit: u32,
    ) -> Result<EventPage, StoreError>;

    /// Deletes every event of a user, in any of the projects (all, if `None`), also pinned ones and those set aside, and
    /// what counts that user; answers how many events went that had been written. `user` is the id, or what else stands for
    /// it ([`User::key`](crate::User::key)). Counts of events stay. What is said elsewhere of the issues that the user hit
    /// loses its text, as when they are deleted, but people are told of them.
    ///
    /// Who it was may have been filtered in the event itself; such events go where a store keeps
    /// [`Occurrence::user_hash`] beside them.
    async fn erase_user(&self, projects: Option<&[ProjectId]>, user: &str) -> Result<u64, StoreError>;
}

/// Reads and makes projects.
#[async_trait]
pub trait ProjectStore: Send + Sync + 'static {
    /// Every project, by number.
    async fn projects(&self) -> Result<Vec<Project>, StoreError>;

    /// The project with that slug; it is made, with one public key, if there is none. Safe when several ask at once.
    async fn ensure_project(&self, slug: &str) -> Result<Project, StoreError>;

    /// Makes a project, with one public key; with the number that it names, which then is never given again.
    async fn create_project(&self, project: &NewProject) -> Result<ProjectChange, StoreError>;

    /// Gives a project the slug, the name and the platform that this one has.
    async fn update_project(&self, project: &Project) -> Result<ProjectChange, StoreError>;

    /// Takes a public key away from a project; `false` if it has none such. Clients that have it cannot report any more.
    async fn remove_public_key(&self, project: ProjectId, key: &str) -> Result<bool, StoreError>;

    /// Adds a public key to a project; `false` if any project has it already.
    async fn add_public_key(&self, project: ProjectId, key: &str) -> Result<bool, StoreError>;

    /// Deletes a project with its issues, events (those set aside too), rollups, keys and balance; `false` if there is none.
    /// Its slug and keys are free from then on; its number, which stands in DSNs, is never given again.
    async fn delete_project(&self, project: ProjectId) -> Result<bool, StoreError>;
}

/// A project that is to be made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewProject {
    /// Its number, so that DSNs that exist stay valid; one that no project has. The next free one unless given.
    pub id: Option<ProjectId>,
    /// Its slug.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// Its main platform.
    pub platform: Option<String>,
}

/// What came of making or changing a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProjectChange {
    /// It is done: the project as it is now.
    Done(Project),
    /// There is no such project.
    Gone,
    /// Another project has that slug.
    SlugTaken,
    /// Another project has that number, or had it and is still being deleted.
    IdTaken,
}

/// Keeps what people have set for projects.
#[async_trait]
pub trait SettingStore: Send + Sync + 'static {
    /// The setting of that name in each project that has it, by number.
    async fn settings(&self, name: &str) -> Result<Vec<(ProjectId, String)>, StoreError>;

    /// Sets it for a project, or with `None` takes it away; `false` if there is no such project. A value is a document of up
    /// to a mebibyte. It goes with its project.
    async fn put_setting(&self, project: ProjectId, name: &str, value: Option<&str>) -> Result<bool, StoreError>;
}

/// Keeps what became of events, over all processes and restarts.
#[async_trait]
pub trait BalanceStore: Send + Sync + 'static {
    /// Adds to the balances of projects, which may come more than once. What is for a project that is gone is let go of.
    async fn add_balances(&self, more: &[(ProjectId, Balance)]) -> Result<(), StoreError>;

    /// The balance of each project that has one, by number.
    async fn balances(&self) -> Result<Vec<(ProjectId, Balance)>, StoreError>;
}

/// Lets one of several processes do a job.
#[async_trait]
pub trait LeaseStore: Send + Sync + 'static {
    /// Takes the lease of that name, or extends it if `holder` has it; `false` if another holds it. It ends by itself after
    /// `duration`, by the clock of the database.
    async fn lease(&self, name: &str, holder: Uuid, duration: Duration) -> Result<bool, StoreError>;

    /// Gives a lease back, if `holder` has it; else nothing happens.
    async fn release(&self, name: &str, holder: Uuid) -> Result<(), StoreError>;
}
