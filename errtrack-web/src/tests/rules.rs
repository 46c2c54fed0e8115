//! `/api/settings/projects/{id}/rules`, and what rules do to reports.

use super::support::{Answer, INGEST_KEY, KEY, READ_KEY, TestApp, WRITE_KEY};
use serde_json::{Value, json};

const RULES: &str = "/api/settings/projects/1/rules";
const PREVIEW: &str = "/api/settings/projects/1/rules/preview";

impl TestApp {
    async fn put_rules(&self, rules: &Value) -> Answer {
        self.send("PUT", RULES, &[("x-api-key", WRITE_KEY)], json!({ "rules": rules }).to_string()).await
    }

    async fn preview_rules(&self, rules: &Value) -> Answer {
        self.send("POST", PREVIEW, &[("x-api-key", WRITE_KEY)], json!({ "rules": rules }).to_string()).await
    }

    /// Reports an error and answers its issue's short id; empty if it was ignored.
    async fn told(&self, ty: &str, message: &str, plan: &str) -> String {
        let body = json!({"message": message, "type": ty, "source": "backend", "tags": {"plan": plan}});
        let answer = self.post("/api/errors", &body).await;
        assert!(answer.status.is_success(), "{:?}", answer.body);
        answer.data()["short_id"].as_str().unwrap_or_default().to_owned()
    }

    async fn grouping(&self, issue: &str) -> Value {
        let events = self.get(&format!("/api/errors/{issue}/events?limit=1")).await.data();
        events["events"][0]["grouping"].clone()
    }
}

#[tokio::test]
async fn rules_are_put_read_and_hold_at_once() {
    let app = TestApp::new().await;
    let document = json!({"rules": [], "project": "default", "project_id": 1});
    assert_eq!(app.get(RULES).await.data(), document);
    let (one, other) = (app.told("Timeout", "no answer", "pro").await, app.told("Refused", "closed", "pro").await);
    assert_ne!(one, other);
    let rules = json!([
        {"name": "noise", "match": {"message": "*not wanted*"}, "action": "ignore"},
        {"name": "away", "match": {"type": "re:^(Timeout|Refused)$"}, "action": "fingerprint", "fingerprint": ["away"]},
        {"match": {"type": "Quota"}, "action": "fingerprint", "fingerprint": ["{{ default }}", "{{ tag.plan }}"]},
    ]);
    let put = app.put_rules(&rules).await;
    assert_eq!((put.status.as_u16(), &put.data()["rules"]), (200, &rules));
    assert_eq!(app.get(RULES).await.data()["rules"], rules);

    assert_eq!(app.told("Timeout", "this is not wanted", "pro").await, "", "the first rule decides");
    let away = app.told("Timeout", "no answer", "pro").await;
    assert!(away != one && away != other, "what is stored stays where it is");
    assert_eq!(app.told("Refused", "closed", "pro").await, away, "two become one");
    assert_ne!(
        app.told("Quota", "used up", "pro").await,
        app.told("Quota", "used up", "free").await,
        "one becomes two"
    );
    let why = app.grouping(&away).await;
    assert_eq!((&why["rule"], &why["by"]), (&"away".into(), &"rule".into()));
    assert_eq!(why["components"], json!([{"name": "fingerprint", "values": ["away"]}]));
    assert!(app.grouping(&one).await["rule"].is_null());

    let balance = app.get("/api/monitoring/balance").await.data();
    assert_eq!(balance["total"]["ignored"], 1, "{balance}");
    assert_eq!(app.put_rules(&json!([])).await.status, 200);
    assert_eq!(app.told("Timeout", "no answer", "pro").await, one);
}

#[tokio::test]
async fn a_change_made_on_one_node_holds_on_another() {
    let app = TestApp::new().await;
    let second = app.second().await;
    assert_ne!(second.told("Noise", "m", "pro").await, "");
    assert_eq!(app.put_rules(&json!([{"match": {"type": "Noise"}, "action": "ignore"}])).await.status, 200);
    TestApp::until("the other hears of it", async || second.told("Noise", "m", "pro").await.is_empty()).await;
    assert_eq!(second.get(RULES).await.data()["rules"][0]["match"]["type"], "Noise");
    let third = app.second().await;
    assert_eq!(third.told("Noise", "m", "pro").await, "", "one that starts knows them before its first event");
    assert_eq!(app.put_rules(&json!([])).await.status, 200);
    TestApp::until("and of its end", async || !second.told("Noise", "m", "pro").await.is_empty()).await;
}

#[tokio::test]
async fn a_dry_run_tells_and_writes_nothing() {
    let app = TestApp::new().await;
    let mut ids = Vec::new();
    for (ty, plan, times) in [("Timeout", "pro", 12), ("Refused", "free", 2), ("Quota", "pro", 1), ("Quota", "free", 1)]
    {
        for _ in 0..times {
            ids.push(app.told(ty, "no answer", plan).await);
        }
    }
    let rules = json!([
        {"match": {"type": "Refused"}, "action": "ignore"},
        {"name": "split", "match": {"type": "Quota", "tag.plan": "free"}, "fingerprint": ["{{ default }}", "free"],
         "action": "fingerprint"},
        {"match": {"type": "nothing"}, "action": "ignore"},
    ]);
    let preview = app.preview_rules(&rules).await.data()["preview"].take();
    let figures = ["issues", "events", "ignored_events", "left_out"].map(|name| preview[name].as_i64().unwrap());
    assert_eq!(figures, [3, 14, 2, 0], "ten of an issue at most: {preview}");
    assert_eq!((&preview["applied"], &preview["is_cut"]), (&json!([2, 1, 0]), &true.into()));
    let ignored = &preview["ignored"][0];
    assert_eq!(
        (&ignored["issue"]["short_id"], &ignored["events"], &ignored["of"]),
        (&"DEFAULT-2".into(), &2.into(), &2.into())
    );
    assert_eq!(ignored["rule"], json!({"index": 0, "label": "type is Refused"}));
    let group = &preview["groups"][0];
    assert_eq!((&group["change"], &group["into"], &group["events"]), (&"split".into(), &Value::Null, &1.into()));
    assert_eq!(group["from"][0]["rule"]["label"], "split");
    let example = group["from"][0]["example"].as_str().unwrap();
    assert_eq!(app.get(&format!("/api/events/{example}")).await.data()["tags"]["plan"], "free");

    let merge = json!([{"match": {"message": "no answer"}, "action": "fingerprint", "fingerprint": ["away"]}]);
    let preview = app.preview_rules(&merge).await.data()["preview"].take();
    let group = &preview["groups"][0];
    assert_eq!(
        (&group["change"], group["from"].as_array().unwrap().len(), &group["parts"]),
        (&"merge".into(), 3, &json!(["away"]))
    );

    assert_eq!(app.get(RULES).await.data()["rules"], json!([]), "nothing was saved");
    assert_eq!(app.told("Refused", "no answer", "free").await, ids[12], "and nothing holds");
}

#[tokio::test]
async fn what_is_wrong_is_told_by_rule_and_field_and_changes_nothing() {
    let app = TestApp::new().await;
    let right = json!([{"match": {"type": "Noise"}, "action": "ignore"}]);
    assert_eq!(app.put_rules(&right).await.status, 200);
    for (wrong, expected) in [
        (
            json!([{"match": {}, "action": "ignore"}]),
            "rules[0].match: needs a condition, or it would apply to every event",
        ),
        (
            json!([right[0], {"match": {"message": "re:("}, "action": "ignore"}]),
            "rules[1].match.message: is no regular expression: unclosed group",
        ),
        (
            json!([{"match": {"type": "x"}, "fingerprint": ["{{ x }}"]}]),
            "rules[0].fingerprint: `{{ x }}` is none of type",
        ),
        (json!("x"), "rules: must be a list"),
    ] {
        for answer in [app.put_rules(&wrong).await, app.preview_rules(&wrong).await] {
            assert!(answer.error(400).starts_with(expected), "{wrong}: {}", answer.error(400));
        }
    }
    let send = async |body: Vec<u8>| app.send("PUT", RULES, &[("x-api-key", WRITE_KEY)], body).await;
    assert!(send(b"{".to_vec()).await.error(400).starts_with("rules: are no JSON"));
    assert!(send(vec![0xff]).await.error(400).contains("UTF-8"));
    assert!(send(format!("{}1{}", "[".repeat(9_999), "]".repeat(9_999)).into()).await.error(400).contains("no JSON"));
    assert!(!send(vec![b' '; 3 << 20]).await.error(413).is_empty());
    assert_eq!(app.get(RULES).await.data()["rules"], right);
    assert!(app.get("/api/settings/projects/99/rules").await.error(404).contains("project"));
    assert!(app.get("/api/settings/projects/x/rules").await.error(400).starts_with("id: "));
    for (method, path) in [("PUT", RULES), ("POST", PREVIEW)] {
        for (key, status) in [("", 401), (INGEST_KEY, 403), (READ_KEY, 403), (WRITE_KEY, 200), (KEY, 200)] {
            let answer = app.send(method, path, &[("x-api-key", key)], r#"{"rules":[]}"#).await;
            assert_eq!(answer.status, status, "{method} {path} with `{key}`");
        }
    }
    app.store.set_away(true);
    assert!(!app.put_rules(&right).await.error(503).is_empty());
    app.store.set_away(false);
}

#[tokio::test]
async fn the_formula_of_a_dialect_holds_until_a_rule_decides() {
    let app = TestApp::new().await;
    let tell = async |path: &str| {
        let body =
            json!({"appId": "default", "errorCode": "E1", "errorType": "Boom", "message": "m", "requestUrl": path});
        let answer = app.post("/api/v1/errors", &body).await;
        assert!(answer.status.is_success(), "{:?}", answer.body);
    };
    tell("/a").await;
    tell("/b").await;
    let count = async || app.get("/api/errors").await.data()["total"].as_i64().unwrap();
    assert_eq!(count().await, 2);
    let rules = json!([{"match": {"message": "m"}, "action": "fingerprint", "fingerprint": ["one"]}]);
    let preview = app.preview_rules(&rules).await.data();
    assert_eq!(preview["preview"]["groups"][0]["change"], "merge", "{preview}");
    app.put_rules(&rules).await;
    tell("/a").await;
    tell("/b").await;
    assert_eq!(count().await, 3);
    let without = app.preview_rules(&json!([])).await.data();
    let groups = without["preview"]["groups"].as_array().unwrap();
    let into: Vec<_> = groups.iter().map(|group| group["into"]["short_id"].as_str().unwrap()).collect();
    assert_eq!((into.len(), into.contains(&"DEFAULT-1"), into.contains(&"DEFAULT-2")), (2, true, true), "{without}");
    app.put_rules(&json!([])).await;
    tell("/a").await;
    assert_eq!(count().await, 3, "back to the formula");
}
