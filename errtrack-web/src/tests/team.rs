//! Members, over the API.

use super::support::{Answer, KEY, TestApp};
use crate::{Access, Accounts, Guest, Role};
use async_trait::async_trait;
use errtrack_core::{
    notify::{Delivery, Notifier, NotifyError},
    store::ProjectStore,
};
use serde_json::{Value, json};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering::Relaxed},
};

const PATH: &str = "/api/settings/team";

impl TestApp {
    async fn of_role(&self, role: &str, method: &str, path: &str, body: &Value) -> Answer {
        let session = self.session_of(role).await;
        let headers = [("cookie", session.as_str()), ("content-type", "application/json")];
        self.send(method, path, &headers, body.to_string()).await
    }

    /// A session of the member `ROLE@example.com`, who is made where there is none.
    async fn session_of(&self, role: &str) -> String {
        use crate::access::token_hash;
        use errtrack_core::{Member, Token, TokenKind, store::AccountStore};
        let email = format!("{role}@example.com");
        self.store.add_member(&Member::new(&email, role.parse().unwrap())).await.unwrap();
        let member = self.store.member_by_email(&email).await.unwrap().unwrap();
        let session =
            Token::new(TokenKind::Session, token_hash(&email), member.id, std::time::Duration::from_secs(600));
        self.store.put_token(&session).await.unwrap();
        format!("errtrack_session={email}")
    }
}

/// A channel for mail that can break.
#[derive(Default)]
struct Post {
    sent: Mutex<Vec<(Vec<String>, Option<String>)>>,
    is_broken: AtomicBool,
}

#[async_trait]
impl Notifier for Post {
    fn name(&self) -> &str {
        "email"
    }

    async fn notify(&self, delivery: &Delivery<'_>) -> Result<(), NotifyError> {
        if self.is_broken.load(Relaxed) {
            return Err(NotifyError::new("the server is away"));
        }
        let told = (delivery.entry.recipients.clone(), delivery.entry.notification.url.clone());
        self.sent.lock().unwrap().push(told);
        Ok(())
    }
}

#[tokio::test]
async fn an_invitation_is_mailed_where_mail_is_set_up_and_shown_in_any_case() {
    let app = TestApp::new().await;
    let invite = async |email: &str| {
        let answer = app.post(&format!("{PATH}/invite"), &json!({"email": email, "role": "viewer"})).await;
        assert_eq!(answer.status, 201);
        let invited = answer.data();
        (invited["mailed"].clone(), invited["invite_url"].as_str().unwrap().to_owned())
    };
    assert_eq!(invite("one@example.com").await.0, Value::Null);

    let post = Arc::new(Post::default());
    app.tracker.set_notifier(post.clone());
    let (mailed, url) = invite("two@example.com").await;
    assert_eq!(mailed, true);
    assert_eq!(*post.sent.lock().unwrap(), [(vec!["two@example.com".to_owned()], Some(url))]);

    post.is_broken.store(true, Relaxed);
    let (mailed, url) = invite("three@example.com").await;
    assert!(mailed == false && url.contains("/invitation/"), "{url}");
    assert_eq!(post.sent.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_member_is_invited_changed_and_removed() {
    let app = TestApp::new().await;
    app.store.ensure_project("shop").await.unwrap();
    Accounts::ensure_owner(&app.store, "ana@example.com", "correct horse").await.unwrap();
    let wanted = json!({"email": " New@Company.com", "role": "viewer", "projects": ["shop"]});
    let answer = app.post(&format!("{PATH}/invite"), &wanted).await;
    assert_eq!(answer.status, 201);
    let member = answer.data();
    let shown = [&member["email"], &member["role"], &member["status"], &member["last_active"], &member["projects"][0]];
    assert_eq!(shown, [&json!("new@company.com"), &json!("viewer"), &json!("invited"), &Value::Null, &json!("shop")]);
    assert!(member["invite_url"].as_str().unwrap().contains("/invitation/"));
    let path = format!("{PATH}/{}", member["id"].as_str().unwrap());
    let change = json!({"name": "New", "role": "developer", "projects": null});
    let changed = app.send("PUT", &path, &[("x-api-key", KEY)], change.to_string()).await.data();
    assert_eq!(
        (&changed["name"], &changed["role"], &changed["projects"]),
        (&json!("New"), &json!("developer"), &Value::Null)
    );
    let members = app.get(PATH).await.data()["members"].clone();
    assert_eq!(members.as_array().unwrap().len(), 2);
    assert_eq!((&members[0]["email"], &members[1]), (&json!("ana@example.com"), &changed));
    assert_eq!(app.ask("DELETE", &path, KEY).await.status, 204);
    assert_eq!(app.ask("DELETE", &path, KEY).await.status, 404);
    let log = app.get("/api/settings/audit?limit=3").await.data();
    let actions: Vec<_> = log["entries"].as_array().unwrap().iter().map(|entry| entry["action"].clone()).collect();
    assert_eq!(actions, ["member.remove", "member.change", "member.invite"]);
    assert_eq!(
        (&log["entries"][0]["who"], &log["entries"][0]["address"]),
        (&json!("a key of the configuration"), &json!("192.0.2.7"))
    );
}

#[tokio::test]
async fn only_an_owner_makes_changes_or_removes_owners_and_the_last_one_stays() {
    let app = TestApp::new().await;
    Accounts::ensure_owner(&app.store, "ana@example.com", "correct horse").await.unwrap();
    let ana = app.get(PATH).await.data()["members"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("{PATH}/{ana}");
    let owner = json!({"email": "new@example.com", "role": "owner"});
    let demote = json!({"role": "admin"});
    for role in ["admin", "key"] {
        let send = async |method: &str, path: &str, body: &Value| match role {
            "key" => app.send(method, path, &[("x-api-key", KEY)], body.to_string()).await,
            role => app.of_role(role, method, path, body).await,
        };
        assert_eq!(send("POST", &format!("{PATH}/invite"), &owner).await.status, 403, "{role}");
        assert_eq!(send("PUT", &path, &demote).await.status, 403, "{role}");
        assert_eq!(send("PUT", &path, &json!({"name": "Mine"})).await.status, 403, "{role}");
        assert_eq!(send("DELETE", &path, &json!({})).await.status, 403, "{role}");
        assert_eq!(send("POST", &format!("{path}/reset"), &json!({})).await.status, 403, "{role}");
    }
    let of_owner = async |method: &str, path: &str, body: &Value| app.of_role("owner", method, path, body).await;
    assert_eq!(of_owner("POST", &format!("{PATH}/invite"), &owner).await.status, 201);
    assert_eq!(of_owner("DELETE", &path, &json!({})).await.status, 204, "there is another");
    let own = app.get(PATH).await.data()["members"].as_array().unwrap().clone();
    let own =
        own.iter().find(|member| member["email"] == "owner@example.com").unwrap()["id"].as_str().unwrap().to_owned();
    for change in [json!({"role": "admin"}), json!({"status": "disabled"})] {
        assert_eq!(of_owner("PUT", &format!("{PATH}/{own}"), &change).await.status, 409);
    }
    assert_eq!(of_owner("DELETE", &format!("{PATH}/{own}"), &json!({})).await.status, 409);
    for role in ["developer", "viewer"] {
        assert_eq!(app.of_role(role, "GET", PATH, &json!({})).await.status, 403, "{role}");
    }
}

#[tokio::test]
async fn who_is_disabled_or_removed_is_signed_out_on_every_process() {
    let app = TestApp::new().await;
    let second = app.second().await;
    for (role, end) in [("developer", "disable"), ("viewer", "remove")] {
        let session = app.session_of(role).await;
        let headers = [("cookie", session.as_str())];
        for app in [&app, &second] {
            assert_eq!(app.send("GET", "/api/errors", &headers, "").await.status, 200);
        }
        let members = app.get(PATH).await.data()["members"].clone();
        let id = members.as_array().unwrap().iter().find(|member| member["role"] == role).unwrap()["id"].clone();
        let path = format!("{PATH}/{}", id.as_str().unwrap());
        match end {
            "disable" => {
                let body = json!({"status": "disabled"}).to_string();
                assert_eq!(second.send("PUT", &path, &[("x-api-key", KEY)], body).await.status, 200);
            }
            _ => assert_eq!(second.ask("DELETE", &path, KEY).await.status, 204),
        }
        for app in [&app, &second] {
            assert_eq!(app.send("GET", "/api/errors", &headers, "").await.status, 401, "{end}");
        }
    }
}

#[tokio::test]
async fn what_is_wrong_about_a_member_is_named_and_changes_nothing() {
    let app = TestApp::new().await;
    app.session_of("developer").await;
    let id = app.get(PATH).await.data()["members"][0]["id"].as_str().unwrap().to_owned();
    for (body, field) in [
        (json!({"role": "viewer"}), "email: "),
        (json!({"email": "nobody", "role": "viewer"}), "email: "),
        (json!({"email": "a@b@c", "role": "viewer"}), "email: "),
        (json!({"email": "a@example.com"}), "role: "),
        (json!({"email": "a@example.com", "role": "king"}), "role: "),
        (json!({"email": "a@example.com", "role": "viewer", "projects": ["nowhere"]}), "projects: "),
        (json!({"email": "a@example.com", "role": "viewer", "name": "x".repeat(101)}), "name: "),
    ] {
        let error = app.post(&format!("{PATH}/invite"), &body).await.error(400);
        assert!(error.starts_with(field), "{body}: {error}");
    }
    let taken = json!({"email": "Developer@example.com", "role": "viewer"});
    assert!(app.post(&format!("{PATH}/invite"), &taken).await.error(409).starts_with("email: "));
    for (body, field) in [
        (json!({"role": 3}), "role: "),
        (json!({"status": "gone"}), "status: "),
        (json!({"status": "invited"}), "status: "),
        (json!({"projects": []}), "projects: "),
        (json!({"two_factor": true}), "two_factor: "),
    ] {
        let answer = app.send("PUT", &format!("{PATH}/{id}"), &[("x-api-key", KEY)], body.to_string()).await;
        assert!(answer.error(400).starts_with(field), "{body}: {}", answer.error(400));
    }
    let members = app.get(PATH).await.data()["members"].clone();
    assert_eq!(members.as_array().unwrap().len(), 1);
    assert_eq!((&members[0]["role"], &members[0]["status"]), (&json!("developer"), &json!("active")));
}

#[tokio::test]
async fn where_the_host_decides_there_are_no_members_and_keys() {
    let app = TestApp::with_access(Access::host(|_| Some(Guest::new(Role::Owner).named("ana")))).await;
    for path in [PATH, "/api/settings/api-keys"] {
        app.get(path).await.error(404);
    }
    app.post("/api/settings/retention/run", &json!({})).await.data();
    assert_eq!(app.get("/api/settings/audit").await.data()["entries"][0]["who"], "ana");
}

#[tokio::test]
async fn the_audit_log_is_read_by_pages() {
    let app = TestApp::new().await;
    for n in 0..5 {
        app.make_key(json!({"name": format!("k{n}"), "permissions": ["read"]})).await;
    }
    let mut names = Vec::new();
    let mut path = "/api/settings/audit?limit=2".to_owned();
    loop {
        let page = app.get(&path).await.data();
        names.extend(page["entries"].as_array().unwrap().iter().map(|entry| entry["target"].clone()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        path = format!("/api/settings/audit?limit=2&cursor={next}");
    }
    assert_eq!(names, ["k4", "k3", "k2", "k1", "k0"]);
    app.get("/api/settings/audit?cursor=x").await.error(400);
}
