//! Decisions that end by themselves, and comments, on the page of an issue.

use super::Browser;
use axum::http::StatusCode;
use errtrack_core::{Condition, Issue, IssueRef, Status, Timestamp};

async fn issue(browser: &Browser) -> Issue {
    browser.store().issue(&"SHOP-1".parse::<IssueRef>().unwrap()).await.unwrap().unwrap()
}

#[tokio::test]
async fn an_issue_is_ignored_for_a_while_and_resolved_in_a_release() {
    let mut browser = Browser::signed_in().await;
    browser.report("Timeout").await;
    let page = browser.get("/issues/SHOP-1").await.text;
    for choice in ["name=\"days\" value=\"7\"", "name=\"more\" value=\"100\"", "name=\"in_release\" value=\"next\""] {
        assert!(page.contains(choice), "{choice}");
    }
    let answer = browser.post("/issues/SHOP-1/ignore", "more=100").await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/ops/errors/issues/SHOP-1"));
    assert_eq!(issue(&browser).await.condition, Some(Condition::Until { time: None, count: Some(101) }));
    assert!(browser.get("/issues/SHOP-1").await.text.contains("until 101 events"));
    browser.post("/issues/SHOP-1/ignore", "days=7").await;
    let Some(Condition::Until { time: Some(time), count: None }) = issue(&browser).await.condition else {
        panic!("a week is a time");
    };
    let days = (time.as_seconds() - Timestamp::now().as_seconds() + 60) / 86_400;
    assert_eq!(days, 7);
    browser.post("/issues/SHOP-1/resolve", "in_release=next").await;
    let resolved = issue(&browser).await;
    assert_eq!((resolved.status, resolved.condition), (Status::Resolved, Some(Condition::AfterRelease(String::new()))));
    assert!(browser.get("/issues/SHOP-1").await.text.contains("in the next release"));
    browser.post("/issues/SHOP-1/unresolve", "").await;
    assert_eq!(issue(&browser).await.condition, None);
    browser.post("/issues/SHOP-1/ignore", "").await;
    assert_eq!((issue(&browser).await.status, issue(&browser).await.condition), (Status::Ignored, None));
}

#[tokio::test]
async fn an_issue_is_commented_on_by_name() {
    let mut browser = Browser::signed_in().await;
    browser.report("Timeout").await;
    let answer = browser.post("/issues/SHOP-1/comments", "text=It+is+%3Cb%3E+again").await;
    assert_eq!(answer.header("location"), "/ops/errors/issues/SHOP-1#comments");
    let page = browser.get("/issues/SHOP-1").await.text;
    let comments = page.split_once("<section id=\"comments\"").unwrap().1;
    assert!(comments.contains("It is &#60;b&#62; again") && comments.contains("<b>Owner</b>"), "{comments}");
    assert_eq!(browser.post("/issues/SHOP-1/comments", "text=+").await.status, StatusCode::BAD_REQUEST);
}
