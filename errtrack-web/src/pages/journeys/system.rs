//! Pins, the system page, and what pages say while the database is away.

use super::{Answer, Browser, MOUNT};
use crate::{Access, Role};
use axum::http::StatusCode;

#[tokio::test]
async fn an_event_is_pinned_and_let_go_on_its_page() {
    let mut browser = Browser::signed_in().await;
    browser.report("Broken").await;
    browser.report("Other").await;
    let pin = |page: &Answer, action: &str| {
        let form = page.text.split(" action=\"").find(|form| form.contains(&format!("/{action}\""))).unwrap();
        form.split('"').next().unwrap().strip_prefix(MOUNT).unwrap().to_owned()
    };
    let page = browser.get("/issues/SHOP-1").await;
    assert!(!page.text.contains(">Pinned<"));
    let path = pin(&page, "pin");
    let answer = browser.post(&path, "next=%2Fissues%2FSHOP-1%3Fevent%3Dx").await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (StatusCode::SEE_OTHER, "/ops/errors/issues/SHOP-1?event=x")
    );
    let page = browser.get("/issues/SHOP-1").await;
    assert!(page.text.contains(">Pinned<"));
    let unpin = pin(&page, "unpin");
    assert_eq!(browser.send("POST", &unpin, &[("sec-fetch-site", "cross-site")], "").await.status, 403);
    assert_eq!(browser.post(&unpin, "").await.header("location"), "/ops/errors/issues/SHOP-1");
    assert!(!browser.get("/issues/SHOP-1").await.text.contains(">Pinned<"));
    for wrong in
        [path.replace("SHOP-1", "SHOP-2"), path.replace("SHOP-1", "SHOP-9"), "/issues/SHOP-1/events/x/pin".into()]
    {
        assert_eq!(browser.post(&wrong, "").await.status, StatusCode::NOT_FOUND, "{wrong}");
    }
}

#[tokio::test]
async fn the_system_page_shows_the_sum_and_runs_retention() {
    let mut browser = Browser::signed_in().await;
    let empty = browser.get("/settings/system").await;
    assert_eq!(empty.status, StatusCode::OK);
    assert!(empty.text.contains("Nothing has been captured") && empty.text.contains("No run yet"));
    for _ in 0..3 {
        browser.report("Broken").await;
    }
    let page = browser.get("/settings/system").await.text;
    assert!(page.contains("<dt>captured</dt><dd>3</dd>") && page.contains(">adds up<"), "{page}");
    assert!(page.contains("SQLite") && page.contains("errtrack_event") && !page.contains("Would go now"));
    let preview = browser.get("/settings/system?preview=1").await.text;
    assert!(
        preview.contains("Would go now") && preview.contains("Nothing would go now") && preview.contains("No run yet")
    );
    let run = "/settings/system/retention";
    assert_eq!(browser.send("POST", run, &[("sec-fetch-site", "cross-site")], "").await.status, StatusCode::FORBIDDEN);
    assert!(browser.get("/settings/system").await.text.contains("No run yet"));
    let answer = browser.post(run, "").await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (StatusCode::SEE_OTHER, "/ops/errors/settings/system#retention")
    );
    assert!(browser.get("/settings/system").await.text.contains("last run <time"));
}

#[tokio::test]
async fn who_may_only_see_sees_no_secrets_and_no_buttons_on_the_system_page() {
    for (role, is_admin) in [(Role::Viewer, false), (Role::Developer, false), (Role::Admin, true), (Role::Owner, true)]
    {
        let mut browser = Browser::with(Access::host(move |_| Some(role))).await;
        browser.report("Broken").await;
        let page = browser.get("/settings/system?preview=1").await;
        assert_eq!(page.status, StatusCode::OK, "{role:?}");
        assert!(page.text.contains("<dt>captured</dt><dd>1</dd>"), "{role:?}");
        let folder = browser.tracker.spool().unwrap().folder.to_string_lossy().into_owned();
        for for_admins in ["Run now", "Would go now", "Events set aside", "Last trouble", folder.as_str()] {
            assert_eq!(page.text.contains(for_admins), is_admin, "{role:?}: {for_admins}");
        }
        let run = browser.post("/settings/system/retention", "").await.status;
        assert_eq!(run == StatusCode::SEE_OTHER, is_admin, "{role:?}: {run}");
        assert_eq!(run == StatusCode::FORBIDDEN, !is_admin, "{role:?}: {run}");
    }
}

#[tokio::test]
async fn every_page_says_that_the_database_is_away() {
    let (mut browser, store) = Browser::with_store(Access::insecure_open()).await;
    browser.report("Broken").await;
    for path in ["/issues", "/issues/SHOP-1", "/start", "/settings/system"] {
        assert!(!browser.get(path).await.text.contains("Nothing can be written"), "{path}");
    }
    store.set_away(true);
    browser.report("Broken").await;
    for (path, status) in [("/issues", 503), ("/issues/SHOP-1", 503), ("/start", 200), ("/settings/system", 200)] {
        let page = browser.get(path).await;
        assert_eq!(page.status.as_u16(), status, "{path}");
        let says =
            page.text.contains("Nothing can be written to the database.</b> Reports are kept on disk and stored when")
                && page.text.contains("1 event waits so far");
        assert!(says, "{path}: {}", page.text);
        assert_eq!(page.header("retry-after").is_empty(), status == 200, "{path}");
    }
    let system = browser.get("/settings/system").await.text;
    assert!(system.contains("Kept on disk") && system.contains("They cannot be read now"), "{system}");
    assert!(system.contains("what other processes counted since the database went away is missing"));
    assert_eq!(browser.get("/settings/system?preview=1").await.status, 503);
    store.set_away(false);
}
