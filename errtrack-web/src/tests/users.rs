//! `/api/users/{user_id}`: export and erasure.

use super::support::{KEY, TestApp, WRITE_KEY};
use serde_json::json;

#[tokio::test]
async fn a_user_is_exported_and_erased_whole() {
    let app = TestApp::new().await;
    for n in 0..45 {
        let body = json!({
            "message": format!("m{}", n % 3), "source": "s", "user_id": if n % 5 == 0 { "bob" } else { "ana/1" },
            "project": if n % 2 == 0 { "shop" } else { "blog" }, "context": {"n": n}, "type": format!("T{}", n % 3),
        });
        assert_eq!(app.post("/api/errors", &body).await.status, 201);
    }
    let export = async |user: &str| app.get(&format!("/api/users/{user}/export")).await;
    let answer = export("ana%2F1").await;
    assert_eq!((answer.status.as_u16(), &answer.headers["content-type"]), (200, &"application/json".parse().unwrap()));
    let data = answer.data();
    assert_eq!(data["user_id"], "ana/1");
    assert!(data["exported_at"].is_string());
    let mut numbers: Vec<_> =
        data["events"].as_array().unwrap().iter().map(|e| e["extra"]["n"].as_i64().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..45).filter(|n| n % 5 != 0).collect::<Vec<_>>(), "each once");
    assert!(data["events"].as_array().unwrap().iter().all(|event| event["user"]["id"] == "ana/1"));

    for (method, path) in [("DELETE", "/api/users/bob"), ("GET", "/api/users/bob/export")] {
        assert_eq!(app.ask(method, path, WRITE_KEY).await.status, 403);
    }
    let erase = async |user: &str| app.ask("DELETE", &format!("/api/users/{user}"), KEY).await;
    assert_eq!(erase("ana%2F1").await.data(), json!({"user_id": "ana/1", "events": 36}));
    assert_eq!(erase("ana%2F1").await.data()["events"], 0);
    assert_eq!(export("ana%2F1").await.data()["events"], json!([]));
    assert_eq!(export("bob").await.data()["events"].as_array().unwrap().len(), 9);
    assert_eq!(erase("%20").await.error(400), "user_id: must not be empty");
    app.store.set_away(true);
    assert_eq!(export("bob").await.status, 503);
}
