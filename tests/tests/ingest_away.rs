//! While the database is away each dialect says so in its own words, and takes reports again once it is back.

use errtrack::{
    SqliteStore, Tracker,
    web::{Access, router},
};
use errtrack_core::store::ProjectStore;
use errtrack_tests::{Answer, Client, FaultyStore, database_in};
use serde_json::json;

const PUBLIC_KEY: &str = "a1b2c3d4e5f60718293a4b5c6d7e8f90";

#[tokio::test(flavor = "multi_thread")]
async fn every_dialect_says_that_the_database_is_away() {
    let folder = tempfile::tempdir().unwrap();
    let inner = SqliteStore::open(&database_in(folder.path()).unwrap()).await.unwrap();
    let store = FaultyStore::new(inner);
    let tracker = Tracker::builder().store(store.clone()).build().await.unwrap();
    ProjectStore::add_public_key(&store, tracker.project().id, PUBLIC_KEY).await.unwrap();
    let app = router::<()>(&tracker, Access::token("secret"));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut client = Client::new(listener.local_addr().unwrap()).header("x-api-key", "secret");
    tokio::spawn(async move { axum::serve(listener, app).await });

    let envelope = format!("/api/1/envelope/?sentry_key={PUBLIC_KEY}");
    let reports = [
        ("/api/errors", json!({"message": "m", "source": "s"}).to_string()),
        ("/api/v1/errors", json!({"errorCode": "c", "errorType": "T", "message": "m", "appId": "a"}).to_string()),
        ("/error-tracker/api/errors", json!({"project": "p", "exception_type": "T", "message": "m"}).to_string()),
        (envelope.as_str(), "{}\n{\"type\":\"event\"}\n{\"message\":\"m\"}".to_owned()),
    ];
    assert_eq!(client.get("/health").await.unwrap().json()["status"], "ok");
    store.set_away(true);
    for (path, body) in &reports {
        let answer: Answer = client.post(path, body.clone()).await.unwrap();
        assert_eq!((answer.status.as_u16(), &answer.headers["retry-after"]), (503, &"5".parse().unwrap()), "{path}");
        let why = answer.json();
        let words = match *path {
            "/api/v1/errors" => why["success"] == false && why["error"].is_string(),
            path if path.starts_with("/api/1/") => why["detail"].is_string(),
            _ => why["status"] == "error" && why["error"].is_string(),
        };
        assert!(words, "{path}: {why}");
    }
    let health = client.get("/health").await.unwrap();
    assert_eq!((health.status.as_u16(), &health.json()["status"]), (503, &"unavailable".into()), "no spool");
    store.set_away(false);
    for (path, body) in &reports {
        assert!(client.post(path, body.clone()).await.unwrap().status.is_success(), "{path}");
    }
    assert_eq!(client.get("/health").await.unwrap().json()["status"], "ok");
    tracker.shutdown().await;
    let health = client.get("/health").await.unwrap();
    assert_eq!((health.status.as_u16(), &health.json()["status"]), (503, &"unavailable".into()));
}
