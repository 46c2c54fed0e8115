//! What 19 unmodified SDKs really sent goes to the standalone server byte for byte, and is found again through its API.

use errtrack_tests::{Recording, recordings, serve_recordings};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What is over the limits, and the note that says so; everything else is kept whole.
const CUT: [(&str, &str, &str); 4] = [
    ("node-sentry-11/hostile-values-02", "extra.long", "kept 65536 of 150000 bytes"),
    ("node-sentry-7/hostile-values-02", "extra.long", "kept 65536 of 150000 bytes"),
    ("python-sentry-sdk/hostile-values", "extra.long", "kept 65536 of 150000 bytes"),
    ("python-sentry-sdk/recursion", "exceptions.0.stacktrace.frames", "kept 200 of 400"),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_recorded_event_is_stored_and_found_by_its_id() {
    let folder = tempfile::tempdir().unwrap();
    let server = serve_recordings(folder.path()).await.unwrap();
    let (address, mut client) = (server.address, server.client());
    let recordings = recordings().unwrap();
    assert_eq!(recordings.len(), 227);
    let (mut differences, mut ids) = (Vec::new(), BTreeSet::new());
    for recording in &recordings {
        // A tunnel is an endpoint of the user's own, which passes on what it gets.
        let path = if recording.path == "/tunnel" { "/api/1/envelope/" } else { &recording.path };
        let (status, answer) = recording.send(address, path).await.unwrap();
        assert_eq!(status, 200, "{}: {answer}", recording.name);
        let id = answer["id"].as_str().unwrap_or_else(|| panic!("{}: {answer}", recording.name));
        // sentry-cli's `send-envelope` writes an id of its own into the header, and the header wins.
        let sent = recording.expect["event_id"].as_str().filter(|_| !recording.name.contains("send-envelope"));
        if let Some(sent) = sent {
            assert_eq!(id, sent, "{}", recording.name);
        }
        ids.insert(id.to_owned());
        let found = client.get(&format!("/api/events/{id}")).await.unwrap();
        assert_eq!(found.status, 200, "{}: {}", recording.name, found.text());
        let event = found.json()["data"].take();
        differences.extend(compare(recording, &event));
    }
    // Some recordings share an id: those are stored once.
    let (mut count, mut cursor) = (0, String::new());
    loop {
        let mut page =
            client.get(&format!("/api/errors?limit=100&cursor={cursor}")).await.unwrap().json()["data"].take();
        count += page["errors"].as_array().unwrap().iter().filter_map(|e| e["count"].as_i64()).sum::<i64>();
        let Value::String(next) = page["next_cursor"].take() else { break };
        cursor = next;
    }
    assert_eq!(usize::try_from(count), Ok(ids.len()));
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

/// Where an event differs from what was sent. What is over a limit stands in [`CUT`]; NUL is stored as U+FFFD.
fn compare(recording: &Recording, event: &Value) -> Vec<String> {
    let expect = &recording.expect;
    let mut differences = Vec::new();
    let mut check = |what: &str, found: Value, expected: Value| {
        let expected = expected.as_str().map(|text| text.replace('\0', "\u{fffd}").into()).unwrap_or(expected);
        if found != expected {
            differences.push(format!("{}: {what} is {found}, not {expected}", recording.name));
        }
    };
    let cut = CUT.iter().find(|(name, ..)| *name == recording.name);
    let sent = expect["exceptions"].as_array().map_or(&[][..], Vec::as_slice);
    let stored = event["exceptions"].as_array().map_or(&[][..], Vec::as_slice);
    check("the number of exceptions", stored.len().into(), sent.len().into());
    for (n, (stored, sent)) in stored.iter().zip(sent).enumerate() {
        for field in ["type", "value", "module"] {
            check(&format!("{field} of exception {n}"), stored[field].clone(), sent[field].clone());
        }
        let handled = stored["mechanism"]["handled"].clone();
        check(&format!("`handled` of exception {n}"), handled, sent["handled"].clone());
        let frames = stored["stacktrace"]["frames"].as_array().map_or(&[][..], Vec::as_slice);
        let is_cut = cut.is_some_and(|(_, path, _)| path.ends_with("frames"));
        let expected = if is_cut { json!(200) } else { sent["frames"].clone() };
        check(&format!("the number of frames of exception {n}"), frames.len().into(), expected);
        for field in ["function", "filename", "lineno", "colno", "module"] {
            let last = frames.last().map_or(&Value::Null, |frame| &frame[field]);
            check(
                &format!("{field} of the last frame of exception {n}"),
                last.clone(),
                sent["last_frame"][field].clone(),
            );
        }
    }
    for field in ["platform", "release", "environment", "server_name", "transaction", "dist"] {
        let default = if field == "environment" { json!("production") } else { Value::Null };
        let sent = Some(&expect[field]).filter(|v| !v.is_null()).cloned().unwrap_or(default);
        check(field, event[field].clone(), sent);
    }
    check("level", event["level"].clone(), expect["level"].as_str().map_or(json!("error"), Value::from));
    // Where a client sends no more than template and parameters, `expect` has the template.
    let text = if event["message_template"] == expect["message"] { "message_template" } else { "message" };
    check("message", event[text].clone(), expect["message"].clone());
    let count = |value: &Value| value.as_array().map_or(0, Vec::len);
    check(
        "the number of breadcrumbs",
        count(&event["breadcrumbs"]).into(),
        expect["breadcrumbs"].as_u64().unwrap_or(0).into(),
    );
    let expected: Vec<_> = cut.iter().map(|(_, path, what)| json!({"path": path, "what": what})).collect();
    check("truncated", event["truncated"].clone(), json!(expected));
    differences
}
