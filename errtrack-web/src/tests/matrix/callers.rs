//! Everybody who may ask.

use super::super::support::TestApp;
use crate::{Permissions, access::token_hash};
use errtrack_core::{
    ApiKey, Member, Permission, ProjectId, Role, Timestamp, Token, TokenKind,
    store::{AccountStore, KeyStore, ProjectStore},
};
use std::time::Duration;
use uuid::Uuid;

pub(super) struct Caller {
    pub(super) name: &'static str,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) is_known: bool,
    pub(super) is_member: bool,
    /// Sees the project `mine` alone.
    pub(super) is_limited: bool,
    pub(super) permissions: Permissions,
}

/// Nobody, strangers, a key of each permission, a member of each role; and those who see one project alone.
pub(super) async fn callers(app: &TestApp) -> Vec<Caller> {
    let mine = app.store.ensure_project("mine").await.unwrap().id;
    let mut callers = vec![
        unknown("nobody", None),
        unknown("a wrong key", Some("wrong".into())),
        unknown("a key that nobody made", Some(format!("sk_live_{}", "0".repeat(64)))),
    ];
    let old = Some(Timestamp::now().minus(Duration::from_secs(1)));
    let expired = key(app, Permission::Admin, None, old).await;
    callers.push(unknown("an expired key", Some(expired)));
    for (name, permission) in [
        ("a key to ingest", Permission::Ingest),
        ("a key to read", Permission::Read),
        ("a key to write", Permission::Write),
        ("a key to admin", Permission::Admin),
    ] {
        let secret = key(app, permission, None, None).await;
        callers.push(of_key(name, secret, permission, false));
    }
    for (name, permission) in
        [("a key to ingest of one project", Permission::Ingest), ("a key to admin of one project", Permission::Admin)]
    {
        let secret = key(app, permission, Some(vec![mine]), None).await;
        callers.push(of_key(name, secret, permission, true));
    }
    for (name, role) in [
        ("a viewer", Role::Viewer),
        ("a developer", Role::Developer),
        ("an admin", Role::Admin),
        ("an owner", Role::Owner),
    ] {
        callers.push(member(app, name, role, None).await);
    }
    callers.push(member(app, "a viewer of one project", Role::Viewer, Some(vec![mine])).await);
    callers.push(member(app, "a developer of one project", Role::Developer, Some(vec![mine])).await);
    callers
}

fn unknown(name: &'static str, key: Option<String>) -> Caller {
    let headers = key.into_iter().map(|key| ("x-api-key", key)).collect();
    Caller { name, headers, is_known: false, is_member: false, is_limited: false, permissions: Permissions::NONE }
}

fn of_key(name: &'static str, secret: String, permission: Permission, is_limited: bool) -> Caller {
    let headers = vec![("x-api-key", secret)];
    let permissions = [permission].as_slice().into();
    Caller { name, headers, is_known: true, is_member: false, is_limited, permissions }
}

async fn key(
    app: &TestApp,
    permission: Permission,
    projects: Option<Vec<ProjectId>>,
    expires_at: Option<Timestamp>,
) -> String {
    let secret = format!("sk_live_{}", Uuid::new_v4().simple());
    let key = ApiKey {
        id: Uuid::new_v4(),
        hash: token_hash(&secret),
        name: "k".into(),
        preview: String::new(),
        permissions: vec![permission],
        projects,
        expires_at,
        last_used: None,
        created_at: Timestamp::now(),
        created_by: String::new(),
    };
    app.store.add_api_key(&key).await.unwrap();
    secret
}

async fn member(app: &TestApp, name: &'static str, role: Role, projects: Option<Vec<ProjectId>>) -> Caller {
    let is_limited = projects.is_some();
    let member = Member { projects, ..Member::new(&format!("{}@example.com", Uuid::new_v4()), role) };
    app.store.add_member(&member).await.unwrap();
    let token = Uuid::new_v4().simple().to_string();
    let session = Token::new(TokenKind::Session, token_hash(&token), member.id, Duration::from_secs(600));
    app.store.put_token(&session).await.unwrap();
    let headers = vec![("cookie", format!("errtrack_session={token}"))];
    Caller { name, headers, is_known: true, is_member: true, is_limited, permissions: role.into() }
}
