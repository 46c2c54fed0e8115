use super::*;
use crate::{Message, Stacktrace, Thread, grouping::culprit};
use serde_json::json;

fn frame(function: &str, file: &str, line: u32) -> Frame {
    Frame {
        function: (!function.is_empty()).then(|| function.to_owned()),
        filename: Some(file.to_owned()),
        lineno: Some(line),
        in_app: Some(true),
        ..Frame::default()
    }
}

fn failed(ty: &str, value: &str, frames: Vec<Frame>) -> Event {
    let mut event = Event::new();
    event.exceptions.push(Exception { stacktrace: Some(Stacktrace { frames }), ..Exception::new(ty, value) });
    event
}

fn print(event: &Event) -> Fingerprint {
    group(event).0
}

fn names(event: &Event) -> Vec<String> {
    group(event).1.components.into_iter().map(|c| c.name).collect()
}

#[test]
fn lines_columns_releases_folders_and_ids_split_nothing() {
    let mut a = failed("E", "order 17", vec![frame("shop::pay::h0123456789abcdef", "/srv/1/src/pay.rs", 10)]);
    a.release = Some("1".into());
    let mut b = failed("E", "order 99", vec![frame("shop::pay::h0123456789abcdee", "/srv/2/src/pay.rs", 12)]);
    b.release = Some("2".into());
    assert_eq!(print(&a), print(&b));
    assert_eq!(names(&a), ["types", "frames"]);
    assert_eq!(culprit(&a), "shop::pay");
}

#[test]
fn types_innermost_functions_and_status_codes_split() {
    let base =
        || failed("E", "status code 404", vec![frame("shop::main", "main.rs", 1), frame("shop::pay", "pay.rs", 1)]);
    let mut ty = base();
    ty.exceptions[0].ty = Some("F".into());
    let mut function = base();
    function.exceptions[0].stacktrace.as_mut().unwrap().frames[1] = frame("shop::refund", "pay.rs", 1);
    let mut status = base();
    status.exceptions[0].value = Some("status code 422".into());
    let prints = [print(&base()), print(&ty), print(&function), print(&status)];
    assert_eq!(std::collections::HashSet::from(prints).len(), 4);
}

/// The stack may be that of an error further out, as `anyhow` and many loggers have it, or of none.
#[test]
fn status_codes_of_a_cause_without_a_stack_split() {
    let caused = |value: &str, frames: Vec<Frame>| {
        let mut event = failed("CartError", "could not pay", frames);
        event.exceptions.insert(0, Exception::new("GatewayError", value));
        print(&event)
    };
    for frames in [vec![], vec![frame("shop::pay", "pay.rs", 1)], vec![frame("", "pay.rs", 1)]] {
        let with = |value| caused(value, frames.clone());
        assert_ne!(with("answered with HTTP status 404"), with("answered with HTTP status 422"), "{frames:?}");
        assert_eq!(with("order 4711 is lost"), with("order 4712 is lost"), "{frames:?}");
    }
}

#[test]
fn the_depth_of_recursion_does_not_count() {
    let deep = |n: usize| {
        let mut frames = vec![frame("main", "a.py", 1)];
        (0..n).for_each(|_| frames.extend([frame("even", "a.py", 3), frame("odd", "a.py", 5)]));
        failed("RecursionError", "too deep", frames)
    };
    assert_eq!(print(&deep(3)), print(&deep(40)));
}

#[test]
fn runtime_frames_that_a_client_calls_its_own_do_not_count() {
    let own = frame("shop::pay::{{closure}}", "pay.rs", 3);
    let poll = frame("<axum::Route<E> as core::future::future::Future>::poll", "route.rs", 3);
    assert_eq!(print(&failed("E", "x", vec![own.clone()])), print(&failed("E", "x", vec![poll, own])));
}

#[test]
fn the_c_library_around_a_rust_program_does_not_count() {
    let own = frame("shop::main", "src/main.rs", 3);
    let on = |libc: &str| {
        let mut event = failed("E", "x", vec![frame(libc, "libc-start.c", 1), own.clone()]);
        event.platform = Some("rust".into());
        event
    };
    assert_eq!(print(&on("__libc_start_main_impl")), print(&on("__libc_start_main")));
}

#[test]
fn where_only_a_runtime_is_on_the_stack_the_message_counts() {
    let client = Frame { in_app: Some(false), ..frame("send", "/app/node_modules/@sentry/core/x.js", 1) };
    let event = failed("Error", "plain string", vec![client]);
    assert_eq!(names(&event), ["types", "frames", "message"]);
}

#[test]
fn minified_functions_count_with_their_file() {
    let a = failed("TypeError", "x", vec![frame("t", "https://a.b/assets/cart.3f2a9c.js", 1)]);
    let b = failed("TypeError", "x", vec![frame("t", "https://cdn.b/assets/cart.77aa01.js?x=1", 1)]);
    let c = failed("TypeError", "x", vec![frame("t", "https://a.b/assets/list.3f2a9c.js", 1)]);
    assert_eq!(print(&a), print(&b));
    assert_ne!(print(&a), print(&c));
    assert_eq!(culprit(&a), "assets/cart.js in t");
}

#[test]
fn without_own_frames_all_count() {
    let foreign = |name: &str| Frame { in_app: Some(false), ..frame(name, "/x/site-packages/lib.py", 1) };
    let (a, b) = (failed("E", "x", vec![foreign("get")]), failed("E", "x", vec![foreign("put")]));
    assert_ne!(print(&a), print(&b));
}

#[test]
fn a_place_and_spans_stand_for_a_stack() {
    let mut event = failed("sqlx::Error", "pool timed out after 30s", vec![frame("", "src/orders.rs", 10)]);
    event.contexts.insert("tracing".into(), json!({"spans": ["request", "pay"]}));
    let mut shifted = event.clone();
    shifted.exceptions[0].stacktrace.as_mut().unwrap().frames[0].lineno = Some(99);
    assert_eq!(print(&event), print(&shifted));
    assert_eq!(names(&event), ["types", "place", "spans"]);
    assert_eq!(culprit(&event), "src/orders.rs");
    shifted.contexts.clear();
    assert_ne!(print(&event), print(&shifted));
}

#[test]
fn an_error_without_a_type_is_known_by_its_message() {
    let untyped = |text: &str, frames| {
        let mut event = failed("Error", text, frames);
        event.platform = Some("rust".into());
        event
    };
    for frames in [vec![frame("", "src/mail.rs", 10)], vec![frame("shop::mail", "src/mail.rs", 10)], vec![]] {
        let print = |text: &str| print(&untyped(text, frames.clone()));
        assert_ne!(print("the server hung up"), print("no such mailbox"), "{frames:?}");
        assert_eq!(print("order 17 has no address"), print("order 18 has no address"), "{frames:?}");
    }
    let mut other = untyped("the server hung up", vec![frame("send", "mail.js", 1)]);
    other.platform = Some("javascript".into());
    assert_eq!(group(&other).1.components[0].values, ["Error"], "in other languages the stack tells");
}

#[test]
fn addresses_without_names_leave_the_place() {
    let address = |at: &str| Frame { instruction_addr: Some(at.into()), ..Frame::default() };
    let captured = |at: &str, file: &str| {
        let mut event = failed("sqlx::Error", "pool timed out", vec![address(at)]);
        event.platform = Some("rust".into());
        event.contexts.insert("captured_at".into(), json!({"file": file, "line": 10}));
        event
    };
    let event = captured("0x1000", "src/orders.rs");
    assert_eq!(names(&event), ["types", "place"]);
    assert_eq!(print(&event), print(&captured("0x2000", "src/orders.rs")));
    assert_ne!(print(&event), print(&captured("0x1000", "src/mail.rs")));
    assert_eq!(culprit(&event), "src/orders.rs");
}

#[test]
fn names_without_files_are_compared_with_the_place() {
    let named = |file: &str| {
        let nowhere = Frame { function: Some("shop::main".into()), in_app: Some(true), ..Frame::default() };
        let mut event = failed("sqlx::Error", "pool timed out", vec![nowhere]);
        event.platform = Some("rust".into());
        event.contexts.insert("captured_at".into(), json!({"file": file, "line": 10}));
        event
    };
    assert_eq!(names(&named("src/orders.rs")), ["types", "frames", "place"]);
    assert_ne!(print(&named("src/orders.rs")), print(&named("src/mail.rs")));
}

#[test]
fn the_stack_of_a_thread_stands_for_that_of_its_error() {
    let mut event = Event::new();
    event.exceptions.push(Exception::new("ParseIntError", "invalid digit"));
    let stacktrace = Some(Stacktrace { frames: vec![frame("shop::main", "main.rs", 1)] });
    event.threads.push(Thread { current: Some(true), stacktrace, ..Thread::default() });
    assert_eq!(names(&event), ["types", "frames"]);
    assert_eq!(culprit(&event), "shop::main");
}

#[test]
fn type_and_message_without_a_stack() {
    let mut event = Event::new();
    event.exceptions.push(Exception::new("Timeout", "order 17 timed out"));
    event.transaction = Some("POST /orders".into());
    insta::assert_json_snapshot!(group(&event).1, @r#"
    {
      "version": "errtrack:1",
      "by": "type and message",
      "components": [
        {
          "name": "types",
          "values": [
            "Timeout"
          ]
        },
        {
          "name": "message",
          "values": [
            "order <num> timed out"
          ]
        }
      ]
    }
    "#);
    assert_eq!(culprit(&event), "POST /orders");
}

#[test]
fn messages_group_by_template_or_by_what_is_left() {
    let mut event = Event::new();
    event.message =
        Some(Message { text: "user 5 left".into(), template: Some("user %s left".into()), params: json!([5]) });
    assert_eq!(names(&event), ["template"]);
    event.message = Some(Message::new("user 5 left"));
    event.logger = Some("shop".into());
    assert_eq!(names(&event), ["message", "logger"]);
    let before = print(&event);
    event.message = Some(Message::new("user 6 left"));
    // What JavaScript sends beside a message: no type, so no exception.
    event.exceptions.push(Exception { value: Some("user 6 left".into()), ..Exception::default() });
    assert_eq!(print(&event), before);
}

#[test]
fn a_client_fingerprint_wins_and_may_hold_ours() {
    let mut a = failed("E", "x", vec![frame("f", "a.py", 1)]);
    let ours = print(&a);
    a.fingerprint = vec!["{{ default }}".into()];
    assert_eq!(print(&a), ours);
    a.fingerprint = vec!["{{default}}".into(), "tenant-1".into()];
    assert_eq!(names(&a), ["fingerprint", "types", "frames"]);
    assert_ne!(print(&a), ours);
    let mut b = failed("F", "y", vec![]);
    (a.fingerprint, b.fingerprint) = (vec!["k".into()], vec!["k".into()]);
    assert_eq!(print(&a), print(&b));
}

#[test]
fn parts_cannot_be_shifted_between_values() {
    let with = |parts: &[&str]| {
        let mut event = Event::new();
        event.fingerprint = parts.iter().map(|p| (*p).to_owned()).collect();
        print(&event)
    };
    assert_ne!(with(&["ab", "c"]), with(&["a", "bc"]));
}

#[test]
fn an_empty_event_is_an_issue_too() {
    assert_eq!(group(&Event::default()).1.by, "message");
    assert_eq!(culprit(&Event::default()), "");
}
