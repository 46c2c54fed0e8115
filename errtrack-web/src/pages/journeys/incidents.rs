//! Incidents: opened, followed, resolved, and found again.

use super::Browser;
use axum::http::StatusCode;
use errtrack_core::{incident::Incident, store::IncidentQuery};

async fn only(browser: &Browser) -> Incident {
    let query = IncidentQuery { limit: 10, ..IncidentQuery::default() };
    let mut incidents = browser.store().incidents(&query).await.unwrap();
    assert_eq!(incidents.len(), 1);
    incidents.remove(0)
}

#[tokio::test]
async fn an_incident_is_opened_from_an_issue_and_followed_to_its_end() {
    let mut browser = Browser::signed_in().await;
    browser.report("Timeout").await;
    let page = browser.get("/issues/SHOP-1").await.text;
    assert!(page.contains("Open an incident…") && page.contains("name=\"issue\" value=\"SHOP-1\""), "{page}");
    let answer = browser.post("/incidents", "issue=SHOP-1&title=Timeout&severity=critical").await;
    let incident = only(&browser).await;
    let path = format!("/incidents/{}", incident.id);
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, &*format!("/ops/errors{path}")));
    assert!(browser.get("/issues/SHOP-1").await.text.contains("Part of the incident"));
    let page = browser.get(&path).await.text;
    for shown in ["Critical", "Investigating", "SHOP-1", "opened the incident as investigating", "linked SHOP-1"] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    browser.post(&path, "status=identified&severity=critical&note=a+%3Cb%3Epool%3C%2Fb%3E").await;
    browser.post(&path, "assigned_to=me").await;
    browser.post(&format!("{path}/comments"), "text=restarting").await;
    browser.post(&path, "title=Payments+time+out&description=Since+10%3A00&channels=slack%2C+email").await;
    let page = browser.get(&path).await.text;
    for shown in [
        "changed the status from investigating to identified",
        "a &#60;b&#62;pool&#60;/b&#62;",
        "assigned it to ana@example.com",
        "restarting",
        "Payments time out",
        "Since 10:00",
        "slack, email",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    browser.post(&format!("{path}/issues/remove"), "issue=SHOP-1").await;
    assert!(!browser.get("/issues/SHOP-1").await.text.contains("Part of the incident"));
    browser.post(&format!("{path}/issues"), "issue=SHOP-1").await;
    assert!(browser.get(&path).await.text.contains("/issues/SHOP-1\""));
    let list = browser.get("/incidents").await.text;
    let open = list.split_once("id=\"h-over\"").unwrap().0;
    assert!(open.contains("Payments time out"), "{list}");
    browser.post(&path, "status=resolved").await;
    let list = browser.get("/incidents").await.text;
    let over = list.split_once("id=\"h-over\"").unwrap().1;
    assert!(over.contains("Payments time out") && list.contains("Nothing is wrong"), "{list}");
    for (query, found) in [("status=resolved", true), ("status=monitoring", false), ("severity=low", false)] {
        let list = browser.get(&format!("/incidents?{query}")).await.text;
        assert_eq!(list.contains("Payments time out"), found, "{query}");
    }
    let answer = browser.post(&format!("{path}/delete"), "").await;
    assert_eq!(answer.header("location"), "/ops/errors/incidents");
    assert_eq!(browser.get(&path).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_is_wrong_in_a_form_changes_nothing() {
    let mut browser = Browser::signed_in().await;
    for form in ["title=", "title=t&severity=bad", "title=t&project=nowhere", "title=t&issue=SHOP-9"] {
        let status = browser.post("/incidents", form).await.status;
        assert!(status.is_client_error(), "{form}: {status}");
    }
    assert_eq!(browser.store().incidents(&IncidentQuery { limit: 9, ..Default::default() }).await.unwrap(), []);
    browser.post("/incidents", "title=slow").await;
    let before = only(&browser).await;
    let path = format!("/incidents/{}", before.id);
    for form in ["title=", "status=open&title=other", "severity=bad"] {
        assert_eq!(browser.post(&path, form).await.status, StatusCode::BAD_REQUEST, "{form}");
    }
    assert_eq!(browser.post(&format!("{path}/issues"), "issue=x").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(only(&browser).await, before);
    for path in ["/incidents/x", "/incidents/00000000-0000-4000-8000-000000000000"] {
        assert_eq!(browser.get(path).await.status, StatusCode::NOT_FOUND);
    }
}
