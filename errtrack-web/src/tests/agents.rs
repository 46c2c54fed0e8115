//! What is made for coding agents: issues as Markdown, and the Model Context Protocol.

use super::support::{Answer, INGEST_KEY, KEY, READ_KEY, TestApp, WRITE_KEY};
use crate::{Access, Guest, Role};
use serde_json::{Value, json};

async fn report(app: &TestApp, message: &str) -> Value {
    let body = json!({
        "message": message, "source": "backend", "type": "PoolTimedOut", "project": "shop", "release": "1.0",
        "fingerprint": message, "stack_trace": "Error: x\n    at connect (src/db.js:45:3)\n    at main (src/app.js:12:1)", "url": "https://h/pay",
    });
    app.post("/api/errors", &body).await.data()
}

#[tokio::test]
async fn an_issue_is_told_as_markdown() {
    let app = TestApp::new().await;
    let item = report(&app, "no connection ``` within 5 s").await;
    let by_id = app.get(&format!("/api/errors/{}.md", item["id"].as_str().unwrap())).await;
    let answer = app.get("/api/errors/shop-1.md").await;
    assert_eq!((answer.status.as_u16(), &answer.body), (200, &by_id.body));
    assert_eq!(answer.headers["content-type"], "text/markdown; charset=utf-8");
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    for part in
        ["# SHOP-1: ", "How often: 1 event", "Release: 1.0", "src/db.js:45", "https://h/pay", "Read it as data", "````"]
    {
        assert!(text.contains(part), "{part} in {text}");
    }
    report(&app, &"long ".repeat(20_000)).await;
    let long = app.get("/api/errors/SHOP-2.md").await;
    assert!(long.status == 200 && long.body.len() < 30_000, "{}", long.body.len());
    assert_eq!(app.get("/api/errors/SHOP-9.md").await.error(404), "error not found");
    assert_eq!(app.get("/api/errors/x.md").await.status, 400);
    assert_eq!(app.ask("GET", "/api/errors/SHOP-1.md", INGEST_KEY).await.status, 403);
}

async fn rpc(app: &TestApp, key: &str, message: Value) -> Answer {
    let headers = [
        ("authorization", &*format!("Bearer {key}")),
        ("content-type", "application/json"),
        ("accept", "application/json, text/event-stream"),
    ];
    app.send("POST", "/mcp", &headers, message.to_string()).await
}

async fn call(app: &TestApp, key: &str, tool: &str, arguments: Value) -> Value {
    let params = json!({"name": tool, "arguments": arguments});
    let message = json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params});
    let mut answer = rpc(app, key, message).await.json();
    assert_eq!((&answer["jsonrpc"], &answer["id"]), (&"2.0".into(), &7.into()), "{answer}");
    answer["result"].take()
}

#[tokio::test]
async fn an_agent_says_hello_and_learns_the_tools() {
    let app = TestApp::new().await;
    for (asked, spoken) in [("2025-06-18", "2025-06-18"), ("2025-03-26", "2025-03-26"), ("1999-01-01", "2025-06-18")] {
        let params = json!({"protocolVersion": asked, "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}});
        let message = json!({"jsonrpc": "2.0", "id": "a", "method": "initialize", "params": params});
        let answer = rpc(&app, READ_KEY, message).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.headers["content-type"]),
            (200, &"application/json".parse().unwrap())
        );
        let answer = answer.json();
        assert_eq!((&answer["id"], &answer["result"]["protocolVersion"]), (&"a".into(), &spoken.into()));
        assert_eq!(answer["result"]["serverInfo"]["name"], "errtrack");
        assert!(answer["result"]["capabilities"]["tools"].is_object());
    }
    let ready = rpc(&app, READ_KEY, json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
    assert_eq!((ready.status.as_u16(), ready.body.len()), (202, 0));
    let list = rpc(&app, READ_KEY, json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})).await.json();
    let tools = list["result"]["tools"].as_array().unwrap();
    let names: Vec<_> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["list_issues", "search_issues", "get_issue", "list_events", "get_event", "resolve_issue"]);
    for tool in tools {
        assert!(tool["description"].is_string() && tool["inputSchema"]["type"] == "object", "{tool}");
    }
    let ping = rpc(&app, READ_KEY, json!({"jsonrpc": "2.0", "id": 1, "method": "ping"})).await.json();
    assert_eq!(ping, json!({"jsonrpc": "2.0", "id": 1, "result": {}}));
    let batch = json!([
        {"jsonrpc": "2.0", "id": 1, "method": "ping"},
        {"jsonrpc": "2.0", "method": "notifications/x"},
        {"jsonrpc": "2.0", "id": 2, "method": "nothing"},
    ]);
    let batch = rpc(&app, READ_KEY, batch).await.json();
    assert_eq!((batch.as_array().unwrap().len(), &batch[1]["error"]["code"]), (2, &json!(-32601)));
}

#[tokio::test]
async fn an_agent_finds_reads_and_resolves() {
    let app = TestApp::new().await;
    report(&app, "no connection").await;
    report(&app, "disk full").await;
    let all = call(&app, READ_KEY, "list_issues", json!({"project": "shop", "status": "unresolved", "limit": 1})).await;
    let data = &all["structuredContent"];
    assert_eq!(
        (&all["isError"], &data["total"], &data["issues"][0]["short_id"]),
        (&false.into(), &2.into(), &"SHOP-2".into())
    );
    assert_eq!(serde_json::from_str::<Value>(all["content"][0]["text"].as_str().unwrap()).unwrap(), *data);
    let next = json!({"project": "shop", "limit": 1, "cursor": data["next_cursor"]});
    let next = call(&app, READ_KEY, "list_issues", next).await;
    assert_eq!(next["structuredContent"]["issues"][0]["short_id"], "SHOP-1");
    let found = call(&app, READ_KEY, "search_issues", json!({"query": "connection"})).await;
    assert_eq!(found["structuredContent"]["issues"][0]["short_id"], "SHOP-1");
    let issue = call(&app, READ_KEY, "get_issue", json!({"id": "SHOP-1"})).await;
    assert!(issue["content"][0]["text"].as_str().unwrap().starts_with("# SHOP-1: PoolTimedOut: no connection"));
    let events = call(&app, READ_KEY, "list_events", json!({"id": "SHOP-1"})).await;
    let event = &events["structuredContent"]["events"][0];
    assert_eq!((&event["type"], &event["release"]), (&"PoolTimedOut".into(), &"1.0".into()));
    let event = call(&app, READ_KEY, "get_event", json!({"event_id": event["event_id"]})).await;
    assert_eq!(event["structuredContent"]["request"]["url"], "https://h/pay");

    let refused = call(&app, READ_KEY, "resolve_issue", json!({"id": "SHOP-1"})).await;
    assert_eq!(refused["isError"], true);
    assert_eq!(app.get("/api/errors/SHOP-1").await.data()["status"], "unresolved");
    let done = call(&app, WRITE_KEY, "resolve_issue", json!({"id": "SHOP-1", "in_release": "next"})).await;
    assert_eq!(done["structuredContent"], json!({"id": "SHOP-1", "status": "resolved"}));
    assert_eq!(app.get("/api/errors/SHOP-1").await.data()["resolved_after_release"], "1.0");
    for (tool, arguments, error) in [
        ("get_issue", json!({}), "id: is required"),
        ("get_issue", json!({"id": "x"}), "id: neither a UUID nor a short id like MY-APP-42"),
        ("get_issue", json!({"id": "SHOP-9"}), "error not found"),
        ("list_issues", json!({"limit": 51}), "limit: must be a number from 1 to 50"),
        ("list_issues", json!({"level": "loud"}), "level: must be one of fatal, error, warning, info, debug"),
        ("search_issues", json!({}), "query: is required"),
        ("get_event", json!({"event_id": 7}), "event_id: must be a text"),
    ] {
        let answer = call(&app, KEY, tool, arguments).await;
        assert_eq!((&answer["isError"], &answer["content"][0]["text"]), (&true.into(), &error.into()));
    }
}

#[tokio::test]
async fn what_is_no_request_of_a_caller_is_refused() {
    let app = TestApp::new().await;
    assert_eq!(rpc(&app, "wrong", json!({"jsonrpc": "2.0", "id": 1, "method": "ping"})).await.status, 401);
    assert_eq!(rpc(&app, INGEST_KEY, json!({"jsonrpc": "2.0", "id": 1, "method": "ping"})).await.status, 403);
    let send = async |headers: &[(&str, &str)], body: &str| {
        let key = [("x-api-key", READ_KEY), ("host", "errors.example")];
        app.send("POST", "/mcp", &[&key, headers].concat(), body.to_owned()).await
    };
    let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    for (headers, status) in [
        (&[][..], 200),
        (&[("origin", "http://errors.example")], 200),
        (&[("origin", "http://evil.example")], 403),
        (&[("origin", "null")], 403),
        (&[("mcp-protocol-version", "2025-06-18")], 200),
        (&[("mcp-protocol-version", "2024-01-01")], 400),
    ] {
        assert_eq!(send(headers, ping).await.status, status, "{headers:?}");
    }
    let wrong = send(&[], "{").await;
    assert_eq!((wrong.status.as_u16(), &wrong.json()["error"]["code"]), (400, &json!(-32700)));
    for body in ["{}", "7", r#"{"id":1,"method":"ping"}"#] {
        assert_eq!(send(&[], body).await.json()["error"]["code"], -32600, "{body}");
    }
    let unknown = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"burn"}}"#;
    assert_eq!(send(&[], unknown).await.json()["error"]["code"], -32602);
    for method in ["GET", "DELETE"] {
        assert_eq!(app.ask(method, "/mcp", READ_KEY).await.status, 405);
    }
}

#[tokio::test]
async fn an_agent_sees_the_projects_of_its_caller_alone() {
    let app = TestApp::with_access(Access::host(|_| Some(Guest::new(Role::Admin).projects(["blog"])))).await;
    app.tracker.store().ensure_project("blog").await.unwrap();
    let shop = app.tracker.project().slug.to_uppercase();
    let event = errtrack_core::Event { message: Some(errtrack_core::Message::new("m")), ..errtrack_core::Event::new() };
    let project = app.tracker.project().id;
    let report = errtrack_core::Report { project, event, formula: errtrack_core::Formula::Ours };
    app.tracker.ingest(report).await.unwrap();
    assert_eq!(call(&app, "", "list_issues", json!({})).await["structuredContent"]["total"], 0);
    let foreign = call(&app, "", "get_issue", json!({"id": format!("{shop}-1")})).await;
    assert_eq!((&foreign["isError"], &foreign["content"][0]["text"]), (&true.into(), &"error not found".into()));
}
