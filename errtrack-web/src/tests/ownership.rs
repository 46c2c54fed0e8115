//! Ownership: kept per project, shown, and new issues that are assigned by it.

use super::support::{Answer, KEY, TestApp};
use crate::Access;
use errtrack_core::{
    IssueRef, Member, MemberChange, MemberStatus, Role,
    store::{AccountStore, AlertStore, AuditStore, IssueStore},
};
use serde_json::{Value, json};

const PATH: &str = "/api/settings/projects/1/ownership";

impl TestApp {
    async fn own(&self, body: &Value) -> Answer {
        self.send("PUT", PATH, &[("x-api-key", KEY)], body.to_string()).await
    }

    async fn of_team(&self, message: &str, team: &str) -> String {
        let report = json!({"message": message, "source": "s", "tags": {"team": team}});
        self.post("/api/errors", &report).await.data()["short_id"].as_str().unwrap().to_owned()
    }

    async fn member(&self, email: &str) {
        self.store.add_member(&Member::new(email, Role::Developer)).await.unwrap();
    }
}

#[tokio::test]
async fn a_new_issue_is_assigned_to_the_first_of_its_owners() {
    let app = TestApp::new().await;
    app.member("ann@example.com").await;
    app.member("bob@example.com").await;
    let text = "tag:team=payments → ann@example.com bob@example.com";
    let own = async |assign: bool| {
        let set = app.own(&json!({"text": text, "assign": assign})).await.data();
        assert_eq!((&set["text"], &set["assign"]), (&text.into(), &assign.into()));
    };
    own(false).await;
    let shown = app.of_team("first", "payments").await;
    TestApp::until("it was looked at", async || app.store.signals(1).await.unwrap().is_empty()).await;
    own(true).await;
    let other = app.of_team("second", "search").await;
    let name = app.of_team("third", "payments").await;
    let read = async |name: &str| {
        let name: IssueRef = name.parse().unwrap();
        app.store.issue(&name).await.unwrap().unwrap()
    };
    TestApp::until("it is assigned", async || read(&name).await.assigned_to.as_deref() == Some("ann@example.com"))
        .await;
    // What came before has been looked at by then.
    for nobodys in [&shown, &other] {
        assert_eq!(read(nobodys).await.assigned_to, None, "{nobodys}");
    }
    let owners = app.tracker.owners(&read(&shown).await).await.unwrap();
    assert_eq!(owners, ["ann@example.com", "bob@example.com"]);
    assert_eq!(app.tracker.told_owners(&read(&shown).await).await.unwrap(), owners);
    assert_eq!(app.tracker.told_owners(&read(&name).await).await.unwrap(), ["ann@example.com"], "it is theirs");
    assert!(app.tracker.told_owners(&read(&other).await).await.unwrap().is_empty());
    // Who has left is told nothing any more.
    let bob = app.store.member_by_email("bob@example.com").await.unwrap().unwrap();
    let leaves = MemberChange { status: Some(MemberStatus::Disabled), ..MemberChange::default() };
    app.store.change_member(bob.id, &leaves).await.unwrap();
    assert_eq!(app.tracker.told_owners(&read(&shown).await).await.unwrap(), ["ann@example.com"]);
    // What people have decided stays.
    app.store.assign(read(&name).await.id, None).await.unwrap();
    app.of_team("third", "payments").await;
    let fourth = app.of_team("fourth", "payments").await;
    TestApp::until("the next is assigned", async || read(&fourth).await.assigned_to.is_some()).await;
    assert_eq!(read(&name).await.assigned_to, None);
}

#[tokio::test]
async fn a_wrong_line_is_named_and_nothing_is_kept() {
    let app = TestApp::new().await;
    app.member("ann@example.com").await;
    let elsewhere = Member { projects: Some(Vec::new()), ..Member::new("eva@example.com", Role::Viewer) };
    app.store.add_member(&elsewhere).await.unwrap();
    for (body, error) in [
        (json!({}), "text: is required"),
        (json!({"text": 1}), "text: must be a string"),
        (json!({"text": "", "assign": "yes"}), "assign: must be true or false"),
        (json!({"text": "#\npath:a"}), "text: line 2: has no owner"),
        (
            json!({"text": "path:a ann@example.com\npath:b x@example.com"}),
            "text: line 2: x@example.com is no member who sees this project",
        ),
        (json!({"text": "path:b eva@example.com"}), "text: line 1: eva@example.com is no member who sees this project"),
    ] {
        assert_eq!(app.own(&body).await.error(400), error);
    }
    assert_eq!(app.get(PATH).await.data()["text"], "");
    assert!(app.store.audit_log(None, 9).await.unwrap().is_empty());
    app.own(&json!({"text": "path:a Ann@Example.com"})).await.data();
    assert_eq!(app.store.audit_log(None, 9).await.unwrap()[0].action, "ownership.change");
    assert_eq!(app.own(&json!({"text": ""})).await.data()["text"], "", "and taken away");
}

#[tokio::test]
async fn the_page_shows_what_is_wrong_at_its_line_and_who_owns_an_issue() {
    let app = TestApp::with_access(Access::insecure_open()).await;
    let form = [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "same-origin")];
    let text = "project=default&text=path%3Aa+ann%40example.com%0D%0Aoops%0D%0Alevel%3Aerror+bob%40example.com";
    let answer = app.send("POST", "/settings/ownership", &form, text).await;
    let html = String::from_utf8(answer.body.to_vec()).unwrap();
    assert_eq!(answer.status, 400);
    assert!(html.contains("line 2: `oops`") && html.contains("<li value=\"2\" class=\"error\""), "{html}");
    assert!(html.contains("level:error bob@example.com"), "what was written is still there");
    let text = "project=default&text=level%3Aerror+bob%40example.com";
    assert_eq!(app.send("POST", "/settings/ownership", &form, text).await.status, 303);
    let name = app.of_team("m", "x").await;
    let page = app.get(&format!("/issues/{name}")).await;
    let html = String::from_utf8(page.body.to_vec()).unwrap();
    assert!(html.contains("Owned by") && html.contains("value=\"bob@example.com\""), "{html}");
}
