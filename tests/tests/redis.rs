//! Several nodes that share a Redis server: limits are exact over all of them, and nobody notices when it goes.

use anyhow::{Context, Result, ensure};
use axum::{
    Router,
    body::Body,
    http::{Request, Response},
};
use errtrack::{
    SqlStore, Tracker,
    web::{self, Access, Config, Permissions, RateLimits},
};
use errtrack_tests::{Redis, database_in};
use http_body_util::BodyExt;
use serde_json::Value;
use std::{
    path::Path,
    time::{Duration, Instant},
};
use tower::ServiceExt;

const KEY: &str = "a-key-that-nobody-must-see";

/// A process on that database, as far as one process can play several.
struct Node {
    router: Router,
    _tracker: Tracker,
}

impl Node {
    async fn new(folder: &Path, redis: Option<&Redis>, limits: RateLimits) -> Result<Self> {
        Self::with(folder, redis.map(|redis| web::Redis::new(&redis.url())).transpose()?, limits).await
    }

    async fn with(folder: &Path, redis: Option<web::Redis>, limits: RateLimits) -> Result<Self> {
        let tracker = Tracker::builder().store(SqlStore::open(&database_in(folder)?).await?).build().await?;
        let mut config = Config::default();
        config.rate_limits = limits;
        config.redis = redis;
        let access = Access::accounts().key(KEY, Permissions::ALL);
        Ok(Self { router: web::router_with(&tracker, access, config), _tracker: tracker })
    }

    async fn get(&self, path: &str) -> Result<Response<Body>> {
        let request = Request::get(path).header("x-api-key", KEY).body(Body::empty())?;
        Ok(self.router.clone().oneshot(request).await?)
    }

    async fn json(&self, path: &str) -> Result<Value> {
        let body = self.get(path).await?.into_body().collect().await?.to_bytes();
        Ok(serde_json::from_slice(&body)?)
    }

    async fn report(&self) -> Result<()> {
        let request = Request::post("/api/errors").header("x-api-key", KEY);
        let request = request.body(Body::from(r#"{"message":"m","source":"backend"}"#))?;
        let status = self.router.clone().oneshot(request).await?.status();
        ensure!(status == 201, "{status}");
        Ok(())
    }

    async fn status(&self, path: &str) -> Result<u16> {
        Ok(self.get(path).await?.status().as_u16())
    }

    async fn is_redis_away(&self) -> Result<Option<bool>> {
        Ok(self.json("/api/monitoring/balance").await?["data"]["redis"]["away"].as_bool())
    }
}

fn api(most: u32) -> RateLimits {
    let mut limits = RateLimits::OFF;
    limits.api = most;
    limits
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_is_exact_over_all_nodes() -> Result<()> {
    let Some(redis) = Redis::start()? else { return Ok(()) };
    let folder = tempfile::tempdir()?;
    let nodes = [
        Node::new(folder.path(), Some(&redis), api(50)).await?,
        Node::new(folder.path(), Some(&redis), api(50)).await?,
    ];
    // All at once, on both.
    let asked = (0..120).map(|n| nodes[n % 2].status("/api/errors/X-1"));
    let statuses = futures_util::future::try_join_all(asked).await?;
    assert_eq!(statuses.iter().filter(|status| **status == 404).count(), 50, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 70, "{statuses:?}");
    let refused = nodes[0].get("/api/errors/X-1").await?;
    let wait: u64 = refused.headers()["retry-after"].to_str()?.parse()?;
    assert!((1..=60).contains(&wait), "{wait}");
    // What is there has an end, and says nothing of the key.
    let keys = redis.ask("KEYS *").context("it answers")?;
    let names: Vec<&str> = keys.lines().filter(|line| line.starts_with("errtrack:")).collect();
    assert!(!names.is_empty() && !keys.contains(KEY), "{keys}");
    for name in names {
        let left = redis.ask(&format!("PTTL {name}")).context("it answers")?;
        let left: i64 = left.lines().next().and_then(|line| line.strip_prefix(':')).context("a number")?.parse()?;
        assert!((1..=60_000).contains(&left), "{name} {left}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls_it_is_the_same_and_only_who_is_trusted_is_asked() -> Result<()> {
    let Some(redis) = Redis::start_secure()? else { return Ok(()) };
    let folder = tempfile::tempdir()?;
    let (url, certificate) = redis.secure_url()?;
    let secure = web::Redis::new(&url)?;
    let trusted = secure.trusting([certificate])?;
    let nodes = [
        Node::with(folder.path(), Some(trusted.clone()), api(4)).await?,
        Node::new(folder.path(), Some(&redis), api(4)).await?,
    ];
    for (node, expected) in [(0, 404), (1, 404), (0, 404), (1, 404), (0, 429), (1, 429)] {
        assert_eq!(nodes[node].status("/api/errors/X-1").await?, expected);
    }
    assert_eq!(nodes[0].is_redis_away().await?, Some(false));
    // The system vouches for nobody of that name.
    let stranger = Node::with(folder.path(), Some(secure), api(4)).await?;
    assert_eq!(stranger.status("/api/errors/X-1").await?, 404);
    assert_eq!(stranger.is_redis_away().await?, Some(true));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_node_has_worked_out_serves_the_other_until_something_is_written() -> Result<()> {
    let Some(redis) = Redis::start()? else { return Ok(()) };
    let folder = tempfile::tempdir()?;
    let one = Node::new(folder.path(), Some(&redis), RateLimits::OFF).await?;
    let other = Node::new(folder.path(), Some(&redis), RateLimits::OFF).await?;
    one.report().await?;
    assert_eq!(one.json("/api/stats").await?["data"]["total_events"], 1);
    // Told apart from what the other would work out itself.
    let keys = redis.ask("KEYS errtrack:*:kept:*").context("it answers")?;
    let kept: Vec<&str> = keys.lines().filter(|line| line.starts_with("errtrack:")).collect();
    assert!(!kept.is_empty(), "{keys}");
    for name in kept {
        let set = redis.ask(&format!(r#"SET {name} '{{"data":{{"made_by":"one"}},"status":"success"}}' KEEPTTL"#));
        assert!(set.is_some_and(|answer| answer.starts_with("+OK")));
    }
    for node in [&other, &one] {
        assert_eq!(node.json("/api/stats").await?["data"]["made_by"], "one");
    }
    other.report().await?;
    for node in [&one, &other] {
        assert_eq!(node.json("/api/stats").await?["data"]["total_events"], 2);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn databases_on_one_server_do_not_mix() -> Result<()> {
    let Some(redis) = Redis::start()? else { return Ok(()) };
    for _ in 0..2 {
        let folder = tempfile::tempdir()?;
        let node = Node::new(folder.path(), Some(&redis), api(1)).await?;
        assert_eq!((node.status("/api/errors").await?, node.status("/api/errors").await?), (200, 429));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_each_node_counts_for_itself() -> Result<()> {
    let folder = tempfile::tempdir()?;
    for _ in 0..2 {
        let node = Node::new(folder.path(), None, api(2)).await?;
        for expected in [200, 200, 429] {
            assert_eq!(node.status("/api/errors").await?, expected);
        }
        assert_eq!(node.is_redis_away().await?, None);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn when_it_goes_nobody_is_refused_or_waits_and_it_comes_back_by_itself() -> Result<()> {
    let Some(mut redis) = Redis::start()? else { return Ok(()) };
    let folder = tempfile::tempdir()?;
    let node = Node::new(folder.path(), Some(&redis), api(10_000)).await?;
    let other = Node::new(folder.path(), Some(&redis), api(10_000)).await?;
    let left = |answer: &Response<Body>| -> Result<u32> {
        let line = answer.headers()["ratelimit"].to_str()?;
        let rest = line.strip_prefix("\"api\";r=").and_then(|rest| rest.split(';').next());
        Ok(rest.context("a number")?.parse()?)
    };
    for is_hanging in [true, false] {
        assert_eq!(node.status("/api/errors").await?, 200);
        assert_eq!(node.is_redis_away().await?, Some(false));
        if is_hanging {
            redis.pause()?;
        } else {
            redis.stop();
        }
        let (start, mut longest) = (Instant::now(), Duration::ZERO);
        // Long enough for tries to connect.
        while start.elapsed() < Duration::from_millis(2_500) {
            let asked = Instant::now();
            assert_eq!(node.status("/api/stats").await?, 200);
            assert_eq!(node.status("/api/errors").await?, 200);
            longest = longest.max(asked.elapsed());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(longest < Duration::from_millis(900), "a caller waited {longest:?}");
        assert_eq!(node.is_redis_away().await?, Some(true));
        if is_hanging {
            redis.resume()?;
        } else {
            redis.start_again()?;
        }
        let start = Instant::now();
        while node.is_redis_away().await? != Some(false) || other.is_redis_away().await? != Some(false) {
            assert!(start.elapsed() < Duration::from_secs(20), "it was not found again");
            assert_eq!((node.status("/api/errors").await?, other.status("/api/errors").await?), (200, 200));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        // They count together again.
        let one = left(&node.get("/api/errors").await?)?;
        let two = left(&other.get("/api/errors").await?)?;
        assert_eq!(two, one - 1);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_never_there_costs_nothing() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let tracker = Tracker::builder().store(SqlStore::open(&database_in(folder.path())?).await?).build().await?;
    let mut config = Config::default();
    // A port that nobody listens on.
    let nowhere = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    config.redis = Some(web::Redis::new(&format!("redis://{nowhere}"))?);
    config.rate_limits = api(3);
    let router = web::router_with(&tracker, Access::accounts().key(KEY, Permissions::ALL), config);
    let node = Node { router, _tracker: tracker };
    for expected in [200, 200, 200, 429] {
        assert_eq!(node.status("/api/errors").await?, expected);
    }
    assert_eq!(node.is_redis_away().await?, Some(true));
    let services = node.json("/api/monitoring/services").await?;
    let cache = &services["data"]["services"][1];
    assert_eq!((&cache["name"], &cache["status"]), (&"Cache Service".into(), &"unhealthy".into()), "{services}");
    assert_eq!(cache["details"]["reason"], "Redis does not answer: each process keeps for itself");
    Ok(())
}
