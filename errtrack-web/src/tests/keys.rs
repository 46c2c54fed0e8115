//! API keys: made, used, revoked.

use super::support::{INGEST_KEY, KEY, READ_KEY, TestApp, WRITE_KEY};
use errtrack_core::{
    Timestamp,
    store::{KeyStore, ProjectStore},
};
use serde_json::{Value, json};
use std::time::Duration;

const PATH: &str = "/api/settings/api-keys";

impl TestApp {
    /// Makes a key; answers its id and secret.
    pub(super) async fn make_key(&self, wanted: Value) -> (String, String) {
        let answer = self.post(PATH, &wanted).await;
        assert_eq!(answer.status, 201, "{}", answer.json());
        let data = answer.data();
        (data["id"].as_str().unwrap().to_owned(), data["api_key"].as_str().unwrap().to_owned())
    }
}

#[tokio::test]
async fn a_key_is_shown_once_and_kept_as_a_hash() {
    let app = TestApp::new().await;
    let wanted = json!({"name": "Development Key", "permissions": ["read"], "expires_at": "2125-12-31T23:59:59Z"});
    let made = app.post(PATH, &wanted).await.data();
    let secret = made["api_key"].as_str().unwrap();
    assert!(secret.starts_with("sk_live_") && secret.len() == 72, "{secret}");
    assert_eq!(made["key_preview"], format!("sk_****{}", secret.split_at(68).1));
    assert_eq!((&made["name"], &made["permissions"]), (&"Development Key".into(), &json!(["read"])));
    assert_eq!(made["expires_at"], "2125-12-31T23:59:59Z");
    let list = app.get(PATH).await;
    let keys = list.data()["api_keys"].clone();
    assert_eq!(keys.as_array().unwrap().len(), 1);
    assert_eq!(
        (&keys[0]["id"], &keys[0]["last_used"], &keys[0]["projects"]),
        (&made["id"], &Value::Null, &Value::Null)
    );
    assert!(!String::from_utf8_lossy(&list.body).contains(secret));
    let stored = app.store.api_keys().await.unwrap();
    assert!(!format!("{stored:?}").contains(secret.split_at(8).1));
    assert_eq!(app.ask("GET", "/api/errors", secret).await.status, 200);
    let used = || async { !app.get(PATH).await.data()["api_keys"][0]["last_used"].is_null() };
    TestApp::until("its use is noted", async || used().await).await;
}

#[tokio::test]
async fn a_revoked_key_opens_nothing_on_any_process() {
    let app = TestApp::new().await;
    let second = app.second().await;
    let (id, secret) = app.make_key(json!({"name": "k", "permissions": ["admin"]})).await;
    for app in [&app, &second] {
        assert_eq!(app.ask("GET", PATH, &secret).await.status, 200);
    }
    assert_eq!(app.send("DELETE", &format!("{PATH}/{id}"), &[("x-api-key", KEY)], "").await.status, 204);
    for app in [&app, &second] {
        assert_eq!(app.ask("GET", PATH, &secret).await.status, 401, "at once, on each");
    }
    assert_eq!(app.send("DELETE", &format!("{PATH}/{id}"), &[("x-api-key", KEY)], "").await.status, 404);
    assert_eq!(app.ask("DELETE", &format!("{PATH}/nonsense"), KEY).await.status, 400);
}

#[tokio::test]
async fn while_the_database_is_away_known_keys_report_and_unknown_ones_wait() {
    let app = TestApp::with_spool(1 << 20).await;
    let (_, secret) = app.make_key(json!({"name": "k", "permissions": ["ingest"]})).await;
    let report = json!({"message": "m", "source": "s"}).to_string();
    let send =
        async |key: String| app.send("POST", "/api/errors", &[("x-api-key", key.as_str())], report.clone()).await;
    assert_eq!(send(secret.clone()).await.status, 201);
    app.store.set_away(true);
    assert_eq!(send(secret).await.status, 202, "spooled");
    let unknown = async || send(format!("sk_live_{}", "0".repeat(64))).await.status == 503;
    TestApp::until("nobody knows whether there is such a key by now", unknown).await;
    assert_eq!(send("nonsense".into()).await.status, 401, "none of ours, for sure");
}

#[tokio::test]
async fn an_expired_key_opens_nothing() {
    let app = TestApp::new().await;
    let soon = Timestamp::now().plus(Duration::from_millis(700));
    let (_, secret) = app.make_key(json!({"name": "k", "permissions": ["read"], "expires_at": soon})).await;
    assert_eq!(app.ask("GET", "/api/errors", &secret).await.status, 200);
    let closed = async || app.ask("GET", "/api/errors", &secret).await.status == 401;
    TestApp::until("it expires", closed).await;
    assert!(Timestamp::now() >= soon);
}

#[tokio::test]
async fn a_key_does_what_its_permissions_say_in_its_projects() {
    let app = TestApp::new().await;
    for project in ["shop", "other"] {
        app.store.ensure_project(project).await.unwrap();
    }
    for (permission, reports, reads, writes) in
        [("ingest", 201, 403, 403), ("read", 403, 200, 403), ("write", 201, 200, 204), ("admin", 201, 200, 204)]
    {
        let (_, key) =
            app.make_key(json!({"name": permission, "permissions": [permission], "projects": ["shop"]})).await;
        let headers = [("authorization", format!("Bearer {key}"))];
        let headers = [(headers[0].0, headers[0].1.as_str())];
        let report = |project: &str| json!({"message": permission, "source": "s", "project": project}).to_string();
        assert_eq!(app.send("POST", "/api/errors", &headers, report("shop")).await.status, reports, "{permission}");
        assert_eq!(app.send("POST", "/api/errors", &headers, report("other")).await.status, 403, "{permission}");
        let mine =
            app.post("/api/errors", &json!({"message": permission, "source": "s", "project": "shop"})).await.data();
        let path = format!("/api/errors/{}", mine["id"].as_str().unwrap());
        assert_eq!(app.send("GET", &path, &headers, "").await.status, reads, "{permission}");
        assert_eq!(app.send("DELETE", &path, &headers, "").await.status, writes, "{permission}");
        // Keys, members and the log concern all projects.
        assert_eq!(app.send("GET", PATH, &headers, "").await.status, 403, "{permission}");
    }
}

#[tokio::test]
async fn what_is_wrong_about_a_key_is_named_and_makes_none() {
    let app = TestApp::new().await;
    for (wanted, field) in [
        (json!({"permissions": ["read"]}), "name: "),
        (json!({"name": "", "permissions": ["read"]}), "name: "),
        (json!({"name": "x".repeat(101), "permissions": ["read"]}), "name: "),
        (json!({"name": "k"}), "permissions: "),
        (json!({"name": "k", "permissions": []}), "permissions: "),
        (json!({"name": "k", "permissions": ["root"]}), "permissions: "),
        (json!({"name": "k", "permissions": "read"}), "permissions: "),
        (json!({"name": "k", "permissions": ["read"], "projects": ["nowhere"]}), "projects: "),
        (json!({"name": "k", "permissions": ["read"], "projects": []}), "projects: "),
        (json!({"name": "k", "permissions": ["read"], "expires_at": "soon"}), "expires_at: "),
        (json!({"name": "k", "permissions": ["read"], "expires_at": "2001-01-01T00:00:00Z"}), "expires_at: "),
    ] {
        let answer = app.post(PATH, &wanted).await;
        assert!(answer.error(400).starts_with(field), "{wanted}: {}", answer.error(400));
    }
    assert_eq!(app.get(PATH).await.data()["api_keys"], json!([]));
    for key in [INGEST_KEY, READ_KEY, WRITE_KEY] {
        assert_eq!(app.ask("GET", PATH, key).await.status, 403);
        assert_eq!(app.ask("POST", PATH, key).await.status, 403);
    }
}
