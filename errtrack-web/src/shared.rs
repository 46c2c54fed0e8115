//! What processes share beside the database: counts of limits, and answers that are kept. In Redis, where there is one; else,
//! and while it is away, each process has its own.

use crate::{
    Config,
    cache::{Cache, LocalCache},
};
use axum::body::Bytes;
use errtrack_core::Project;
use futures_util::future::BoxFuture;
use std::time::Duration;
#[cfg(feature = "redis")]
use std::{
    fmt::Display,
    sync::{Arc, PoisonError, RwLock},
};

#[cfg(feature = "redis")]
const COUNT: &str = "local used = redis.call('INCR', KEYS[1]) \
                     local left = redis.call('PTTL', KEYS[1]) \
                     if left < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) left = tonumber(ARGV[1]) end \
                     return {used, left}";

/// What is shared with other processes on the same database.
#[derive(Debug)]
pub(crate) struct Shared {
    local: LocalCache,
    #[cfg(feature = "redis")]
    redis: Option<crate::Redis>,
    /// What sets this database apart from others that use the same server, and what it is made of.
    #[cfg(feature = "redis")]
    namespace: RwLock<Option<(String, Arc<str>)>>,
}

#[cfg_attr(
    not(feature = "redis"),
    expect(clippy::unused_self, clippy::unused_async, reason = "there is nothing to share")
)]
impl Shared {
    #[cfg_attr(not(feature = "redis"), expect(unused_variables, reason = "there is nothing to configure"))]
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            local: LocalCache::default(),
            #[cfg(feature = "redis")]
            redis: config.redis.clone(),
            #[cfg(feature = "redis")]
            namespace: RwLock::default(),
        }
    }

    /// Whether the server that is shared does not answer; `None` where there is none.
    pub(crate) fn is_away(&self) -> Option<bool> {
        #[cfg(feature = "redis")]
        return self.redis.as_ref().map(crate::Redis::is_away);
        #[cfg(not(feature = "redis"))]
        None
    }

    /// Whether it has to be told which projects there are.
    pub(crate) fn needs_projects(&self) -> bool {
        #[cfg(feature = "redis")]
        return self.redis.is_some() && self.namespace.read().unwrap_or_else(PoisonError::into_inner).is_none();
        #[cfg(not(feature = "redis"))]
        false
    }

    /// Notes which database this is: no two have the same public key in their first project.
    #[cfg_attr(not(feature = "redis"), expect(unused_variables, reason = "there is nothing to tell apart"))]
    pub(crate) fn note_projects(&self, projects: &[Project]) {
        #[cfg(feature = "redis")]
        {
            let Some(first) = projects.iter().min_by_key(|project| project.id).filter(|_| self.redis.is_some()) else {
                return;
            };
            let made_of = first.public_keys.first().unwrap_or(&first.slug);
            let same = |known: &Option<(String, Arc<str>)>| known.as_ref().is_some_and(|(known, _)| known == made_of);
            if same(&self.namespace.read().unwrap_or_else(PoisonError::into_inner)) {
                return;
            }
            let name = hex(made_of).into();
            *self.namespace.write().unwrap_or_else(PoisonError::into_inner) = Some((made_of.clone(), name));
        }
    }

    /// Counts one in a window that begins with the first, over all processes; with what is left of it. `None` where nothing is
    /// shared now.
    #[cfg_attr(not(feature = "redis"), expect(unused_variables, reason = "there is nothing to share"))]
    pub(crate) async fn count(&self, policy: &str, subject: &[u8], window: Duration) -> Option<(u64, Duration)> {
        #[cfg(feature = "redis")]
        {
            let (redis, key) = self.key("limit", format_args!("{policy}:{}", bytes(subject)))?;
            let mut question = redis::cmd("EVAL");
            question.arg(COUNT).arg(1).arg(key).arg(u64::try_from(window.as_millis()).unwrap_or(u64::MAX));
            let (used, left): (u64, u64) = redis.ask(&question).await?;
            Some((used, Duration::from_millis(left)))
        }
        #[cfg(not(feature = "redis"))]
        None
    }

    /// The server, and a name on it.
    #[cfg(feature = "redis")]
    fn key(&self, kind: &str, name: impl Display) -> Option<(&crate::Redis, String)> {
        let redis = self.redis.as_ref()?;
        let namespace = self.namespace.read().unwrap_or_else(PoisonError::into_inner);
        let (_, namespace) = namespace.as_ref()?;
        Some((redis, format!("errtrack:{namespace}:{kind}:{name}")))
    }
}

impl Cache for Shared {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Option<Bytes>> {
        Box::pin(async move {
            #[cfg(feature = "redis")]
            if let Some((redis, name)) = self.key("kept", hex(key))
                && let Some(found) = redis.ask::<Option<Vec<u8>>>(redis::cmd("GET").arg(name)).await
            {
                return found.map(Bytes::from);
            }
            self.local.get(key).await
        })
    }

    fn put<'a>(&'a self, key: &'a str, value: Bytes, lives: Duration) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            #[cfg(feature = "redis")]
            if let (Some((redis, name)), Ok(millis @ 1..)) =
                (self.key("kept", hex(key)), u64::try_from(lives.as_millis()))
            {
                let mut question = redis::cmd("SET");
                question.arg(name).arg(&value[..]).arg("PX").arg(millis);
                if redis.ask::<()>(&question).await.is_some() {
                    return;
                }
            }
            self.local.put(key, value, lives).await;
        })
    }
}

/// A short name for a text: what it says stays here.
#[cfg(feature = "redis")]
fn hex(text: &str) -> String {
    use sha2::{Digest, Sha256};
    let hash = Sha256::digest(text.as_bytes());
    bytes(hash.first_chunk::<16>().map_or(&[], |chunk| chunk.as_slice()))
}

#[cfg(feature = "redis")]
fn bytes(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
