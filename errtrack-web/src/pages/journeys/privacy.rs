//! The page of privacy: tried, saved, seen to hold; and who may do that.

use super::Browser;
use crate::{Access, Role};
use axum::http::StatusCode;

const PAGE: &str = "/settings/privacy";

#[tokio::test]
async fn a_pattern_is_tried_and_saved() {
    let mut browser = Browser::signed_in().await;
    let page = browser.get(PAGE).await;
    assert!(page.status == StatusCode::OK && page.text.contains("Privacy of shop"), "{}", page.text);
    let form = "project=shop&filter_keys=loyalty%0D%0A%0D%0Acustomer_no&patterns=it+br&text=it+broke,+loyalty%3D7";
    let tried = browser.post(PAGE, &format!("{form}&do=preview")).await;
    assert_eq!(tried.status, StatusCode::OK);
    assert!(tried.text.contains("[Filtered: pattern]oke, loyalty=[Filtered: loyalty]"), "{}", tried.text);
    assert!(tried.text.contains("Not saved yet") && !browser.get(PAGE).await.text.contains("customer_no"));

    let wrong = browser.post(PAGE, "project=shop&patterns=fine%0D%0A(&do=save").await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    assert!(wrong.text.contains("Entry 2 of the patterns to filter is no regular expression"), "{}", wrong.text);

    let saved = browser.post(PAGE, &format!("{form}&do=save")).await;
    let to = "/ops/errors/settings/privacy?project=shop&saved=1";
    assert_eq!((saved.status, saved.header("location")), (StatusCode::SEE_OTHER, to));
    let page = browser.get("/settings/privacy?project=shop&saved=1").await;
    assert!(page.text.contains("Saved.") && page.text.contains("loyalty\ncustomer_no"), "{}", page.text);
    browser.report("Broken").await;
    assert!(browser.get("/issues").await.text.contains("[Filtered: pattern]oke"));
}

#[tokio::test]
async fn it_is_for_admins_alone() {
    for (role, may) in [(Role::Viewer, false), (Role::Developer, false), (Role::Admin, true), (Role::Owner, true)] {
        let mut browser = Browser::with(Access::host(move |_| Some(role))).await;
        let expected = if may { StatusCode::OK } else { StatusCode::FORBIDDEN };
        assert_eq!(browser.get(PAGE).await.status, expected, "{role:?}");
        assert_eq!(browser.get("/settings/rules").await.text.contains(PAGE), may, "{role:?}");
        let answer = browser.post(PAGE, "do=save").await.status;
        assert_eq!(answer, if may { StatusCode::SEE_OTHER } else { StatusCode::FORBIDDEN }, "{role:?}");
        let foreign = browser.send("POST", PAGE, &[("sec-fetch-site", "cross-site")], "do=save").await.status;
        assert_eq!(foreign, StatusCode::FORBIDDEN);
    }
}
