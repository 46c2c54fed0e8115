//! Redis, as far as it is there: it is asked with little patience, and left alone for a moment when it does not answer.

use errtrack_outgoing::{AllowedTargets, Outgoing};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ConnectionInfo, FromRedisValue, IntoConnectionInfo,
    aio::MultiplexedConnection,
};
use std::{
    error::Error,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::time::timeout;

/// How long a question may take, and how long it may take to connect.
const PATIENCE: Duration = Duration::from_millis(250);
/// Between two tries to connect.
const PAUSE: Duration = Duration::from_secs(1);

/// A Redis server that several processes share: limits are exact over all of them, and answers that one has made serve all.
///
/// Nothing is kept there that is not elsewhere. While it is away each process counts and keeps for itself: one line in the
/// log says so, the page "System" shows it, no caller gets an error or waits longer than a quarter of a second, once. Keys begin
/// with `errtrack:`, differ between databases, and all expire. No API key goes there, only hashes.
///
/// Clones share a connection. Redis 2.6 or later, or what speaks its protocol; over TLS as `rediss://`, with a feature
/// `tls-ring` or `tls-aws-lc-rs`. Certificates are checked against those of the system.
///
/// # Example
/// ```
/// # fn main() -> Result<(), errtrack_web::InvalidRedisUrl> {
/// let mut config = errtrack_web::Config::default();
/// config.redis = Some(errtrack_web::Redis::new("redis://127.0.0.1:6379/0")?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Redis(Arc<Inner>);

struct Inner {
    client: Client,
    info: ConnectionInfo,
    /// What makes connections of TLS: the one that everything else of ours does, so there is one of it.
    tls: Option<Outgoing>,
    /// Where it is, without a password.
    place: String,
    link: Mutex<Link>,
    /// One connects first, the others wait for it.
    connecting: tokio::sync::Mutex<()>,
}

enum Link {
    /// Nobody has asked yet.
    New,
    Open(MultiplexedConnection),
    /// It did not answer then. Said so once, until it answers again.
    Away {
        tried: Instant,
        is_trying: bool,
    },
}

/// The error of a URL that is none of Redis.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidRedisUrl {
    /// It is none.
    #[error("must be redis://[user:password@]host[:port][/database], or rediss:// for TLS")]
    Malformed,
    /// It is one of TLS.
    #[error("TLS is not built into this program")]
    WithoutTls,
}

impl Redis {
    /// A server by its URL, `redis://[user:password@]host[:port][/database]`, or `rediss://…` over TLS. It is connected to when
    /// it is first needed.
    ///
    /// # Errors
    /// It is no such URL, or one of TLS, which is not built in.
    pub fn new(url: &str) -> Result<Self, InvalidRedisUrl> {
        let invalid = |_| InvalidRedisUrl::Malformed;
        let secure =
            url.strip_prefix("rediss://").filter(|rest| !rest.contains('#')).map(|rest| format!("redis://{rest}"));
        let info = secure.as_deref().unwrap_or(url).into_connection_info().map_err(invalid)?;
        let tls = match (&secure, info.addr()) {
            (None, ConnectionAddr::Tcp(..) | ConnectionAddr::Unix(_)) => None,
            (Some(_), ConnectionAddr::Tcp(..)) if !Outgoing::speaks_https() => return Err(InvalidRedisUrl::WithoutTls),
            // Whoever runs this program has named it, wherever it is.
            (Some(_), ConnectionAddr::Tcp(host, _)) => {
                Some(Outgoing::with(AllowedTargets::default().and_host(host), PATIENCE, 0))
            }
            _ => return Err(InvalidRedisUrl::Malformed),
        };
        Self::with(info, tls).map_err(invalid)
    }

    /// The same server, but with these certificates (DER) alone trusted to vouch for it, instead of those of the system.
    ///
    /// # Errors
    /// None that [`Redis::new`] would not have had.
    pub fn trusting(&self, certificates: impl IntoIterator<Item = Vec<u8>>) -> Result<Self, InvalidRedisUrl> {
        let tls = self.0.tls.clone().map(|tls| tls.trusting(certificates));
        Self::with(self.0.info.clone(), tls).map_err(|_| InvalidRedisUrl::Malformed)
    }

    fn with(info: ConnectionInfo, tls: Option<Outgoing>) -> redis::RedisResult<Self> {
        let place = info.addr().to_string();
        let client = Client::open(info.clone())?;
        let (link, connecting) = (Mutex::new(Link::New), tokio::sync::Mutex::default());
        Ok(Self(Arc::new(Inner { client, info, tls, place, link, connecting })))
    }

    /// Whether it does not answer.
    pub(crate) fn is_away(&self) -> bool {
        matches!(*self.link(), Link::Away { .. })
    }

    /// Asks it; `None` while it does not answer.
    pub(crate) async fn ask<T: FromRedisValue>(&self, question: &Cmd) -> Option<T> {
        let mut connection = self.connection().await?;
        match timeout(PATIENCE, question.query_async(&mut connection)).await {
            Ok(Ok(answer)) => Some(answer),
            Ok(Err(error)) => {
                self.lose(&error);
                None
            }
            Err(_) => {
                self.lose(&"it does not answer");
                None
            }
        }
    }

    fn link(&self) -> MutexGuard<'_, Link> {
        self.0.link.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> Option<MultiplexedConnection> {
        match &*self.link() {
            Link::Open(connection) => Some(connection.clone()),
            Link::New | Link::Away { .. } => None,
        }
    }

    /// The connection. Only who asks first waits for it; while the server is away it is tried in the background.
    async fn connection(&self) -> Option<MultiplexedConnection> {
        match &mut *self.link() {
            Link::Open(connection) => return Some(connection.clone()),
            Link::Away { tried, is_trying } => {
                if !*is_trying && tried.elapsed() >= PAUSE {
                    *is_trying = true;
                    let own = self.clone();
                    tokio::spawn(async move { own.connect().await });
                }
                return None;
            }
            Link::New => {}
        }
        let _turn = self.0.connecting.lock().await;
        if matches!(*self.link(), Link::New) {
            self.connect().await;
        }
        self.open()
    }

    async fn connect(&self) {
        // Without this a task that is dropped while it tries would be the last one.
        let mut trying = Trying { redis: self, done: false };
        let opening = async {
            let mut connection = self.open_new().await?;
            redis::cmd("PING").exec_async(&mut connection).await?;
            Ok::<_, Box<dyn Error + Send + Sync>>(connection)
        };
        let opened = timeout(PATIENCE, opening).await;
        trying.done = true;
        match opened {
            Ok(Ok(connection)) => {
                let before = std::mem::replace(&mut *self.link(), Link::Open(connection));
                if let Link::Away { .. } = before {
                    tracing::info!(target: "errtrack", "Redis at {} is back", self.0.place);
                }
            }
            Ok(Err(error)) => self.lose(&error),
            Err(_) => self.lose(&"it does not answer"),
        }
    }

    async fn open_new(&self) -> Result<MultiplexedConnection, Box<dyn Error + Send + Sync>> {
        let config = AsyncConnectionConfig::new().set_connection_timeout(Some(PATIENCE)).set_response_timeout(None);
        let (Some(tls), ConnectionAddr::Tcp(host, port)) = (&self.0.tls, self.0.info.addr()) else {
            return Ok(self.0.client.get_multiplexed_async_connection_with_config(&config).await?);
        };
        let stream = tls.secure(host, *port).await?;
        let opened = MultiplexedConnection::new_with_config(self.0.info.redis_settings(), stream, config);
        let (connection, driver) = opened.await?;
        // It ends when the last clone of the connection has gone.
        tokio::spawn(driver);
        Ok(connection)
    }

    /// Notes that it does not answer; says so when it did before.
    fn lose(&self, why: &dyn fmt::Display) {
        let away = Link::Away { tried: Instant::now(), is_trying: false };
        let before = std::mem::replace(&mut *self.link(), away);
        if !matches!(before, Link::Away { .. }) {
            tracing::warn!(
                target: "errtrack",
                "Redis at {} is away ({why}): limits are counted and answers kept within this process until it is back",
                self.0.place
            );
        }
    }
}

/// A try to connect.
struct Trying<'a> {
    redis: &'a Redis,
    done: bool,
}

impl Drop for Trying<'_> {
    fn drop(&mut self) {
        if let (false, Link::Away { is_trying, .. }) = (self.done, &mut *self.redis.link()) {
            *is_trying = false;
        }
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Redis").field(&self.0.place).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_read_and_no_password_is_shown() {
        let redis = Redis::new("redis://ana:hunter2@cache.example.com:6380/2").unwrap();
        assert_eq!(format!("{redis:?}"), "Redis(\"cache.example.com:6380\")");
        let secure = Redis::new("rediss://ana:hunter2@cache.example.com").unwrap();
        assert_eq!(format!("{secure:?}"), "Redis(\"cache.example.com:6379\")");
        // `#insecure` would look at no certificate.
        for wrong in ["", "cache", "http://cache", "rediss://", "rediss://cache/#insecure", "rediss+unix:///tmp/cache"]
        {
            assert_eq!(Redis::new(wrong).err(), Some(InvalidRedisUrl::Malformed), "{wrong}");
        }
    }
}
