//! What the journeys share: the standalone server as a process, and a client that speaks plain HTTP to it.
//!
//! Start a server with [`Server::start`], talk to it with [`Client`]; it is killed when it is dropped.

mod actix;
mod client;
mod faulty;
mod load;
mod mail;
mod postgres;
mod push_service;
mod recordings;
mod redis;
mod server;
mod traces;
mod watched;

pub use actix::ActixServer;
pub use client::{Answer, Client};
pub use faulty::FaultyStore;
pub use load::{Acknowledged, Load};
pub use mail::{Login, Mail, MailServer, Way};
pub use postgres::{Database, Postgres, database_in};
pub use push_service::{PushBrowser, PushService, Pushed};
pub use recordings::{Recording, recordings, serve_recordings};
pub use redis::Redis;
pub use server::{Exit, Server, aborting_example, example};
pub use traces::traces;
pub use watched::Watched;

/// Waits until a condition holds.
///
/// # Panics
/// It does not within 30 seconds.
pub async fn until(what: &str, condition: impl Fn() -> bool) {
    let start = std::time::Instant::now();
    while !condition() {
        assert!(start.elapsed().as_secs() < 30, "waited in vain until {what}");
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
}

/// Says that a test cannot run for want of something.
///
/// # Errors
/// `ERRTRACK_REQUIRE_SERVICES=1` asks for everything to be there.
pub fn skip(what: &str) -> anyhow::Result<()> {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    if std::env::var_os("ERRTRACK_REQUIRE_SERVICES").is_some_and(|value| value == "1") {
        anyhow::bail!("{test} needs {what}, which is not there");
    }
    eprintln!("skipped: {test} needs {what}; ./scripts/test brings it");
    Ok(())
}

/// Makes two tests of each journey, one on SQLite and one on PostgreSQL. A journey is an `async fn(Database) -> Result<()>`.
#[macro_export]
macro_rules! on_both {
    ($($journey:ident)*) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $journey() -> anyhow::Result<()> {
                    super::$journey($crate::Database::sqlite()?).await
                }
            )*
        }
        mod postgres {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $journey() -> anyhow::Result<()> {
                    let Some(database) = $crate::Database::postgres()? else { return Ok(()) };
                    super::$journey(database).await
                }
            )*
        }
    };
}
