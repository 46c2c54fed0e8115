//! `GET /api/monitoring/balance`: what became of every event, and the state of what keeps them.

use super::{
    Frame,
    openapi::Failures,
    settings::{Report, Rules},
    success,
};
use crate::{access::Read, app::App, status::Status};
use axum::{extract::State, response::IntoResponse};
use errtrack_core::{Balance, ProjectId, Timestamp, store::Storage};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// A balance as the API shows it, with what follows from it.
#[derive(Debug, Serialize, ToSchema)]
struct Figures {
    #[serde(flatten)]
    balance: Balance,
    /// The sum of all but `captured`.
    settled: u64,
    /// Captured, and not settled yet.
    under_way: u64,
    /// `captured = settled + under_way`.
    balanced: bool,
}

impl From<Balance> for Figures {
    fn from(balance: Balance) -> Self {
        let (settled, under_way) = (balance.settled(), balance.under_way());
        Self { balance, settled, under_way, balanced: settled + under_way == balance.captured }
    }
}

/// The balance of a project.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProjectBalance)]
struct Account<'a> {
    id: ProjectId,
    project: &'a str,
    #[serde(flatten)]
    figures: Figures,
}

/// What became of every event, and the state of what keeps them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BalanceView)]
pub(super) struct View<'a> {
    timestamp: Timestamp,
    /// The process that answers.
    node: Uuid,
    /// Since when it answers.
    started_at: Timestamp,
    /// The figures are those of all processes as of now; while the database is away they are not.
    complete: bool,
    projects: Vec<Account<'a>>,
    total: Figures,
    queue: Queue,
    /// Files that keep events while the database is away; `null` where there are none.
    spool: Option<Spool>,
    store: Store<'a>,
    /// The Redis server that processes share; `null` where there is none.
    redis: Option<Redis>,
    retention: Retention,
    /// What went wrong last inside; for admins alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<Option<Trouble<'a>>>,
}

/// Events of this process that wait.
#[derive(Debug, Serialize, ToSchema)]
struct Queue {
    depth: usize,
    /// A report that came now could be kept.
    takes_reports: bool,
}

/// Files that keep events while the database is away.
#[derive(Debug, Serialize, ToSchema)]
struct Spool {
    occurrences: u64,
    bytes: u64,
    limit_bytes: u64,
    /// Since when events wait there.
    since: Option<Timestamp>,
    /// Events that were read back since the start.
    drained: u64,
    /// Records that could not be read back since the start.
    damaged: u64,
    /// For admins alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    folder: Option<String>,
}

/// The database.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StoreState)]
struct Store<'a> {
    away: bool,
    /// How long a round trip took; `null` while it is away.
    ping_ms: Option<f64>,
    storage: Option<&'a Storage>,
    measured_at: Option<Timestamp>,
}

/// The Redis server that processes share.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RedisState)]
struct Redis {
    /// It does not answer; each process counts limits and keeps answers for itself.
    away: bool,
}

/// What is kept for how long.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RetentionState)]
struct Retention {
    rules: Rules,
    last_run: Option<Report>,
}

/// What went wrong last.
#[derive(Debug, Serialize, ToSchema)]
struct Trouble<'a> {
    at: Timestamp,
    message: &'a str,
}

/// Shows what became of every event
///
/// Each ends in exactly one place, and is counted there. With the state of queue, spool, database and retention.
#[utoipa::path(
    get,
    path = "/api/monitoring/balance",
    tag = "System",
    operation_id = "show_balance",
    security(("key" = ["read"]), ("bearer" = ["read"])),
    responses((status = 200, description = "The figures", body = Frame<View<'_>>), Failures),
)]
pub(super) async fn balance(State(app): State<App>, Read(caller): Read) -> impl IntoResponse {
    let status = caller.status(&app).await;
    success(View::new(&status, caller.is_admin_of_all())).into_response()
}

impl<'a> View<'a> {
    /// What is told to whom: file names and the database's own words are for admins.
    fn new(status: &'a Status, is_admin: bool) -> Self {
        let account = |account: &'a crate::status::Account| Account {
            id: account.project,
            project: &account.slug,
            figures: account.balance.into(),
        };
        let trouble = || status.trouble.as_ref().map(|(at, message)| Trouble { at: *at, message });
        Self {
            timestamp: status.now,
            node: status.node,
            started_at: status.started,
            complete: status.is_complete,
            projects: status.projects.iter().map(account).collect(),
            total: status.total.into(),
            queue: Queue { depth: status.queue, takes_reports: status.takes_reports },
            spool: status.spool.as_ref().map(|spool| Spool {
                occurrences: spool.occurrences,
                bytes: spool.bytes,
                limit_bytes: spool.most_bytes,
                since: spool.since,
                drained: spool.drained,
                damaged: spool.damaged,
                folder: is_admin.then(|| spool.folder.to_string_lossy().into_owned()),
            }),
            store: Store {
                away: status.is_away,
                ping_ms: status.ping.map(|ping| ping.as_secs_f64() * 1e3),
                storage: status.storage.as_ref().map(|measure| &*measure.storage),
                measured_at: status.storage.as_ref().map(|measure| measure.at),
            },
            redis: status.is_redis_away.map(|away| Redis { away }),
            retention: Retention { rules: Rules::new(&status.rules), last_run: status.last_retention.map(Report::new) },
            trouble: is_admin.then(trouble),
        }
    }
}
