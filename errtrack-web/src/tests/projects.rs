//! Keys and projects that change while reports come in.

use super::support::{KEY, PUBLIC_KEY, READ_KEY, TestApp, WRITE_KEY};
use errtrack_core::{ProjectId, store::ProjectStore};
use serde_json::{Value, json};

#[tokio::test]
async fn a_key_that_is_gone_opens_nothing_on_any_process_from_then_on() {
    let (app, event) = (TestApp::new().await, "{}\n{\"type\":\"event\"}\n{\"message\":\"m\"}");
    let second = app.second().await;
    for app in [&app, &second] {
        assert_eq!(app.envelope(event).await.status, 200);
    }
    assert!(app.store.delete_project(ProjectId(1)).await.unwrap());
    for app in [&app, &second] {
        assert_eq!(app.envelope(event).await.status, 403, "at once, on each");
    }
}

#[tokio::test]
async fn a_key_that_is_new_opens_its_project_everywhere() {
    let app = TestApp::new().await;
    let second = app.second().await;
    let path = "/api/1/envelope/?sentry_key=00112233445566778899aabbccddeeff";
    let event = "{}\n{\"type\":\"event\"}\n{\"message\":\"m\"}";
    assert_eq!(second.send("POST", path, &[], event).await.status, 403);
    assert_eq!(second.envelope(event).await.status, 200, "the list is at hand");
    app.store.add_public_key(ProjectId(1), "00112233445566778899aabbccddeeff").await.unwrap();
    assert_eq!(second.send("POST", path, &[], event).await.status, 200);
    assert_eq!(second.envelope(event).await.status, 200, "{PUBLIC_KEY} too");
}

#[tokio::test]
async fn projects_are_made_listed_changed_and_deleted() {
    let app = TestApp::new().await;
    let send = async |method: &str, path: &str, body: Value| {
        let headers = [("x-api-key", KEY), ("host", "errors.example")];
        app.send(method, &format!("/api/settings/projects{path}"), &headers, body.to_string()).await
    };
    let list = send("GET", "", Value::Null).await.data();
    let first = &list["projects"][0];
    assert_eq!((&first["id"], &first["slug"]), (&1.into(), &"default".into()));
    assert_eq!(first["public_keys"].as_array().unwrap().len(), 2);
    assert_eq!(first["dsn"], format!("http://{}@errors.example/1", first["public_key"].as_str().unwrap()));

    let answer = send("POST", "", json!({"slug": "my-shop", "name": "My Shop", "platform": "rust", "id": 77})).await;
    assert_eq!(answer.status, 201);
    let shop = answer.data();
    assert_eq!((&shop["id"], &shop["slug"], &shop["name"]), (&77.into(), &"my-shop".into(), &"My Shop".into()));
    assert_eq!(shop["platform"], "rust");
    let made = send("POST", "", json!({"name": "A Blog!"})).await.data();
    assert_eq!((&made["slug"], &made["id"]), (&"a-blog".into(), &78.into()));

    let key = send("POST", "/77/keys", json!({"public_key": "old_Key-1"})).await;
    assert_eq!((key.status.as_u16(), &key.data()["dsn"]), (201, &"http://old_Key-1@errors.example/77".into()));
    let envelope = async || {
        let event = "{}\n{\"type\":\"event\"}\n{\"message\":\"m\"}";
        app.send("POST", "/api/77/envelope/?sentry_key=old_Key-1", &[], event).await.status
    };
    assert_eq!(envelope().await, 200);
    assert_eq!(send("POST", "/77/keys", Value::Null).await.status, 400, "null is no object");
    let fresh = app.send("POST", "/api/settings/projects/77/keys", &[("x-api-key", KEY)], "").await.data();
    assert_eq!(fresh["public_key"].as_str().unwrap().len(), 32);
    assert_eq!(fresh["public_keys"].as_array().unwrap().len(), 3);
    assert_eq!(send("DELETE", "/77/keys/old_Key-1", Value::Null).await.status, 204);
    assert_eq!(envelope().await, 403, "at once");
    assert_eq!(send("DELETE", "/77/keys/old_Key-1", Value::Null).await.error(404), "public key not found");

    let changed = send("PUT", "/77", json!({"name": "Shop", "platform": null})).await.data();
    assert_eq!(
        (&changed["slug"], &changed["name"], &changed["platform"]),
        (&"my-shop".into(), &"Shop".into(), &Value::Null)
    );
    send("PUT", "/77", json!({"slug": "shop"})).await.data();
    assert_eq!(app.get("/api/errors/SHOP-1").await.data()["project"], "shop");
    assert_eq!(app.get("/api/errors/MY-SHOP-1").await.status, 404);
    assert_eq!(send("DELETE", "/77", Value::Null).await.status, 204);
    assert_eq!(send("DELETE", "/77", Value::Null).await.error(404), "project not found");
    assert_eq!(app.get("/api/errors").await.data()["total"], 0);
}

#[tokio::test]
async fn a_wrong_project_is_refused_with_the_reason() {
    const SLUG: &str = "slug: must be up to 50 lower-case ASCII letters, digits and single dashes between them";
    let app = TestApp::new().await;
    for (body, status, error) in [
        (json!({}), 400, "slug: is required, or a name to make it of"),
        (json!({"slug": "My Shop"}), 400, SLUG),
        (json!({"slug": "a--b"}), 400, SLUG),
        (json!({"slug": "-a"}), 400, SLUG),
        (json!({"slug": "a".repeat(51)}), 400, SLUG),
        (json!({"slug": 7}), 400, "slug: must be a string"),
        (json!({"name": "日本"}), 400, "name: must hold an ASCII letter or digit, as no slug is given"),
        (json!({"slug": "a", "name": "x".repeat(101)}), 400, "name: must not be longer than 100 characters"),
        (json!({"slug": "a", "id": 0}), 400, "id: must be a number from 1 to 2147483647"),
        (json!({"slug": "a", "id": "7"}), 400, "id: must be a whole number"),
        (json!({"slug": "default"}), 409, "slug: another project has it"),
        (json!({"slug": "a", "id": 1}), 409, "id: another project has it, or is being deleted"),
    ] {
        assert_eq!(app.post("/api/settings/projects", &body).await.error(status), error, "{body}");
    }
    for (key, status) in [("a b", 400), ("ü", 400), (&*"k".repeat(65), 400), (PUBLIC_KEY, 409)] {
        let answer = app.post("/api/settings/projects/1/keys", &json!({"public_key": key})).await;
        assert!(answer.error(status).starts_with("public_key: "), "{key}");
    }
    let own = app.ask("DELETE", "/api/settings/projects/1", KEY).await;
    assert_eq!(own.error(409), "id: this program reports to that project itself");
    assert_eq!(
        app.ask("DELETE", "/api/settings/projects/x", KEY).await.error(400),
        "id: must be the number of a project"
    );
    assert_eq!(app.ask("GET", "/api/settings/projects", READ_KEY).await.status, 200);
    assert_eq!(app.ask("DELETE", "/api/settings/projects/1", WRITE_KEY).await.status, 403);
}

#[tokio::test]
async fn a_project_keeps_less_if_it_is_told_so() {
    let app = TestApp::new().await;
    let path = "/api/settings/projects/1/retention";
    let put = async |body: Value| app.send("PUT", path, &[("x-api-key", KEY)], body.to_string()).await;
    let shown = app.get(path).await.data();
    assert_eq!((&shown["own"], &shown["rules"]["age_days"]), (&json!({"age_days": null, "events": null}), &90.into()));
    let less = put(json!({"age_days": 30, "events": 1000})).await.data();
    assert_eq!((&less["rules"]["age_days"], &less["rules"]["events_per_project"]), (&30.into(), &1000.into()));
    assert_eq!(app.get(path).await.data(), less);
    let told = &app.get("/api/settings/audit?limit=1").await.data()["entries"][0];
    assert_eq!((&told["action"], &told["target"]), (&"retention.change".into(), &"default".into()));
    assert!(told["details"].as_str().unwrap().contains("1000"), "{told}");
    assert_eq!(put(json!({"age_days": 1000})).await.data()["rules"]["age_days"], 90, "more is as the program says");
    for (body, field) in [
        (json!({"age_days": 0}), "age_days"),
        (json!({"age_days": "x"}), "age_days"),
        (json!({"events": -1}), "events"),
    ] {
        assert!(put(body).await.error(400).starts_with(&format!("{field}: ")));
    }
    assert_eq!(app.send("PUT", path, &[("x-api-key", WRITE_KEY)], "{}").await.status, 403);
}
