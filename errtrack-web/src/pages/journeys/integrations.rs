//! Channels are set up, tried and taken away on their page.

use super::Browser;
use axum::http::StatusCode;

const PATH: &str = "/settings/integrations";

#[tokio::test]
async fn a_channel_is_set_up_tried_changed_and_removed() {
    let mut browser = Browser::signed_in().await;
    let page = browser.get(PATH).await.text;
    assert!(page.contains("nobody is told of anything") && page.contains("Nothing was given up"), "{page}");
    let form = "type=slack&name=ops&webhook_url=http%3A%2F%2F127.0.0.1%3A9%2Fhunter2&channel=%23ops";
    let answer = browser.post(PATH, form).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (StatusCode::SEE_OTHER, "/ops/errors/settings/integrations")
    );
    let page = browser.get(PATH).await.text;
    assert!(page.contains("value=\"#ops\"") && page.contains("http://127.0.0.1:9/****"), "{page}");
    assert!(!page.contains("hunter2"), "{page}");

    let answer = browser.post(&format!("{PATH}/ops/test"), "").await;
    let tested = answer.header("location").strip_prefix("/ops/errors").unwrap().to_owned();
    let page = browser.get(&tested).await.text;
    assert!(page.contains("The test of ops did not arrive: its address is private"), "{page}");

    // The secret that is left empty stays, so the form is taken.
    let answer = browser.post(PATH, "type=slack&name=ops&webhook_url=&channel=").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let answer = browser.post(PATH, "type=email&name=email&smtp_url=nowhere&from_email=a%40example.com").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(
        answer.text.contains("role=\"alert\"") && answer.text.contains("value=\"a@example.com\""),
        "{}",
        answer.text
    );
    assert!(!answer.text.contains("nowhere"), "a secret is not shown again: {}", answer.text);

    assert_eq!(browser.post(&format!("{PATH}/ops/delete"), "").await.status, StatusCode::SEE_OTHER);
    assert_eq!(browser.post(&format!("{PATH}/ops/delete"), "").await.status, StatusCode::NOT_FOUND);
    assert_eq!(browser.post(&format!("{PATH}/ops/bend"), "").await.status, StatusCode::NOT_FOUND);
}
