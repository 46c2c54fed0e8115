//! Keys and projects that change while reports come in.

use super::support::{PUBLIC_KEY, TestApp};
use errtrack_core::{ProjectId, store::ProjectStore};

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
