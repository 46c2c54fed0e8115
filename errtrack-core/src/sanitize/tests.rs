use super::*;
use crate::{Breadcrumb, Exception, Frame, Message, Request, Stacktrace, User};
use proptest::prelude::*;
use serde_json::{Value, json};

fn prose(text: &str) -> String {
    let mut event = Event { message: Some(Message::new(text)), ..Event::default() };
    Sanitizer::default().sanitize(&mut event);
    event.message.unwrap().text
}

#[test]
fn secrets_in_prose_say_what_they_were() {
    for (given, expected) in [
        ("password=hunter2 is wrong", "password=[Filtered: password] is wrong"),
        ("login with password: hunter2", "login with password: [Filtered: password]"),
        (r#"sent {"user":"ana","api_key":"abc"}"#, r#"sent {"user":"ana","api_key":"[Filtered: api key]"}"#),
        (r#"{\"password\":\"a b\"}"#, r#"{\"password\":\"[Filtered: password]\"}"#),
        ("GET /x?token=abc123&page=2", "GET /x?token=[Filtered: token]&page=2"),
        ("Authorization: Bearer abc.def-12345", "Authorization: [Filtered: bearer token]"),
        ("got bearer abcdef1234567890", "got bearer [Filtered: bearer token]"),
        ("got Basic dXNlcjpwYXNz", "got Basic [Filtered: basic credentials]"),
        ("postgres://app:s3cr@t@db/shop", "postgres://app:[Filtered: password]@db/shop"),
        ("key AKIAIOSFODNN7EXAMPLE leaked", "key [Filtered: AWS access key] leaked"),
        ("ghp_0123456789abcdefghij0123456789abcdef", "[Filtered: GitHub token]"),
        ("sk_live_0123456789abcdef.", "[Filtered: live key]."),
        ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "jwt [Filtered: JWT]"),
        ("card 4111 1111 1111 1111 declined", "card [Filtered: card number] declined"),
        ("to DE89370400440532013000 failed", "to [Filtered: IBAN] failed"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----\nx", "[Filtered: private key]\nx"),
        (
            "SECRET=-----BEGIN EC PRIVATE KEY-----\nMII\n-----END EC PRIVATE KEY-----\nx",
            "SECRET=[Filtered: private key]\nx",
        ),
        (
            "\"key\": \"-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----\n\"",
            "\"key\": \"[Filtered: private key]\n\"",
        ),
        ("4111111111111111 4111111111111111=", "[Filtered: card number] [Filtered: card number]="),
        ("Bearer : ://-----BEGIN PRIVATE KEY-----", "Bearer : ://[Filtered: private key]"),
        ("Cookie: a=b; c=d\nHost: x", "Cookie: [Filtered: cookie]\nHost: x"),
    ] {
        assert_eq!(prose(given), expected);
        assert_eq!(prose(expected), expected, "twice");
    }
}

#[test]
fn keys_of_queries_and_the_other_cookies_are_looked_at_too() {
    let mut event = Event::default();
    let query = "AKIAIOSFODNN7EXAMPLE[token]=x7&a=1";
    let headers = [("Cookie".to_owned(), "a=AKIAIOSFODNN7EXAMPLE; session=abc; theme=dark".to_owned())];
    event.request = Some(Request { query_string: Some(query.into()), headers: headers.into(), ..Request::default() });
    Sanitizer::default().send_default_pii(true).sanitize(&mut event);
    let request = event.request.unwrap();
    assert_eq!(request.query_string.unwrap(), "[Filtered: AWS access key][token]=[Filtered: token]&a=1");
    assert_eq!(request.headers["Cookie"], "a=[Filtered: AWS access key]; session=[Filtered: session]; theme=dark");
}

#[test]
fn a_password_that_goes_on_behind_the_end_of_a_pair_is_filtered_at_once() {
    let mut event = Event::default();
    let data = Some(json!("mysql://root:DgbG~FU2&X-7@10.0.0.7&shop_session=9MNBn9MNBK3C9CpX"));
    event.request = Some(Request { data, ..Request::default() });
    Sanitizer::default().sanitize(&mut event);
    let data = event.request.unwrap().data;
    assert_eq!(data, Some(json!("mysql://root:[Filtered: password]@10.0.0.7&shop_session=[Filtered: session]")));
}

#[test]
fn a_key_that_holds_a_pair_is_filtered_at_once() {
    let mut event = Event::default();
    let query_string = Some("credentials: !\0\0=ing".into());
    event.request = Some(Request { query_string, ..Request::default() });
    Sanitizer::default().sanitize(&mut event);
    let once = event.clone();
    Sanitizer::default().sanitize(&mut event);
    assert_eq!(event, once);
}

#[test]
fn what_was_filtered_out_of_a_key_is_no_key() {
    let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln";
    let mut event = Event::default();
    event.extra.insert("named".into(), json!({ "name": format!("{jwt} x"), "value": "plain" }));
    event.extra.insert("pair".into(), json!([format!("{jwt} x"), "plain"]));
    event.request = Some(Request { query_string: Some(format!("{jwt}-x=plain")), ..Request::default() });
    Sanitizer::default().sanitize(&mut event);
    assert_eq!(event.extra["named"]["value"], "plain");
    let once = event.clone();
    Sanitizer::default().sanitize(&mut event);
    assert_eq!(event, once);
}

#[test]
fn harmless_prose_is_not_spoilt() {
    for text in [
        "Unexpected token: } in JSON at position 4",
        "invalid password: must be at least 8 characters",
        "session expired",
        "auth::login failed: no such user",
        "the bearer of news, basic authentication required",
        "author: Ana, token_count=12, max_tokens: 4096",
        "order 1795218780514 of user 4711 at 1795218780514000",
        "WHERE password = $1 AND token = ?",
        "password=%s, password={}",
        "https://example.com/a@b?x=y",
        "see the sk-learn-something-rather-long-name",
        "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----",
        "cookie_consent=true&session_count=12",
    ] {
        assert_eq!(prose(text), text);
    }
}

fn full() -> Event {
    let message = Message { text: "x".into(), template: None, params: json!({"password": "p1secret"}) };
    let mut event = Event { message: Some(message), ..Event::default() };
    let frame = Frame {
        context_line: Some(r#"    login(password="hunter2", token=token)"#.into()),
        vars: json!({"password": "'hunter2'", "n": 3, "nested": {"apiKey": "k1secret"}}).as_object().cloned().unwrap(),
        ..Frame::default()
    };
    let stacktrace = Some(Stacktrace { frames: vec![frame] });
    event.exceptions.push(Exception { stacktrace, ..Exception::new("E", "token=abc123") });
    event.stack_trace = Some("at x\n password=hunter2".into());
    event.breadcrumbs.push(Breadcrumb::new("POST").data("url", "https://u:hunter2@h/").data("secret", "s"));
    let headers =
        [("Authorization", "Bearer abc"), ("Cookie", "a=b"), ("X-Forwarded-For", "203.0.113.9"), ("Accept", "*/*")];
    event.request = Some(Request {
        url: Some("https://h/x?access_token=abc".into()),
        query_string: Some("user%5Bpassword%5D=hunter2&page=2".into()),
        headers: headers.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect(),
        cookies: json!({"theme": "dark", "sid": "abc"}),
        data: Some(json!(r#"{"card_number":4111111111111111,"credentials":{"a":"b"},"ok":1}"#)),
        ..Request::default()
    });
    event.user = Some(User::id("42").email("ana@example.com").ip_address("203.0.113.9"));
    event.tags.insert("api_key".into(), "abc".into());
    event.contexts.insert("app".into(), json!({"session": {"id": "abc", "count": 3}}));
    event.extra.insert("environ".into(), json!({"SENTRY_AUTH_TOKEN": "abc", "PWD": "/srv", "PATH": "/bin"}));
    event
}

#[test]
fn every_part_of_an_event_is_filtered() {
    let mut event = full();
    Sanitizer::default().sanitize(&mut event);
    let marks: Vec<String> = event.filtered.iter().map(|m| format!("{}: {}", m.path, m.what)).collect();
    insta::assert_snapshot!(marks.join("\n"), @r"
    message.params.password: password
    exceptions.0.value: token
    exceptions.0.frames.0.context_line: password
    exceptions.0.frames.0.vars.nested.apiKey: api key
    exceptions.0.frames.0.vars.password: password
    stack_trace: password
    breadcrumbs.0.data.secret: secret
    breadcrumbs.0.data.url: password
    request.url: token
    request.query_string: password
    request.headers.Authorization: bearer token
    request.headers.Cookie: cookie
    request.headers.X-Forwarded-For: ip address
    request.cookies.sid: cookie
    request.cookies.theme: cookie
    request.data.card_number: card number
    request.data.credentials.a: credentials
    tags.api_key: api key
    contexts.app.session.id: session
    extra.environ.SENTRY_AUTH_TOKEN: token
    ");
    let json = serde_json::to_string(&event).unwrap();
    for secret in ["hunter2", "abc\"", "p1secret", "k1secret", "4111"] {
        assert!(!json.contains(secret), "{secret} in {json}");
    }
    for kept in ["ana@example.com", "/srv", "/bin", "token=token", "theme", "page=2", "\"count\":3"] {
        assert!(json.contains(kept), "{kept}");
    }
    let once = event.clone();
    Sanitizer::default().sanitize(&mut event);
    assert_eq!(event, once, "a second time changes nothing");
}

#[test]
fn source_code_keeps_its_names_and_loses_its_literals() {
    for (given, expected) in [
        (r#"let token = parse(input)?;"#, r#"let token = parse(input)?;"#),
        (r#"connect(user=user, password=password)"#, r#"connect(user=user, password=password)"#),
        (r#"password: &str, token: String"#, r#"password: &str, token: String"#),
        (r#"secret = b"hunter2""#, r#"secret = b"[Filtered: secret]""#),
        (r#"get("http://h/x?token=abc&n=1")"#, r#"get("http://h/x?token=[Filtered: token]&n=1")"#),
        (r#"{"Authorization": "Bearer abc"}"#, r#"{"Authorization": "[Filtered: bearer token]"}"#),
    ] {
        let filtered = scan::filter(given, &Rules::default(), scan::Kind::Code).map_or(given.to_owned(), |f| f.text);
        assert_eq!(filtered, expected);
    }
}

#[test]
fn pii_keeps_addresses_and_harmless_cookies() {
    let mut event = full();
    Sanitizer::default().send_default_pii(true).sanitize(&mut event);
    let request = event.request.unwrap();
    assert_eq!(request.headers["X-Forwarded-For"], "203.0.113.9");
    assert_eq!(request.headers["Authorization"], "[Filtered: bearer token]");
    assert_eq!(request.cookies, json!({"theme": "dark", "sid": "[Filtered: session]"}));
}

#[test]
fn keys_can_be_allowed_added_and_all_switched_off() {
    let filtered = |sanitizer: Sanitizer, key: &str| {
        let mut event = Event::default();
        event.extra.insert(key.into(), json!("a-value-as-long-as-those-that-open-doors"));
        sanitizer.sanitize(&mut event);
        event.extra[key] != "a-value-as-long-as-those-that-open-doors"
    };
    assert!(filtered(Sanitizer::default(), "session_id"));
    assert!(!filtered(Sanitizer::default().allow_key("sessionId"), "session_id"));
    assert!(!filtered(Sanitizer::off(), "password"));
    assert!(filtered(Sanitizer::off().key("pin"), "card_pin"));
    let drop = Sanitizer::off().function(Arc::new(|event| event.extra.clear()));
    let mut event = Event::default();
    event.extra.insert("x".into(), json!(1));
    drop.sanitize(&mut event);
    assert!(event.extra.is_empty());
    assert!(Sanitizer::default().pattern("(").is_err());
}

#[test]
fn a_session_id_that_only_tells_sessions_apart_is_kept() {
    let mut event = Event::default();
    let kept = json!({"session_id": "abc-def-ghi", "sessionId": "550e8400-e29b-41d4-a716-446655440000"});
    event.extra.insert("report".into(), kept.clone());
    event.extra.insert("session_id".into(), json!("gho2hh5xv8ncqgtg7pp8pp2s1tqx9u0d"));
    Sanitizer::default().sanitize(&mut event);
    assert_eq!(event.extra["report"], kept);
    assert_eq!(event.extra["session_id"], "[Filtered: session id]");
}

#[test]
fn marks_are_bounded() {
    let mut event = Event::default();
    event.extra.insert("x".into(), Value::Array(vec![json!({"password": "a"}); 1000]));
    Sanitizer::default().sanitize(&mut event);
    assert_eq!(event.filtered.len(), 200);
}

#[test]
fn long_hostile_text_takes_linear_time() {
    for unit in [
        "a://",
        "password=",
        "token: ",
        "\"",
        "password='",
        "-----BEGIN ",
        "4",
        "[Filtered",
        "Bearer ",
        "eyJ.",
        "secret\\\"",
    ] {
        let started = std::time::Instant::now();
        prose(&unit.repeat(64 << 10 >> 3));
        assert!(started.elapsed().as_secs() < 3, "{unit}");
    }
}

proptest! {
    #[test]
    fn any_text_is_taken_and_twice_is_once(text in "\\PC*") {
        let once = prose(&text);
        prop_assert_eq!(prose(&once), once);
    }

    #[test]
    fn likely_text_is_taken_and_twice_is_once(
        text in "(password|token|secret|cookie|=|:|: | |\"|'|\\\\|\\[Filtered: x\\]|Bearer |abc123|@|://|&|;|4111111111111111|sk_live_|\n|é|-----BEGIN PRIVATE KEY-----){0,24}",
    ) {
        let once = prose(&text);
        prop_assert_eq!(prose(&once), once);
    }
}

#[test]
fn what_is_no_secret_of_its_key_may_hold_others() {
    let mut event = Event::new();
    event.extra = serde_json::Map::from_iter([
        ("card_pin".to_owned(), json!("7 tries, then password=hunter2")),
        ("pin".to_owned(), json!(4_111_111_111_111_111_u64)),
        (
            "list".to_owned(),
            json!([["pin", "token=8f3a9c0d7e6b5a41"], { "name": "pin", "value": "sig=8f3a9c0d7e6b5a41" }]),
        ),
    ]);
    Sanitizer::default().sanitize(&mut event);
    assert_eq!(event.extra["card_pin"], "7 tries, then password=[Filtered: password]");
    assert_eq!(event.extra["pin"], "[Filtered: card number]");
    assert!(!json!(event.extra).to_string().contains("8f3a9c0d"), "{:?}", event.extra);
    let once = event.clone();
    Sanitizer::default().sanitize(&mut event);
    assert_eq!(event, once);
}
