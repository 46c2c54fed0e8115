//! The REST document (001): keys and the team.

use crate::service::{
    Is::{List, Or, Text, Time, Uuid},
    Service, fields,
};
use anyhow::Result;
use errtrack_tests::{Database, on_both};
use serde_json::{Value, json};

on_both!(api_keys team);

async fn api_keys(database: Database) -> Result<()> {
    let service = Service::start(database).await?;
    let request = json!({"name": "Development Key", "permissions": ["read"], "expires_at": "2099-12-31T23:59:59Z"});
    let answer = service.ask("POST", "/api/settings/api-keys", &request.to_string()).await;
    assert_eq!(answer.status, 201);
    let made = answer.data();
    let id = ("id", Uuid);
    fields(&made, &[id, ("name", Text), ("api_key", Text), ("permissions", List), ("expires_at", Time)])?;
    fields(&made, &[("created_at", Time)])?;
    for name in ["name", "permissions", "expires_at"] {
        assert_eq!(made[name], request[name], "{name}");
    }
    let key = made["api_key"].as_str().unwrap().to_owned();
    assert!(key.starts_with("sk_live_"), "{key}");

    let list = service.ask("GET", "/api/settings/api-keys", "").await.data();
    let listed = list["api_keys"].as_array().unwrap().iter().find(|entry| entry["id"] == made["id"]).unwrap();
    fields(listed, &[id, ("name", Text), ("key_preview", Text), ("permissions", List), ("created_at", Time)])?;
    fields(listed, &[("expires_at", Or(&Time)), ("last_used", Or(&Time))])?;
    let last = key.len() - 4;
    assert_eq!(listed["key_preview"], format!("sk_****{}", &key[last..]));
    assert!(!list.to_string().contains(&key), "shown once alone");

    let read = service.send("GET", "/api/errors", &[("X-API-Key", &key)], "").await;
    assert_eq!(read.status, 200);
    let refused = service.send("GET", "/api/settings/api-keys", &[("X-API-Key", &key)], "").await;
    assert_eq!(refused.status, 403);
    let path = format!("/api/settings/api-keys/{}", made["id"].as_str().unwrap());
    let revoked = service.ask("DELETE", &path, "").await;
    assert_eq!((revoked.status.as_u16(), revoked.body.len()), (204, 0));
    assert_eq!(service.send("GET", "/api/errors", &[("X-API-Key", &key)], "").await.status, 401);
    service.ask("DELETE", &path, "").await.error(404);
    service.ask("DELETE", "/api/settings/api-keys/key-1", "").await.error(400);
    Ok(())
}

async fn team(database: Database) -> Result<()> {
    let service = Service::start(database).await?;
    let request = json!({"email": "newuser@company.com", "role": "viewer"});
    let answer = service.ask("POST", "/api/settings/team/invite", &request.to_string()).await;
    assert_eq!(answer.status, 201);
    let invited = answer.data();
    let member = [
        ("id", Uuid),
        ("name", Text),
        ("email", Text),
        ("role", Text),
        ("status", Text),
        ("last_active", Or(&Time)),
        ("created_at", Time),
    ];
    fields(&invited, &member)?;
    fields(&invited, &[("invite_url", Text)])?;
    assert_eq!((&invited["email"], &invited["role"]), (&request["email"], &request["role"]));
    assert_eq!((&invited["status"], &invited["last_active"]), (&"invited".into(), &Value::Null));
    let list = service.ask("GET", "/api/settings/team", "").await.data();
    let listed = list["members"].as_array().unwrap();
    assert_eq!(listed.len(), 1);
    fields(&listed[0], &member)?;
    assert!(!list.to_string().contains("/invitation/"), "a link is shown once alone");
    for (body, field) in [
        (json!({"email": "nobody", "role": "viewer"}), "email"),
        (json!({"email": "a@example.com", "role": "boss"}), "role"),
    ] {
        let error = service.ask("POST", "/api/settings/team/invite", &body.to_string()).await.error(400);
        assert!(error.starts_with(&format!("{field}: ")), "{error}");
    }
    Ok(())
}
