//! The router on a database, asked without a network.

use anyhow::{Result, ensure};
use axum::{
    Router,
    body::{Body, Bytes},
    extract::ConnectInfo,
    http::{HeaderMap, Request, StatusCode},
};
use errtrack::{
    SqlStore, Timestamp, Tracker,
    web::{Access, Permissions, router},
};
use errtrack_tests::Database;
use http_body_util::BodyExt;
use serde_json::Value;
use std::net::SocketAddr;
use tower::ServiceExt;

pub(crate) const KEY: &str = "test-api-key";

pub(crate) struct Service {
    router: Router,
    pub(crate) tracker: Tracker,
    _database: Database,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {:?}", self.body))
    }

    /// The data of a success of the REST document.
    #[track_caller]
    pub(crate) fn data(&self) -> Value {
        let mut json = self.json();
        assert_eq!(json["status"], "success", "{} {json}", self.status);
        assert_eq!(json.as_object().unwrap().len(), 2, "data and status alone: {json}");
        json["data"].take()
    }

    /// The error of the REST document.
    #[track_caller]
    pub(crate) fn error(&self, status: u16) -> String {
        let json = self.json();
        assert_eq!((self.status.as_u16(), &json["status"]), (status, &"error".into()), "{json}");
        json["error"].as_str().unwrap().to_owned()
    }
}

impl Service {
    pub(crate) async fn start(database: Database) -> Result<Self> {
        let tracker = Tracker::builder().project("default").store(SqlStore::open(&database.url).await?).build().await?;
        let access = Access::accounts().key(KEY, Permissions::ALL);
        Ok(Self { router: router(&tracker, access), tracker, _database: database })
    }

    pub(crate) async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let peer: SocketAddr = "192.0.2.7:4242".parse().unwrap();
        let mut request = Request::builder().method(method).uri(path).extension(ConnectInfo(peer));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        Answer { status: parts.status, headers: parts.headers, body: body.collect().await.unwrap().to_bytes() }
    }

    /// Asks with the key of the document.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: &str) -> Answer {
        let headers = [("X-API-Key", KEY), ("Content-Type", "application/json"), ("User-Agent", "Mozilla/5.0")];
        self.send(method, path, &headers, body).await
    }
}

/// What a field must hold.
#[derive(Clone, Copy)]
pub(crate) enum Is {
    Text,
    Time,
    Uuid,
    Number,
    Bool,
    Object,
    List,
    /// This, or `null`.
    Or(&'static Is),
}

impl Is {
    fn fits(self, value: &Value) -> bool {
        match self {
            Self::Text => value.is_string(),
            Self::Time => value.as_str().is_some_and(|text| text.ends_with('Z') && text.parse::<Timestamp>().is_ok()),
            Self::Uuid => value.as_str().is_some_and(|text| text.len() == 36 && uuid::Uuid::try_parse(text).is_ok()),
            Self::Number => value.is_number(),
            Self::Bool => value.is_boolean(),
            Self::Object => value.is_object(),
            Self::List => value.is_array(),
            Self::Or(kind) => value.is_null() || kind.fits(value),
        }
    }
}

/// That every field is there and holds what it must.
pub(crate) fn fields(value: &Value, expected: &[(&str, Is)]) -> Result<()> {
    for (name, kind) in expected {
        let field = value.get(*name);
        ensure!(field.is_some_and(|field| kind.fits(field)), "{name} is {field:?} in {value}");
    }
    Ok(())
}
