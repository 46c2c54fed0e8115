//! How people come in, stay in, and go.

use super::*;
use crate::access::Secret;
use errtrack_core::{Member, TokenKind};

impl Browser {
    async fn member(&self, email: &str) -> Member {
        self.store().member_by_email(email).await.unwrap().unwrap()
    }

    /// Another browser at the same server.
    fn another(&self) -> Browser {
        Browser {
            app: self.app.clone(),
            tracker: self.tracker.clone(),
            cookie: None,
            _folder: tempfile::tempdir().unwrap(),
        }
    }

    async fn sign_in(&mut self, email: &str, password: &str) -> Answer {
        let form = format!("email={}&password={}", email.replace('@', "%40"), password.replace(' ', "+"));
        self.post("/login", &form).await
    }

    /// Makes a link by a form, and answers its path within the mount point.
    async fn link(&mut self, path: &str, form: &str) -> String {
        let answer = self.post(path, form).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        let url = answer.text.split("<code>http://shop.example").nth(1).unwrap().split('<').next().unwrap().to_owned();
        url.strip_prefix(MOUNT).unwrap().to_owned()
    }
}

/// The code that an app shows now, or some steps later.
fn code(secret: &Secret, steps: i64) -> String {
    secret.code_at(errtrack_core::Timestamp::now().as_seconds() + 30 * steps)
}

#[tokio::test]
async fn the_invited_choose_a_password_and_come_in_as_what_they_are_invited_as() {
    let mut owner = Browser::signed_in().await;
    owner.report("Broken").await;
    let link = owner.link("/settings/team/invite", "email=Jun%40example.com&role=viewer&name=Jun").await;
    let mut jun = owner.another();
    assert_eq!(jun.sign_in("jun@example.com", "").await.status, StatusCode::UNAUTHORIZED);
    let page = jun.get(&link).await;
    assert!(
        page.status == StatusCode::OK && page.text.contains("jun@example.com") && page.text.contains("value=\"Jun\"")
    );
    for wrong in ["password=short&again=short", "password=long+enough+1&again=long+enough+2"] {
        assert_eq!(jun.post(&link, wrong).await.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
    let page = jun.post(&link, "name=Jun+Park&password=long+enough+1&again=long+enough+1").await;
    assert!(page.status == StatusCode::OK && page.text.contains("password is set"), "{}", page.text);
    assert_eq!(jun.post(&link, "password=long+enough+2&again=long+enough+2").await.status, StatusCode::NOT_FOUND);
    assert_eq!(jun.sign_in("jun@example.com", "long enough 1").await.status, StatusCode::SEE_OTHER);
    assert_eq!(jun.get("/issues").await.status, StatusCode::OK);
    for path in ["/settings/team", "/settings/keys", "/settings/audit"] {
        assert_eq!(jun.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
        assert_eq!(owner.get(path).await.status, StatusCode::OK, "{path}");
    }
    let member = owner.member("jun@example.com").await;
    assert_eq!((&*member.name, member.status.as_str()), ("Jun Park", "active"));
    // Disabled, and out at once.
    let answer = owner.post(&format!("/settings/team/{}/disable", member.id), "").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    assert_eq!(jun.get("/issues").await.status, StatusCode::SEE_OTHER);
    assert_eq!(jun.sign_in("jun@example.com", "long enough 1").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_new_invitation_ends_the_old_one() {
    let mut owner = Browser::signed_in().await;
    let first = owner.link("/settings/team/invite", "email=jun%40example.com&role=viewer").await;
    let second = owner.link("/settings/team/invite", "email=jun%40example.com&role=developer").await;
    let mut jun = owner.another();
    assert_eq!(jun.get(&first).await.status, StatusCode::NOT_FOUND);
    assert_eq!(jun.get(&second).await.status, StatusCode::OK);
    assert_eq!(owner.member("jun@example.com").await.role, Role::Developer);
    // An invitation is no link to sign in with, and no session.
    let token = second.rsplit('/').next().unwrap();
    assert_eq!(jun.post(&format!("/login/{token}"), "").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(jun.get(&format!("/reset/{token}")).await.status, StatusCode::NOT_FOUND);
    jun.cookie = Some(format!("errtrack_session={token}"));
    assert_eq!(jun.get("/issues").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_changed_password_ends_all_other_sessions() {
    let mut here = Browser::signed_in().await;
    let mut there = here.another();
    there.sign_in("ana@example.com", "correct horse").await;
    let change = |old: &str| format!("old={old}&password=battery+staple&again=battery+staple");
    assert_eq!(here.post("/settings/account/password", &change("wrong")).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(there.get("/issues").await.status, StatusCode::OK);
    let answer = here.post("/settings/account/password", &change("correct+horse")).await;
    assert!(answer.status == StatusCode::OK && answer.text.contains("password is changed"), "{}", answer.text);
    assert_eq!(there.get("/issues").await.status, StatusCode::SEE_OTHER);
    assert_eq!(here.get("/issues").await.status, StatusCode::OK);
    assert_eq!(there.sign_in("ana@example.com", "correct horse").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(there.sign_in("ana@example.com", "battery staple").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_link_to_a_new_password_works_once_and_ends_every_session() {
    let mut owner = Browser::signed_in().await;
    let jun = Member::new("jun@example.com", Role::Developer);
    owner.store().add_member(&jun).await.unwrap();
    let link = owner.link(&format!("/settings/team/{}/reset", jun.id), "").await;
    let mut browser = owner.another();
    assert_eq!(browser.post(&link, "password=long+enough+1&again=long+enough+1").await.status, StatusCode::OK);
    assert_eq!(browser.post(&link, "password=long+enough+2&again=long+enough+2").await.status, StatusCode::NOT_FOUND);
    assert_eq!(browser.sign_in("jun@example.com", "long enough 1").await.status, StatusCode::SEE_OTHER);
    let link = owner.link(&format!("/settings/team/{}/reset", jun.id), "").await;
    owner.another().post(&link, "password=long+enough+3&again=long+enough+3").await;
    assert_eq!(browser.get("/issues").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn sessions_are_listed_and_ended_one_by_one() {
    let mut here = Browser::signed_in().await;
    let mut there = here.another();
    there.sign_in("ana@example.com", "correct horse").await;
    let page = here.get("/settings/account").await.text;
    assert_eq!((page.matches("this one").count(), page.matches("name=\"session\"").count()), (1, 1));
    let id = page.split("name=\"session\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert_eq!(here.post("/settings/account/end", &format!("session={id}")).await.status, StatusCode::SEE_OTHER);
    assert_eq!(there.get("/issues").await.status, StatusCode::SEE_OTHER);
    there.sign_in("ana@example.com", "correct horse").await;
    here.post("/settings/account/end-others", "").await;
    assert_eq!(there.get("/issues").await.status, StatusCode::SEE_OTHER);
    assert_eq!(here.get("/issues").await.status, StatusCode::OK);
}

#[tokio::test]
async fn with_a_second_factor_the_password_alone_opens_nothing() {
    let mut browser = Browser::signed_in().await;
    let page = browser.post("/settings/account/setup", "").await.text;
    let text = page.split("name=\"secret\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let secret = Secret::parse(&text).unwrap();
    let wrong = browser.post("/settings/account/confirm", &format!("secret={text}&code=12345")).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    let confirm = format!("secret={text}&code={}", code(&secret, 0));
    let page = browser.post("/settings/account/confirm", &confirm).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    let recovery = page.text.split("cannot be shown again.</p><pre tabindex=\"0\"><code>").nth(1).unwrap();
    let recovery: Vec<&str> = recovery.split('<').next().unwrap().lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(recovery.len(), 10);
    assert!(!browser.get("/settings/account").await.text.contains(recovery[0]));

    let mut there = browser.another();
    let half = there.sign_in("ana@example.com", "correct horse").await;
    assert_eq!((half.status, &there.cookie), (StatusCode::OK, &None), "no session yet");
    let token = half.text.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    there.cookie = Some(format!("errtrack_session={token}"));
    assert_eq!(there.get("/issues").await.status, StatusCode::SEE_OTHER, "what is half is no session");
    there.cookie = None;
    let send = |code: &str| format!("token={token}&code={code}&next=/issues%3Fq=x");
    let used = there.post("/login/code", &send(&code(&secret, 0))).await;
    assert_eq!(used.status, StatusCode::UNAUTHORIZED, "the code that confirmed works no more");
    let done = there.post("/login/code", &send(&code(&secret, 1))).await;
    assert_eq!((done.status, done.header("location")), (StatusCode::SEE_OTHER, "/ops/errors/issues?q=x"));
    assert_eq!(there.get("/issues").await.status, StatusCode::OK);
    assert_eq!(
        there.another().post("/login/code", &send(recovery[0])).await.status,
        StatusCode::UNAUTHORIZED,
        "used up"
    );

    // A recovery code does, once.
    for expected in [StatusCode::SEE_OTHER, StatusCode::UNAUTHORIZED] {
        let half = there.another().sign_in("ana@example.com", "correct horse").await;
        let token = half.text.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let form = format!("token={token}&code={}", recovery[1].to_uppercase());
        assert_eq!(there.another().post("/login/code", &form).await.status, expected);
    }
    // Codes cannot be guessed for long.
    let half = there.another().sign_in("ana@example.com", "correct horse").await;
    let token = half.text.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let mut guesser = there.another();
    let mut last = StatusCode::OK;
    for _ in 0..6 {
        last = guesser.post("/login/code", &format!("token={token}&code=000000")).await.status;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
    // A link that signs in asks too.
    let ana = browser.member("ana@example.com").await;
    let hash = access::token_hash("t0ken");
    let link = errtrack_core::Token::new(TokenKind::SignInLink, hash, ana.id, std::time::Duration::from_secs(60));
    browser.store().put_token(&link).await.unwrap();
    let answer = there.another().post("/login/t0ken", "").await;
    assert!(answer.status == StatusCode::OK && answer.text.contains("Enter a code"));
    let drop = format!("code={}", recovery[2]);
    assert_eq!(browser.post("/settings/account/drop-factor", &drop).await.status, StatusCode::OK);
    assert_eq!(there.another().sign_in("ana@example.com", "correct horse").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn keys_are_made_and_revoked_on_a_page() {
    let mut browser = Browser::signed_in().await;
    let answer = browser.post("/settings/keys", "name=&permission=read").await;
    assert!(answer.status == StatusCode::BAD_REQUEST && answer.text.contains("Name: must have"), "{}", answer.text);
    let answer = browser.post("/settings/keys", "name=deploys&permission=ingest&permission=read&days=30").await;
    assert_eq!(answer.status, StatusCode::CREATED);
    let secret = answer.text.split("<code>sk_live_").nth(1).unwrap().split('<').next().unwrap().to_owned();
    assert!(!browser.get("/settings/keys").await.text.contains(&secret));
    let key = format!("Bearer sk_live_{secret}");
    let mut program = browser.another();
    assert_eq!(program.send("GET", "/api/errors", &[("authorization", &key)], "").await.status, StatusCode::OK);
    let id = browser.store().api_keys().await.unwrap()[0].id;
    assert_eq!(browser.post(&format!("/settings/keys/{id}/revoke"), "").await.status, StatusCode::SEE_OTHER);
    assert_eq!(
        program.send("GET", "/api/errors", &[("authorization", &key)], "").await.status,
        StatusCode::UNAUTHORIZED
    );
    let log = browser.get("/settings/audit").await.text;
    for what in ["signed in", "made the key", "revoked the key", "deploys"] {
        assert!(log.contains(what), "{what}");
    }
}
