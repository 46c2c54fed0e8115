//! Issues are merged in the list, and taken apart on their page.

use super::{Browser, MOUNT};
use axum::http::StatusCode;
use errtrack_core::{Issue, IssueRef};

async fn issue(browser: &Browser, name: &str) -> Issue {
    let name: IssueRef = name.parse().unwrap();
    browser.store().issue(&name).await.unwrap().unwrap()
}

/// The part of a page that says why it is one issue.
fn why(page: &str) -> &str {
    let (_, after) = page.split_once("<section id=\"why\"").unwrap();
    after.split_once("</section>").unwrap().0
}

#[tokio::test]
async fn ticked_issues_are_merged_and_their_groups_unmerged() {
    let mut browser = Browser::signed_in().await;
    for ty in ["Timeout", "Timeout", "Elapsed", "Refused"] {
        browser.report(ty).await;
    }
    let list = browser.get("/issues").await.text;
    assert!(list.contains("<button class=\"btn\" formaction=\"/ops/errors/issues/merge\">Merge</button>"));
    let page = browser.get("/issues/SHOP-1").await.text;
    let fingerprint = issue(&browser, "SHOP-1").await.fingerprint.to_string();
    assert!(why(&page).contains(&fingerprint) && why(&page).contains("errtrack:1"), "{}", why(&page));
    assert!(!why(&page).contains("Unmerge"), "there is nothing to unmerge");

    let (first, second) = (issue(&browser, "SHOP-1").await, issue(&browser, "SHOP-2").await);
    let form = format!("id={}&id={}&next=%2Fissues", second.uuid, first.uuid);
    let answer = browser.post("/issues/merge", &form).await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/ops/errors/issues/SHOP-1#why"));
    let page = browser.get("/issues/SHOP-1").await.text;
    let said = why(&page);
    assert!(said.contains("merged of 2 groups"), "{said}");
    for part in ["SHOP-1", "SHOP-2", "Timeout", "Elapsed", "errtrack:1", &fingerprint, "First seen", "Last seen"] {
        assert!(said.contains(part), "{part} in {said}");
    }
    assert_eq!(said.matches("action=\"/ops/errors/issues/SHOP-1/unmerge\"").count(), 2);
    let elsewhere = browser.get("/issues/SHOP-2").await;
    assert_eq!(elsewhere.header("location"), "/ops/errors/issues/SHOP-1", "links to what was merged lead on");
    assert_eq!(browser.get(&format!("/issues/{}", second.uuid)).await.header("location"), "/ops/errors/issues/SHOP-1");
    assert_eq!(browser.get(&format!("/issues/{}", first.uuid)).await.status, StatusCode::OK);
    let event = second.last_event;
    assert_eq!(browser.get(&format!("/issues/SHOP-1?event={event}")).await.status, StatusCode::OK);
    assert_eq!(browser.get("/issues").await.text.matches("<li class=\"row\">").count(), 2);

    let form = format!("fingerprint={fingerprint}");
    let answer = browser.post("/issues/SHOP-1/unmerge", &form).await;
    assert_eq!(answer.header("location"), "/ops/errors/issues/SHOP-2#why", "what is left has the name of the other");
    assert_eq!(issue(&browser, "SHOP-1").await.count, 2);
    assert_eq!(issue(&browser, "SHOP-2").await.count, 1);
    assert_eq!(browser.get("/issues/SHOP-2").await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_cannot_be_merged_is_a_page_that_says_why() {
    let mut browser = Browser::signed_in().await;
    browser.report("Timeout").await;
    browser.report("Elapsed").await;
    let (first, second) = (issue(&browser, "SHOP-1").await, issue(&browser, "SHOP-2").await);
    for (path, form, status, says) in [
        ("/issues/merge", String::new(), 400, "tick at least two issues"),
        ("/issues/merge", format!("id={}", first.uuid), 400, "tick at least two issues"),
        ("/issues/merge", format!("id={}&id={}", first.uuid, first.uuid), 409, "two different issues"),
        ("/issues/merge", format!("id={}&id=x", first.uuid), 400, "neither a UUID nor a short id"),
        ("/issues/SHOP-1/unmerge", format!("fingerprint={}", first.fingerprint), 409, "the last group"),
        ("/issues/SHOP-1/unmerge", format!("fingerprint={}", second.fingerprint), 404, "no group of the fingerprint"),
        ("/issues/SHOP-1/unmerge", String::new(), 400, "32 hexadecimal digits"),
        ("/issues/SHOP-9/unmerge", format!("fingerprint={}", first.fingerprint), 404, "not found"),
    ] {
        let answer = browser.post(path, &form).await;
        assert_eq!(answer.status.as_u16(), status, "{path} {form}");
        let text = answer.text.to_lowercase();
        assert!(text.starts_with("<!doctype html>") && text.contains(&says.to_lowercase()), "{path}: {text}");
    }
    for path in ["/issues/merge", "/issues/SHOP-1/unmerge"] {
        let form = format!("id={}&id={}&fingerprint={}", first.uuid, second.uuid, first.fingerprint);
        let answer = browser.send("POST", path, &[("sec-fetch-site", "cross-site")], &form).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} from another site");
        browser.cookie = browser.cookie.take().filter(|_| path != "/issues/SHOP-1/unmerge");
    }
    let form = format!("id={}&id={}", first.uuid, second.uuid);
    let answer = browser.post("/issues/merge", &form).await;
    assert!(answer.header("location").starts_with(&format!("{MOUNT}/login")), "nobody is signed in");
    assert_eq!(issue(&browser, "SHOP-2").await.uuid, second.uuid);
}
