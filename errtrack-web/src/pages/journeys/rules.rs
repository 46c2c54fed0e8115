//! The page of rules: written, tried, saved, seen to hold; and who may do that.

use super::{Answer, Browser};
use crate::{Access, Role};
use axum::http::StatusCode;

const PAGE: &str = "/settings/rules";

/// The mark of what a form was made from.
fn was(page: &Answer) -> String {
    let behind = page.text.split("name=\"was\" value=\"").nth(1).unwrap();
    behind.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_rule_is_written_tried_and_saved() {
    let mut browser = Browser::signed_in().await;
    browser.report("Noise").await;
    browser.report("Broken").await;
    let page = browser.get(PAGE).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("No rules") && page.text.contains("Rules of shop"), "{}", page.text);
    let was = was(&page);
    let added = browser.post(PAGE, &format!("project=shop&was={was}&do=add")).await;
    assert!(added.text.contains("name=\"pattern.0\"") && added.text.contains("Not saved yet"), "{}", added.text);

    let rule =
        format!("project=shop&was={was}&name.0=quiet&field.0=type&tag.0=&pattern.0=Noise&action.0=ignore&parts.0=");
    let tried = browser.post(PAGE, &format!("{rule}&do=preview")).await;
    assert_eq!(tried.status, StatusCode::OK);
    assert!(
        tried.text.contains("1 event would be ignored") && tried.text.contains("1 of 1 event, by rule 1"),
        "{}",
        tried.text
    );
    assert!(tried.text.contains("SHOP-1") && tried.text.contains("value=\"quiet\""));
    assert!(browser.get(PAGE).await.text.contains("No rules"), "nothing was saved");

    let saved = browser.post(PAGE, &format!("{rule}&do=save")).await;
    assert_eq!(
        (saved.status, saved.header("location")),
        (StatusCode::SEE_OTHER, "/ops/errors/settings/rules?project=shop&saved=1")
    );
    let page = browser.get("/settings/rules?project=shop&saved=1").await;
    assert!(page.text.contains("The rules hold from now on") && page.text.contains("value=\"Noise\""));
    browser.report("Noise").await;
    assert!(browser.get("/settings/system").await.text.contains("ignored</dt><dd>1<"), "it is counted");

    let group = rule.replace(
        "pattern.0=Noise&action.0=ignore&parts.0=",
        "pattern.0=Broken&action.0=fingerprint&parts.0=all%0D%0Athe+same",
    );
    let conflict = browser.post(PAGE, &format!("{group}&do=save")).await;
    assert_eq!(conflict.status, StatusCode::CONFLICT, "the form is older than what is stored");
    assert!(conflict.text.contains("Somebody has changed these rules"));
    let again = group.replace(&was, &self::was(&conflict));
    assert_eq!(browser.post(PAGE, &format!("{again}&do=save")).await.status, StatusCode::SEE_OTHER);
    browser.report("Broken").await;
    let issue = browser.get("/issues/SHOP-3").await;
    assert!(issue.text.contains("The rule “quiet” decides") && issue.text.contains("the same"), "{}", issue.text);
}

#[tokio::test]
async fn what_is_wrong_is_shown_beside_the_rule() {
    let mut browser = Browser::signed_in().await;
    for button in ["preview", "save"] {
        let form = format!("name.0=a&field.0=type&pattern.0=x&name.1=b&field.1=message&pattern.1=re:%28&do={button}");
        let page = browser.post(PAGE, &form).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST);
        assert!(page.text.contains("The message is no regular expression: unclosed group."), "{}", page.text);
        assert!(page.text.contains("id=\"problem-1\"") && !page.text.contains("id=\"problem-0\""));
        assert!(page.text.contains("value=\"re:(\"") && page.text.contains("aria-invalid"), "nothing typed is lost");
    }
    let moved = browser.post(PAGE, "name.0=first&field.0=type&pattern.0=re:%28&name.1=second&do=down.0").await;
    assert_eq!(moved.status, StatusCode::OK, "what is wrong can be moved");
    assert!(moved.text.find("\"second\"").unwrap() < moved.text.find("\"first\"").unwrap());
    for (form, status) in [("project=nowhere&do=save", 404), (&*"x".repeat(2 << 20), 413), ("%ff=%", 200)] {
        assert_eq!(browser.post(PAGE, form).await.status.as_u16(), status);
    }
    assert_eq!(browser.get("/settings/rules?project=nowhere").await.status, StatusCode::NOT_FOUND);
    assert!(browser.get(PAGE).await.text.contains("No rules"));
}

#[tokio::test]
async fn who_may_only_see_sees_rules_and_no_form() {
    for (role, may) in [(Role::Viewer, false), (Role::Developer, true)] {
        let mut browser = Browser::with(Access::host(move |_| Some(role))).await;
        let rules = errtrack_core::Rules::new(vec![errtrack_core::Rule::new().ty("Noise").named("quiet")]).unwrap();
        browser.tracker.set_rules(browser.tracker.project().id, &rules).await.unwrap();
        let page = browser.get(PAGE).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.text.contains("quiet") && page.text.contains("Noise"));
        assert_eq!(page.text.contains("name=\"do\""), may, "{role:?}");
        let answer = browser.post(PAGE, "do=save").await.status;
        assert_eq!(answer, if may { StatusCode::SEE_OTHER } else { StatusCode::FORBIDDEN }, "{role:?}");
        let foreign = browser.send("POST", PAGE, &[("sec-fetch-site", "cross-site")], "do=save").await.status;
        assert_eq!(foreign, StatusCode::FORBIDDEN);
    }
}
