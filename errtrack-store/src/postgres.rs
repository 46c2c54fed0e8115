//! PostgreSQL: opening a database, and the connections to it.

mod driver;
mod explain;
mod feed;
mod lease;
mod partitions;
mod target;

use crate::{migrate, sql::postgres as sql};
use driver::Driver;
use errtrack_core::{StoreError, store::Connections};
use lease::{Idle, Lease};
use partitions::Days;
pub(crate) use partitions::TABLES;
use sqlx::{ConnectOptions, Connection, Error, Executor, PgConnection, postgres::PgConnectOptions};
use std::{
    io,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicBool},
    time::{Duration, Instant},
};
use target::Target;
use tokio::{sync::Semaphore, time::timeout};
use uuid::Uuid;

/// How many connections there are at most.
const CONNECTIONS: usize = 8;
/// How long a caller waits for a connection, and a connection for the server.
const PATIENCE: Duration = Duration::from_secs(8);
/// How long everything that is done with a connection at once may take; the server is told to give up a little earlier.
const WORK: Duration = Duration::from_secs(30);
/// A connection that was not used for so long is tried before it is used: the server may have been restarted.
const IDLE: Duration = Duration::from_secs(1);
/// A connection that is older is closed after its use, since a session of the server grows with what it has seen.
const OLD: Duration = Duration::from_secs(30 * 60);
/// How often a transaction that lost to another one is tried in all.
pub(crate) const TRIES: u32 = 20;
/// The oldest version that is supported.
const OLDEST: u32 = 130_000;
/// Sets up a session. What a client does that vanished must not hold locks for long, and an answer must mean that the batch
/// is on the disk.
const SESSION: &str = "
SET client_min_messages = warning; SET jit = off; SET statement_timeout = '25s'; SET lock_timeout = '15s';
SET idle_in_transaction_session_timeout = '60s';
SET tcp_keepalives_idle = 15; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3;
SELECT set_config('synchronous_commit', 'on', FALSE) WHERE current_setting('synchronous_commit') = 'off'";

/// An open database. Clones share its connections.
#[derive(Debug, Clone)]
pub(crate) struct Postgres(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    idle: Mutex<Vec<Idle>>,
    /// A permit for each connection; closed with the store.
    places: Arc<Semaphore>,
    options: PgConnectOptions,
    session: String,
    days: Days,
    /// Tells this process from others that it shares the database with.
    id: Uuid,
    /// On which they tell each other what changed.
    channel: String,
    listening: AtomicBool,
    /// Ends last.
    driver: Driver,
}

/// Opens the database and brings its tables up to date.
pub(crate) async fn open(location: &str) -> Result<Postgres, StoreError> {
    let target = Target::parse(location)?;
    let driver = Driver::start().map_err(|error| {
        let text = format!("cannot start a thread for PostgreSQL: {error}");
        StoreError::unavailable(error).context(text)
    })?;
    let session = match &target.schema {
        Some(schema) => format!("{SESSION}; SET search_path TO \"{schema}\""),
        None => SESSION.to_owned(),
    };
    let opening = driver.drive(async {
        let connection = connect(&target.options, &session).await;
        let mut connection = connection.map_err(|error| explain::connecting(error, &target))?;
        if let Some(version) = connection.server_version_num().filter(|version| *version < OLDEST) {
            return Err(explain::too_old(version, &target));
        }
        let migrated = migrate::postgres(&mut connection, target.schema.as_deref()).await;
        migrated.map_err(|error| explain::migrating(error, &target))?;
        let channel = sqlx::query_scalar(sql::CHANNEL).fetch_one(&mut connection).await;
        Ok((connection, channel.map_err(|error| explain::connecting(error, &target))?))
    });
    let (connection, channel) = opening.await?;
    let open = Postgres(Arc::new(Shared {
        idle: Mutex::new(vec![Idle::new(connection)]),
        places: Arc::new(Semaphore::new(CONNECTIONS)),
        options: target.options,
        session,
        days: Days::default(),
        id: Uuid::new_v4(),
        channel,
        listening: AtomicBool::new(false),
        driver,
    }));
    open.make_days_ahead().await?;
    Ok(open)
}

/// Opens a connection.
async fn connect(options: &PgConnectOptions, session: &str) -> Result<PgConnection, Error> {
    let connecting = async {
        let mut connection = options.connect().await?;
        connection.execute(sqlx::AssertSqlSafe(session.to_owned())).await?;
        Ok(connection)
    };
    timeout(PATIENCE, connecting).await.unwrap_or_else(|_| Err(silent()))
}

impl Postgres {
    /// Polls a future in the store's own runtime, whichever runtime asks: sockets and timers belong to that.
    pub(crate) fn drive<F: Future>(&self, future: F) -> driver::Driven<'_, F> {
        self.0.driver.drive(future)
    }

    /// A connection for one piece of work.
    pub(crate) async fn lease(&self) -> Result<Lease, Error> {
        let place = match timeout(PATIENCE, self.0.places.clone().acquire_owned()).await {
            Ok(place) => place.map_err(|_| Error::PoolClosed)?,
            Err(_) => return Err(Error::PoolTimedOut),
        };
        while let Some(mut idle) = self.take() {
            let fresh = idle.since.elapsed() < IDLE;
            if fresh || matches!(timeout(PATIENCE, idle.connection.ping()).await, Ok(Ok(()))) {
                return Ok(Lease::new(self.clone(), idle, place));
            }
        }
        Ok(Lease::new(self.clone(), Idle::new(connect(&self.0.options, &self.0.session).await?), place))
    }

    /// Waits for work with a connection, but not forever.
    pub(crate) async fn patiently<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        timeout(WORK, work).await.unwrap_or_else(|_| Err(silent()))
    }

    /// Sees to it that there are partitions for the payloads of these events.
    pub(crate) async fn make_room(&self, events: impl Iterator<Item = Uuid>) -> Result<(), StoreError> {
        let missing = self.0.days.missing(events);
        if missing.is_empty() { Ok(()) } else { self.make_days(missing).await }
    }

    pub(crate) fn connections(&self) -> Connections {
        let used = CONNECTIONS.saturating_sub(self.0.places.available_permits());
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Connections { backend: "postgres", used: number(used), most: number(CONNECTIONS) }
    }

    /// Waits for what is under way and closes every connection.
    pub(crate) async fn close(&self) {
        let closing = self.drive(async {
            let all = self.0.places.acquire_many(u32::try_from(CONNECTIONS).unwrap_or(u32::MAX));
            let all = timeout(WORK, all).await;
            self.0.places.close();
            while let Some(idle) = self.take() {
                let _ = timeout(PATIENCE, idle.connection.close()).await;
            }
            drop(all);
        });
        closing.await;
    }

    fn take(&self) -> Option<Idle> {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn put(&self, idle: Idle) {
        if idle.born.elapsed() < OLD && !self.0.places.is_closed() {
            let idle = Idle { since: Instant::now(), ..idle };
            self.0.idle.lock().unwrap_or_else(PoisonError::into_inner).push(idle);
        }
    }
}

/// The server said nothing for too long.
fn silent() -> Error {
    Error::Io(io::Error::new(io::ErrorKind::TimedOut, "the server does not answer"))
}
