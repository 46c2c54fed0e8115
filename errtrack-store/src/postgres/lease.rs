//! A connection on loan.

use super::{PATIENCE, Postgres};
use sqlx::{Connection, Error, PgConnection};
use std::time::Instant;
use tokio::{sync::OwnedSemaphorePermit, time::timeout};

/// A connection that waits for work.
#[derive(Debug)]
pub(super) struct Idle {
    pub(super) connection: PgConnection,
    /// When it was opened.
    pub(super) born: Instant,
    /// Since when it waits.
    pub(super) since: Instant,
}

impl Idle {
    pub(super) fn new(connection: PgConnection) -> Self {
        let now = Instant::now();
        Self { connection, born: now, since: now }
    }
}

/// A connection that is at work. One that is dropped is closed, and the server rolls back what it did: it may be in the
/// middle of anything.
#[derive(Debug)]
pub(crate) struct Lease {
    postgres: Postgres,
    idle: Idle,
    /// Given back after the connection.
    place: OwnedSemaphorePermit,
}

impl Lease {
    pub(super) fn new(postgres: Postgres, idle: Idle, place: OwnedSemaphorePermit) -> Self {
        Self { postgres, idle, place }
    }

    pub(crate) fn connection(&mut self) -> &mut PgConnection {
        &mut self.idle.connection
    }

    /// Gives the connection back after its work, unless that broke it.
    pub(crate) async fn settle<T>(self, done: Result<T, Error>) -> Result<T, Error> {
        let Self { postgres, mut idle, place } = self;
        let whole = match &done {
            Ok(_) => true,
            // The transaction that failed is rolled back with the next message.
            Err(Error::Database(_)) => matches!(timeout(PATIENCE, idle.connection.ping()).await, Ok(Ok(()))),
            Err(_) => false,
        };
        if whole {
            postgres.put(idle);
        }
        drop(place);
        done
    }
}
