//! Projects are made, renamed, given keys and deleted on their page.

use super::Browser;
use axum::http::StatusCode;

#[tokio::test]
async fn a_project_is_made_used_renamed_and_deleted() {
    let mut browser = Browser::signed_in().await;
    let page = browser.get("/settings/projects").await.text;
    assert!(page.contains("@shop.example/ops/errors/1</code>"), "the DSN follows the mount point: {page}");
    let answer = browser.post("/settings/projects", "name=My+Blog&slug=&platform=python").await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (StatusCode::SEE_OTHER, "/ops/errors/settings/projects#project-2")
    );
    browser.post("/settings/projects/2/keys", "public_key=old-key").await;
    assert!(browser.get("/settings/projects").await.text.contains("http://old-key@shop.example/ops/errors/2"));
    browser.post("/settings/projects/2/keys/remove", "public_key=old-key").await;
    browser.post("/settings/projects/2", "name=Blog&slug=blog&platform=").await;
    let page = browser.get("/settings/projects").await.text;
    assert!(!page.contains("old-key") && page.contains("value=\"blog\"") && !page.contains("my-blog"), "{page}");
    for (path, form) in
        [("", "name=x&slug=blog"), ("/2", "name=x&slug=B+log&platform="), ("/2", "name=&slug=b&platform=")]
    {
        let answer = browser.post(&format!("/settings/projects{path}"), form).await;
        assert!(matches!(answer.status, StatusCode::BAD_REQUEST | StatusCode::CONFLICT), "{form}: {}", answer.status);
    }
    assert_eq!(browser.post("/settings/projects/1/delete", "").await.status, StatusCode::CONFLICT, "its own");
    assert_eq!(browser.post("/settings/projects/2/delete", "").await.status, StatusCode::SEE_OTHER);
    assert!(!browser.get("/settings/projects").await.text.contains("value=\"blog\""));
    assert_eq!(browser.post("/settings/projects/2", "name=x&slug=x").await.status, StatusCode::NOT_FOUND);
}
