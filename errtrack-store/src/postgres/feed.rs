//! Telling other processes what changed, and hearing it from them.

use super::{PATIENCE, Postgres};
use crate::sql::postgres as sql;
use errtrack_core::store::{Change, LocalFeed};
use serde::{Deserialize, Serialize};
use sqlx::postgres::{PgListener, PgPoolOptions};
use std::{sync::atomic::Ordering, time::Duration};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

/// Changes in one message, which the server takes up to 8,000 bytes of: each is some 70.
const TOGETHER: usize = 80;
/// More than that in one go, and others are told to read everything again.
const MOST: usize = 8 * TOGETHER;
/// How long to wait before listening again after the connection was lost.
const PAUSE: Duration = Duration::from_secs(1);

/// What one process tells the others.
#[derive(Debug, Serialize, Deserialize)]
struct Message {
    /// Who tells it, and so need not hear it.
    from: Uuid,
    changes: Vec<Change>,
}

impl Postgres {
    /// Tells other processes. It is told as well as can be: whoever does not hear it reads the database sooner or later.
    pub(crate) async fn notify(&self, changes: &[Change]) {
        let missed = [Change::Missed];
        let changes = if changes.len() > MOST { &missed[..] } else { changes };
        let from = self.0.id;
        for changes in changes.chunks(TOGETHER) {
            let Ok(text) = serde_json::to_string(&Message { from, changes: changes.to_vec() }) else { return };
            let told = self.drive(async {
                let mut lease = self.lease().await?;
                let query = sqlx::query(sql::NOTIFY).bind(&self.0.channel).bind(text);
                let done = self.patiently(query.execute(lease.connection())).await;
                lease.settle(done).await.map(drop)
            });
            if told.await.is_err() {
                return;
            }
        }
    }

    /// Begins to hear other processes, with the first who wants to know.
    pub(crate) fn listen(&self, feed: &LocalFeed) {
        if self.0.listening.swap(true, Ordering::AcqRel) {
            return;
        }
        let (id, channel, feed) = (self.0.id, self.0.channel.clone(), feed.clone());
        let (options, closed) = (self.0.options.clone(), self.0.places.clone());
        self.0.driver.spawn(async move {
            // The listener takes its connection from a pool.
            let pool =
                PgPoolOptions::new().max_connections(1).acquire_timeout(PATIENCE).acquire_slow_threshold(PATIENCE);
            let pool = pool.idle_timeout(None).max_lifetime(None).connect_lazy_with(options);
            while !closed.is_closed() {
                let _ = hear(&pool, &channel, id, &feed, &closed).await;
                // Whatever happened meanwhile was not heard.
                feed.tell(Change::Missed);
                sleep(PAUSE).await;
            }
            pool.close().await;
        });
    }
}

/// Hears others until the connection breaks or the store is closed.
async fn hear(
    pool: &sqlx::PgPool,
    channel: &str,
    id: Uuid,
    feed: &LocalFeed,
    closed: &tokio::sync::Semaphore,
) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(channel).await?;
    feed.tell(Change::Missed);
    while !closed.is_closed() {
        let Ok(heard) = timeout(PATIENCE, listener.try_recv()).await else { continue };
        let Some(heard) = heard? else { return Ok(()) };
        match serde_json::from_str::<Message>(heard.payload()) {
            Ok(message) if message.from == id => {}
            Ok(message) => message.changes.into_iter().for_each(|change| feed.tell(change)),
            // A newer program tells what this one does not know.
            Err(_) => feed.tell(Change::Missed),
        }
    }
    Ok(())
}
