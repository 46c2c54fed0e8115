//! The document of the error-tracker service (004), under its prefix.

use crate::service::{
    Is::{Bool, List, Number, Or, Text, Time},
    Service, fields,
};
use anyhow::Result;
use errtrack_tests::{Database, on_both};
use serde_json::{Value, json};

on_both!(submit list show resolve projects health limits);

const ERRORS: &str = "/error-tracker/api/errors";

/// The request of the document, with a whole traceback.
fn report() -> Value {
    json!({
        "project": "my-app", "environment": "prod", "exception_type": "ValueError", "message": "invalid input",
        "traceback": "Traceback (most recent call last):\n  File \"/srv/app/views.py\", line 17, in users\n    check(name)\n  File \"/srv/app/check.py\", line 3, in check\n    raise ValueError(\"invalid input\")\nValueError: invalid input\n",
        "request_url": "/api/users", "request_method": "POST", "request_headers": {"Accept": "application/json"},
        "user_id": "user-42", "extra": {"request_id": "abc123"}
    })
}

/// MD5 of `my-app:ValueError:/srv/app/check.py:3`.
const FINGERPRINT: &str = "d818848d27628df9eda297c9e1beccd1";

const ERROR: &[(&str, crate::service::Is)] = &[
    ("id", Number),
    ("fingerprint", Text),
    ("project", Text),
    ("environment", Or(&Text)),
    ("exception_type", Text),
    ("message", Text),
    ("count", Number),
    ("first_seen", Time),
    ("last_seen", Time),
    ("resolved", Bool),
];

async fn post(service: &Service, change: Value) -> (u16, Value) {
    let mut body = report();
    body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    let answer = service.ask("POST", ERRORS, &body.to_string()).await;
    (answer.status.as_u16(), answer.json())
}

async fn submit(database: Database) -> Result<()> {
    let service = Service::start(database).await?;
    let (status, created) = post(&service, json!({})).await;
    let id = created["id"].clone();
    assert!(id.is_i64());
    assert_eq!((status, created), (201, json!({"status": "created", "fingerprint": FINGERPRINT, "id": id})));
    for count in 2..5 {
        let existing = json!({"status": "existing", "fingerprint": FINGERPRINT, "count": count});
        assert_eq!(
            post(&service, json!({"message": "other words"})).await,
            (200, existing),
            "the message does not count"
        );
    }
    for change in [
        json!({"project": "other-app"}),
        json!({"exception_type": "KeyError"}),
        json!({"traceback": "Traceback (most recent call last):\n  File \"/srv/app/check.py\", line 4, in check\n    x\nValueError: y\n"}),
    ] {
        assert_eq!(post(&service, change.clone()).await.0, 201, "{change}");
    }
    // md5 of my-app:ValueError:: where there is no frame.
    let none = post(&service, json!({"traceback": "no trace"})).await.1;
    assert_eq!(none["fingerprint"], "dedf2f598b277aca3427892fbcd3ee4a");
    for (trace, place) in [
        (
            "TypeError: x is undefined\n    at render (https://h/app.js:10:5)\n    at main (https://h/app.js:99:1)",
            "app.js:10",
        ),
        ("render@https://h/app.js:11:5\nmain@https://h/app.js:99:1", "app.js:11"),
    ] {
        let first = post(&service, json!({"traceback": trace})).await;
        assert_eq!(first.0, 201, "{place}");
        let below = trace.replace(":99:1", ":77:1");
        assert_eq!(
            post(&service, json!({"traceback": below})).await.0,
            200,
            "the innermost frame alone counts: {place}"
        );
    }
    Ok(())
}

async fn list(database: Database) -> Result<()> {
    let service = Service::start(database).await?;
    for (project, ty, environment, source) in [
        ("my-app", "ValueError", "prod", "browser"),
        ("my-app", "KeyError", "dev", "backend"),
        ("other-app", "IOError", "prod", "backend"),
    ] {
        post(&service, json!({"project": project, "exception_type": ty, "environment": environment, "source": source}))
            .await;
    }
    let list = async |query: &str| service.ask("GET", &format!("{ERRORS}{query}"), "").await.json();
    let all = list("").await;
    fields(&all, &[("errors", List), ("total", Number), ("limit", Number), ("offset", Number)])?;
    assert_eq!((&all["total"], &all["limit"], &all["offset"]), (&3.into(), &50.into(), &0.into()));
    for error in all["errors"].as_array().unwrap() {
        fields(error, ERROR)?;
    }
    let id = all["errors"][1]["id"].clone();
    assert_eq!(service.ask("POST", &format!("{ERRORS}/{id}/resolve"), "").await.status, 200);
    for (query, types) in [
        ("?project=my-app", vec!["KeyError", "ValueError"]),
        ("?project=nobody", vec![]),
        ("?environment=prod", vec!["IOError", "ValueError"]),
        ("?resolved=true", vec!["KeyError"]),
        ("?resolved=false", vec!["IOError", "ValueError"]),
        ("?search=valueerror", vec!["ValueError"]),
        ("?search=invalid+KEY", vec!["KeyError"]),
        ("?source=browser", vec!["ValueError"]),
        ("?limit=1&offset=1", vec!["KeyError"]),
        ("?limit=200", vec!["IOError", "KeyError", "ValueError"]),
    ] {
        let page = list(query).await;
        let shown: Vec<_> =
            page["errors"].as_array().unwrap().iter().map(|e| e["exception_type"].as_str().unwrap()).collect();
        assert_eq!(shown, types, "{query}");
    }
    for (query, field) in
        [("limit=0", "limit"), ("limit=201", "limit"), ("offset=x", "offset"), ("resolved=1", "resolved")]
    {
        let error = service.ask("GET", &format!("{ERRORS}?{query}"), "").await.error(400);
        assert!(error.starts_with(&format!("{field}: ")), "{error}");
    }
    Ok(())
}

async fn show(database: Database) -> Result<()> {
    let service = Service::start(database).await?;
    let id = post(&service, json!({})).await.1["id"].clone();
    for n in 0..7 {
        post(&service, json!({"user_id": format!("user-{n}"), "extra": {"n": n}})).await;
    }
    let answer = service.ask("GET", &format!("{ERRORS}/{id}"), "").await;
    assert_eq!(answer.status, 200);
    let shown = answer.json();
    fields(&shown["error"], ERROR)?;
    fields(&shown["error"], &[("traceback", Text)])?;
    assert_eq!((&shown["error"]["count"], &shown["error"]["traceback"]), (&8.into(), &report()["traceback"]));
    let occurrences = shown["occurrences"].as_array().unwrap();
    let users: Vec<_> = occurrences.iter().map(|o| o["user_id"].as_str().unwrap()).collect();
    assert_eq!(users, ["user-6", "user-5", "user-4", "user-3", "user-2"], "the last five");
    for occurrence in occurrences {
        let texts = ["request_url", "request_method", "request_headers", "user_id", "extra"].map(|name| (name, Text));
        fields(occurrence, &texts)?;
        fields(occurrence, &[("id", Number), ("timestamp", Time)])?;
        assert_eq!((&occurrence["request_url"], &occurrence["request_method"]), (&"/api/users".into(), &"POST".into()));
        let headers: Value = serde_json::from_str(occurrence["request_headers"].as_str().unwrap())?;
        assert_eq!(headers, json!({"Accept": "application/json"}));
    }
    assert_eq!(occurrences[0]["extra"], r#"{"n":6}"#);
    service.ask("GET", &format!("{ERRORS}/999999"), "").await.error(404);
    assert!(service.ask("GET", &format!("{ERRORS}/x"), "").await.error(400).starts_with("id: "));
    Ok(())
}

async fn resolve(database: Database) -> Result<()> {
    let service = Service::start(database).await?;
    let id = post(&service, json!({})).await.1["id"].clone();
    let answer = service.ask("POST", &format!("{ERRORS}/{id}/resolve"), "").await;
    assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({"status": "resolved"})));
    let resolved = async || service.ask("GET", &format!("{ERRORS}/{id}"), "").await.json()["error"]["resolved"].clone();
    assert_eq!(resolved().await, true);
    assert_eq!(post(&service, json!({})).await.0, 200);
    assert_eq!(resolved().await, false, "it reopens");
    service.ask("POST", &format!("{ERRORS}/999999/resolve"), "").await.error(404);
    Ok(())
}

async fn projects(database: Database) -> Result<()> {
    let service = Service::start(database).await?;
    for project in ["my-app", "other-app"] {
        post(&service, json!({"project": project})).await;
    }
    let answer = service.ask("GET", "/error-tracker/api/projects", "").await.json();
    assert_eq!(answer.as_object().unwrap().len(), 1);
    let projects = answer["projects"].as_array().unwrap();
    assert!(projects.contains(&"my-app".into()) && projects.contains(&"other-app".into()), "{answer}");
    Ok(())
}

async fn health(database: Database) -> Result<()> {
    let service = Service::start(database).await?;
    let answer = service.send("GET", "/error-tracker/health", &[], "").await;
    assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({"status": "ok"})));
    Ok(())
}

async fn limits(database: Database) -> Result<()> {
    let service = Service::start(database).await?;
    for (method, path) in [("POST", ""), ("GET", ""), ("GET", "/1"), ("POST", "/1/resolve")] {
        service.send(method, &format!("{ERRORS}{path}"), &[], &report().to_string()).await.error(401);
    }
    for (field, value) in [
        ("project", Value::Null),
        ("project", json!("p".repeat(101))),
        ("project", json!("日本")),
        ("exception_type", Value::Null),
        ("exception_type", json!("x".repeat(201))),
        ("environment", json!("x".repeat(51))),
        ("message", json!(7)),
        ("extra", json!("text")),
    ] {
        let (status, error) = post(&service, json!({field: value})).await;
        assert_eq!(status, 400, "{field}");
        assert!(error["error"].as_str().unwrap().starts_with(&format!("{field}: ")), "{error}");
    }
    let (status, _) = post(&service, json!({"message": "m".repeat(256 << 10)})).await;
    assert_eq!(status, 413, "256 KiB");
    Ok(())
}
