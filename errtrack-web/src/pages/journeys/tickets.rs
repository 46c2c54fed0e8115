//! Tickets are made, linked and unlinked on the page of an issue, where something takes them.

use super::Browser;
use axum::http::StatusCode;

#[tokio::test]
async fn a_ticket_is_linked_and_unlinked_on_the_page_of_its_issue() {
    let mut browser = Browser::signed_in().await;
    browser.report("Timeout").await;
    let page = browser.get("/issues/SHOP-1").await.text;
    assert!(!page.contains("id=\"tickets\"") && !page.contains("#tickets"), "nothing takes any: {page}");

    let form = "type=github&name=github&token=github_pat_hunter2_0123&repository=acme%2Fshop&labels=bug";
    assert_eq!(browser.post("/settings/integrations", form).await.status, StatusCode::SEE_OTHER);
    let page = browser.get("/settings/integrations").await.text;
    assert!(page.contains("value=\"acme/shop\"") && page.contains("Try it") && !page.contains("hunter2"), "{page}");
    assert!(!browser.get("/alerts/new").await.text.contains("github"), "it is no channel");
    let page = browser.get("/issues/SHOP-1").await.text;
    for shown in [
        "href=\"#tickets\"",
        "None yet.",
        "<option value=\"github\">GitHub acme/shop (github)</option>",
        "name=\"title\" value=\"Timeout: it broke\"",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }

    let answer =
        browser.post("/issues/SHOP-1/tickets", "url=https%3A%2F%2Fgithub.com%2Facme%2Fshop%2Fissues%2F12").await;
    let expected = (StatusCode::SEE_OTHER, "/ops/errors/issues/SHOP-1#tickets");
    assert_eq!((answer.status, answer.header("location")), expected);
    let page = browser.get("/issues/SHOP-1").await.text;
    let link =
        "<a href=\"https://github.com/acme/shop/issues/12\" rel=\"noopener noreferrer\"><bdi>acme/shop#12</bdi></a>";
    assert!(page.contains(link) && page.contains("GitHub · <bdi>Owner</bdi>"), "{page}");
    assert!(!page.contains("Make a ticket"), "it has that of the only integration: {page}");

    // What is wrong is said, and nothing is kept.
    let answer = browser.post("/issues/SHOP-1/tickets", "integration=github&title=t").await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(answer.text.contains("https://github.com/acme/shop/issues/12"), "{}", answer.text);
    assert_eq!(browser.post("/issues/SHOP-1/tickets", "url=javascript%3Ax").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(browser.post("/issues/SHOP-1/tickets", "integration=&url=").await.status, StatusCode::BAD_REQUEST);

    let path = page.split("action=\"/ops/errors/issues/SHOP-1/tickets/").nth(1).unwrap().split('"').next().unwrap();
    let answer = browser.post(&format!("/issues/SHOP-1/tickets/{path}"), "").await;
    assert_eq!((answer.status, answer.header("location")), expected);
    let page = browser.get("/issues/SHOP-1").await.text;
    assert!(page.contains("None yet.") && page.contains("Make a ticket"), "{page}");
    // It stays where it is linked, also when nothing takes tickets any more.
    browser.post("/issues/SHOP-1/tickets", "url=https%3A%2F%2Fexample.com%2F1&integration=").await;
    browser.post("/settings/integrations/github/delete", "").await;
    let page = browser.get("/issues/SHOP-1").await.text;
    assert!(page.contains("https://example.com/1") && !page.contains("Make a ticket"), "{page}");
}
