use super::*;
use errtrack_core::Frame;
use proptest::prelude::*;
use serde_json::json;

fn event(value: &Value) -> Event {
    parse(&serde_json::to_vec(value).unwrap(), &Circumstances::default()).unwrap().unwrap()
}

fn marks(event: &Event) -> Vec<(&str, &str)> {
    event.truncated.iter().map(|m| (m.path.as_str(), m.what.as_str())).collect()
}

#[test]
fn exceptions_come_as_values_as_a_list_or_alone() {
    let one = json!({"type": "E", "value": "v", "stacktrace": {"frames": [{"function": "f", "lineno": "7"}]}});
    let expected = event(&json!({"exception": {"values": [one]}})).exceptions;
    assert_eq!(expected[0].frames()[0].lineno, Some(7));
    for form in [json!([null, one]), one.clone(), json!({"exc_omitted": null, "values": [one, null]})] {
        assert_eq!(event(&json!({"exception": form})).exceptions, expected);
        assert_eq!(event(&json!({"sentry.interfaces.Exception": form})).exceptions, expected);
    }
    for nothing in [json!({}), json!(null), json!([]), json!({"values": null}), json!([{}])] {
        let event = event(&json!({"exception": nothing}));
        assert!(event.exceptions.is_empty() && event.truncated.is_empty(), "{nothing}");
    }
}

#[test]
fn what_has_the_wrong_shape_is_dropped_and_noted() {
    let event = event(&json!({
        "level": "loud", "platform": ["x"], "tags": 7, "extra": "text", "contexts": {"os": {"name": "Linux"}},
        "exception": {"values": [{"type": "E", "stacktrace": {"frames": [{"lineno": {"a": 1}, "function": "f"}]}}]},
        "breadcrumbs": [{"data": [1], "message": "m"}], "server_name": {"a": [1, {"b": 2}]}, "request": true,
    }));
    assert_eq!((event.level, event.platform.as_ref(), event.tags.len()), (Level::Error, None, 0));
    assert_eq!(event.exceptions[0].frames()[0].function.as_deref(), Some("f"));
    assert_eq!(event.breadcrumbs[0].message.as_deref(), Some("m"));
    let mut paths = marks(&event);
    paths.sort_unstable();
    let expected = [
        ("breadcrumbs.0.data", "invalid"),
        ("exception.values.0.stacktrace.frames.0.lineno", "invalid"),
        ("extra", "invalid"),
        ("level", "invalid"),
        ("platform", "invalid"),
        ("request", "invalid"),
        ("server_name", "invalid"),
        ("tags", "invalid"),
    ];
    assert_eq!(paths, expected);
}

#[test]
fn messages_in_all_their_forms() {
    let text = |value| event(&value).message.map(|m| (m.text, m.template));
    let plain = || Some(("hi".to_owned(), None));
    assert_eq!(text(json!({"message": "hi"})), plain());
    assert_eq!(text(json!({"message": {"formatted": "hi"}})), plain());
    assert_eq!(text(json!({"logentry": {"message": "hi"}})), plain());
    assert_eq!(text(json!({"message": false})), None);
    assert_eq!(text(json!({"message": ""})), None);
    let made = || Some(("hi Ana".to_owned(), Some("hi %s".to_owned())));
    assert_eq!(text(json!({"logentry": {"message": "hi %s", "params": ["Ana"]}})), made());
    assert_eq!(
        text(json!({"message": "hi Ana", "sentry.interfaces.Message": {"message": "hi %s", "params": ["Ana"]}})),
        made()
    );
    assert_eq!(text(json!({"logentry": {"message": "hi %s", "formatted": "hi Ana"}})), made());
}

#[test]
fn times_levels_and_texts_in_all_their_forms() {
    for time in [
        json!(1_795_218_780.514),
        json!("2026-11-20T23:53:00.514Z"),
        json!("2026-11-20T23:53:00.514"),
        json!("1795218780.514"),
    ] {
        assert_eq!(event(&json!({"timestamp": time})).timestamp.to_string(), "2026-11-20T23:53:00.514Z", "{time}");
    }
    for (level, expected) in [
        (json!(40), Level::Error),
        (json!("log"), Level::Info),
        (json!("critical"), Level::Fatal),
        (json!("20"), Level::Info),
    ] {
        assert_eq!(event(&json!({"level": level})).level, expected);
    }
    let event = event(
        &json!({"dist": 7, "release": null, "user": {"id": 42, "plan": "pro"}, "fingerprint": ["{{ default }}", 5]}),
    );
    assert_eq!((event.dist.as_deref(), event.release, event.fingerprint.len()), (Some("7"), None, 2));
    let user = event.user.unwrap();
    assert_eq!((user.id.as_deref(), user.other["plan"].as_str()), (Some("42"), Some("pro")));
    assert_eq!(event.environment.as_deref(), Some("production"));
}

#[test]
fn tags_and_headers_as_maps_or_pairs() {
    let pairs = event(&json!({"tags": [["a", 1], ["b", null], ["", "x"], ["c", true], ["d", ""]]}));
    let map = event(&json!({"tags": {"a": "1", "b": null, "c": "true"}}));
    assert_eq!(pairs.tags, map.tags);
    assert_eq!(map.tags.len(), 2);
    let request = event(&json!({"request": {
        "url": "http://h/p?q=1", "headers": [["Accept", "a"], ["X", ["1", "2"]]], "query_string": {"q": "a b"},
    }}))
    .request
    .unwrap();
    assert_eq!((request.url.as_deref(), request.query_string.as_deref()), (Some("http://h/p"), Some("q=a%20b")));
    assert_eq!(request.headers["X"], "1, 2");
}

#[test]
fn the_clock_of_the_client_is_corrected() {
    let sent_at = Timestamp::now().plus(Duration::from_secs(3600));
    let about = Circumstances { sent_at: Some(sent_at), ..Circumstances::default() };
    let body = json!({"timestamp": sent_at.minus(Duration::from_secs(10))});
    let event = parse(body.to_string().as_bytes(), &about).unwrap().unwrap();
    let age = event.received_at.as_micros() - event.timestamp.as_micros();
    assert!((9_000_000..11_000_000).contains(&age), "{age}");
    assert!(event.original_timestamp.is_some());
}

#[test]
fn the_deepest_is_cut_and_nothing_else_is_lost() {
    let deep = format!("{{\"extra\":{{\"deep\":{}{}}},\"message\":\"m\"}}", "[".repeat(50_000), "]".repeat(50_000));
    let event = parse(deep.as_bytes(), &Circumstances::default()).unwrap().unwrap();
    assert_eq!(event.message.as_ref().map(|m| m.text.as_str()), Some("m"));
    assert_eq!(event.truncated[0].what, "too deep");
}

#[test]
fn a_stack_of_its_own_goes_to_the_thread_that_reports() {
    let event = event(&json!({"message": "m", "stacktrace": {"frames": [{"function": "f"}]}}));
    let frames = &event.threads[0].stacktrace.as_ref().unwrap().frames;
    assert_eq!(frames[..], [Frame { function: Some("f".into()), ..Frame::default() }]);
}

#[test]
fn other_kinds_of_events_are_none() {
    let about = Circumstances::default();
    assert_eq!(parse(br#"{"type": "transaction"}"#, &about).unwrap(), None);
    assert!(parse(br#"{"type": "error"}"#, &about).unwrap().is_some());
    assert!(parse(b"[]", &about).is_err() && parse(b"{\"a\"", &about).is_err());
}

#[test]
fn the_client_names_itself_when_the_event_does_not() {
    let about = Circumstances { client: Some("raven-js/3.27.2".into()), ..Circumstances::default() };
    let sdk = parse(b"{}", &about).unwrap().unwrap().sdk.unwrap();
    assert_eq!((sdk.name.as_str(), sdk.version.as_str()), ("raven-js", "3.27.2"));
}

/// JSON of any shape, its names often those of real fields.
fn any_json() -> impl Strategy<Value = Value> {
    let names = prop::sample::select(vec![
        "exception",
        "values",
        "stacktrace",
        "frames",
        "lineno",
        "vars",
        "message",
        "logentry",
        "params",
        "timestamp",
        "level",
        "tags",
        "user",
        "request",
        "headers",
        "query_string",
        "breadcrumbs",
        "data",
        "contexts",
        "extra",
        "sdk",
        "settings",
        "fingerprint",
        "debug_meta",
        "images",
        "modules",
        "threads",
        "mechanism",
        "type",
        "x",
    ]);
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|v| json!(v)),
        any::<i64>().prop_map(|v| json!(v)),
        any::<u64>().prop_map(|v| json!(v)),
        any::<f64>().prop_map(|v| json!(v)),
        ".{0,8}".prop_map(|v| json!(v)),
    ];
    leaf.prop_recursive(6, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|v| json!(v)),
            prop::collection::vec((names.clone(), inner), 0..6).prop_map(|pairs| json!(
                pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect::<serde_json::Map<_, _>>()
            )),
        ]
    })
}

proptest! {
    #[test]
    fn every_object_is_an_event(value in any_json()) {
        let about = Circumstances::default();
        match parse(value.to_string().as_bytes(), &about) {
            Ok(_) => prop_assert!(value.is_object()),
            Err(error) => prop_assert!(!value.is_object(), "{}: {}", error, value),
        }
    }

    #[test]
    fn nothing_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&bytes, &Circumstances::default());
    }
}
