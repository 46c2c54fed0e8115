//! A router on a store of its own in a temporary folder, asked without a network.
//!
//! `TestApp::new().await`, then [`TestApp::send`] and the shorter forms. The key [`KEY`] may do everything, [`READ_KEY`] may
//! only see, [`WRITE_KEY`] change but not set up, [`INGEST_KEY`] report alone; project 1 (`default`) has the public key
//! [`PUBLIC_KEY`].

use super::away::AwayStore;
use crate::{Access, Config, Permissions, RateLimits, router_with};
use axum::{
    Router,
    body::{Body, Bytes},
    extract::ConnectInfo,
};
use errtrack_core::{ProjectId, Tracker, TrackerBuilder, store::ProjectStore};
use errtrack_store::SqliteStore;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use std::{
    net::SocketAddr,
    path::Path,
    time::{Duration, Instant},
};
use tower::ServiceExt;

pub(super) const KEY: &str = "test-api-key";
pub(super) const READ_KEY: &str = "read-key";
pub(super) const WRITE_KEY: &str = "write-key";
pub(super) const INGEST_KEY: &str = "ingest-key";
pub(super) const PUBLIC_KEY: &str = "a1b2c3d4e5f60718293a4b5c6d7e8f90";

pub(super) struct TestApp {
    router: Router,
    pub(super) tracker: Tracker,
    pub(super) store: AwayStore,
    _folder: tempfile::TempDir,
}

pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Answer {
    #[track_caller]
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {:?}", self.body))
    }

    /// The data of a success.
    #[track_caller]
    pub(super) fn data(&self) -> Value {
        let mut json = self.json();
        assert_eq!(json["status"], "success", "{json}");
        json["data"].take()
    }

    /// The text of an error in the frame of the API.
    #[track_caller]
    pub(super) fn error(&self, status: u16) -> String {
        let json = self.json();
        assert_eq!((self.status.as_u16(), &json["status"]), (status, &"error".into()), "{json}");
        json["error"].as_str().expect("a text").to_owned()
    }
}

impl TestApp {
    /// Without rate limits: a test asks more than a person.
    pub(super) async fn new() -> Self {
        Self::with(Config { rate_limits: RateLimits::OFF, ..Config::default() }).await
    }

    pub(super) async fn with(config: Config) -> Self {
        Self::built(config, |builder, _| builder).await
    }

    /// With that access instead of the keys.
    pub(super) async fn with_access(access: Access) -> Self {
        let app = Self::new().await;
        let config = Config { rate_limits: RateLimits::OFF, ..Config::default() };
        Self { router: router_with(&app.tracker, access, config), ..app }
    }

    /// With a tracker that keeps so many bytes on disk while the database is away.
    pub(super) async fn with_spool(most_bytes: u64) -> Self {
        Self::built(Config::default(), |builder, folder| builder.spool(folder.join("spool"), most_bytes)).await
    }

    async fn built(config: Config, more: impl FnOnce(TrackerBuilder, &Path) -> TrackerBuilder) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = SqliteStore::open(folder.path().join("errors.db").to_str().expect("UTF-8")).await.expect("a store");
        let store = AwayStore::new(store);
        let builder = more(Tracker::builder().store(store.clone()), folder.path());
        let tracker = builder.build().await.expect("a tracker");
        store.add_public_key(ProjectId(1), PUBLIC_KEY).await.expect("a key");
        Self { router: Self::router(&tracker, config), tracker, store, _folder: folder }
    }

    fn router(tracker: &Tracker, config: Config) -> Router {
        let access = Access::accounts()
            .key(KEY, Permissions::ALL)
            .key(READ_KEY, Permissions::READ)
            .key(WRITE_KEY, Permissions::WRITE)
            .key(INGEST_KEY, Permissions::INGEST);
        router_with(tracker, access, config)
    }

    /// Another process on the same database, as far as one process can play two.
    pub(super) async fn second(&self) -> Self {
        self.second_with(Config::default()).await
    }

    pub(super) async fn second_with(&self, config: Config) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let tracker = Tracker::builder().store(self.store.clone()).build().await.expect("a tracker");
        let router = Self::router(&tracker, config);
        Self { router, tracker, store: self.store.clone(), _folder: folder }
    }

    /// Waits for what happens in the background.
    pub(super) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
        let start = Instant::now();
        while !is_so().await {
            assert!(start.elapsed() < Duration::from_secs(30), "{what}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The same for what comes some time.
    pub(super) async fn until_some<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            if let Some(found) = look().await {
                return found;
            }
            assert!(start.elapsed() < Duration::from_secs(30), "{what}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(super) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let peer: SocketAddr = "192.0.2.7:4242".parse().expect("an address");
        let mut request = Request::builder().method(method).uri(path).extension(ConnectInfo(peer));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.answer(request.body(body.into()).expect("a request")).await
    }

    /// Asks from another address.
    pub(super) async fn send_from(&self, peer: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let peer: SocketAddr = format!("{peer}:4242").parse().expect("an address");
        let mut request = Request::post(path).extension(ConnectInfo(peer));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.answer(request.body(body.to_owned().into()).expect("a request")).await
    }

    async fn answer(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.expect("infallible");
        let (parts, body) = response.into_parts();
        // That never ends by itself.
        let is_live = parts.headers.get("content-type").is_some_and(|kind| kind == "text/event-stream");
        let body = if is_live { Body::empty() } else { body };
        let body = body.collect().await.expect("a body").to_bytes();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// The head of an answer, whose body is to be read bit by bit.
    pub(super) async fn response(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> http::Response<Body> {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).expect("a request");
        self.router.clone().oneshot(request).await.expect("infallible")
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[("x-api-key", KEY)], "").await
    }

    pub(super) async fn put(&self, path: &str) -> Answer {
        self.send("PUT", path, &[("x-api-key", KEY)], "").await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, &[("x-api-key", KEY), ("user-agent", "curl/8")], body.to_string()).await
    }

    /// Asks with that key.
    pub(super) async fn ask(&self, method: &str, path: &str, key: &str) -> Answer {
        self.send(method, path, &[("x-api-key", key)], "").await
    }

    /// Sends an envelope to project 1.
    pub(super) async fn envelope(&self, body: impl Into<Body>) -> Answer {
        let path = format!("/api/1/envelope/?sentry_key={PUBLIC_KEY}&sentry_version=7");
        self.send("POST", &path, &[], body).await
    }
}
