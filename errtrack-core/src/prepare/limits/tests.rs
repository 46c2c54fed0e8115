use super::*;
use crate::{Breadcrumb, Exception, Frame, Message, Stacktrace, Timestamp};
use serde_json::{Value, json};

fn applied(change: impl FnOnce(&mut Event)) -> Event {
    let mut event = Event::new();
    change(&mut event);
    Limits::default().apply(&mut event);
    event
}

fn marks(event: &Event) -> Vec<String> {
    event.truncated.iter().map(|m| format!("{}: {}", m.path, m.what)).collect()
}

#[test]
fn an_event_within_the_limits_is_left_alone() {
    let mut event = Event::new();
    event.message = Some(Message::new("x"));
    let before = event.clone();
    Limits::default().apply(&mut event);
    assert_eq!(event, before);
}

#[test]
fn lists_are_cut_and_marked() {
    let event = applied(|event| {
        let frames = (0..412).map(|n| Frame { lineno: Some(n), ..Frame::default() }).collect();
        event.exceptions.push(Exception { stacktrace: Some(Stacktrace { frames }), ..Exception::new("E", "x") });
        event.breadcrumbs = (0..101).map(|n| Breadcrumb::new(n.to_string())).collect();
        event.tags = (0..101).map(|n| (n.to_string(), "é".repeat(2000))).collect();
        event.extra = (0..101).map(|n| (n.to_string(), json!(n))).collect();
    });
    let frames = event.exceptions[0].frames();
    assert_eq!((frames.len(), frames[99].lineno, frames[100].lineno), (200, Some(99), Some(312)));
    assert_eq!(event.breadcrumbs[0].message.as_deref(), Some("1"));
    assert_eq!((event.tags.len(), event.extra.len()), (100, 100));
    assert_eq!(event.truncated.len(), 100, "marks are bounded");
    assert_eq!(
        marks(&event)[..4],
        [
            "exceptions.0.stacktrace.frames: kept 200 of 412",
            "breadcrumbs: kept 100 of 101",
            "tags: kept 100 of 101",
            "tags.0: kept 2048 of 4000 bytes",
        ]
    );
}

#[test]
fn strings_are_cut_between_characters_and_hold_no_nul() {
    let event = applied(|event| event.message = Some(Message::new(format!("\0{}", "é".repeat(40_000)))));
    let text = event.message.unwrap().text;
    assert!(text.starts_with("\u{fffd}é") && text.ends_with('é') && text.len() < 65_540);
}

#[test]
fn deep_values_are_cut_without_recursion_as_deep() {
    let mut deep = Value::Null;
    (0..100).for_each(|_| deep = json!([deep]));
    let event = applied(|event| drop(event.extra.insert("x".into(), deep)));
    assert_eq!(event.truncated[0].what, "kept 64 levels");
    assert!(serde_json::to_string(&event).unwrap().len() < 2000);
}

#[test]
fn long_keys_are_cut() {
    let event = applied(|event| drop(event.extra.insert("k".repeat(5000), json!({"l".repeat(5000): 1}))));
    assert!(serde_json::to_string(&event).unwrap().len() < 4000);
}

#[test]
fn a_huge_event_keeps_what_went_wrong() {
    let big = || json!("x".repeat(60_000));
    let event = applied(|event| {
        event.exceptions.push(Exception::new("E", "what went wrong"));
        event.extra = (0..90).map(|n| (n.to_string(), big())).collect();
        event.breadcrumbs = (0..100).map(|_| Breadcrumb::new("x").data("y", big())).collect();
    });
    assert!(serde_json::to_vec(&event).unwrap().len() <= 1 << 20);
    assert_eq!(event.title(), ("E", "what went wrong"));
    assert_eq!(event.breadcrumbs.len(), 100);
    assert!(event.truncated[0].what.ends_with("without breadcrumbs.data, extra"), "{:?}", event.truncated);
}

#[test]
fn whatever_is_sent_fits_in_the_end() {
    let event = applied(|event| {
        let text = || Some("\u{1}".repeat(64 << 10));
        let frame = Frame { function: text(), filename: text(), ..Frame::default() };
        let stacktrace = Some(Stacktrace { frames: vec![frame; 20] });
        event.exceptions = vec![Exception { ty: text(), value: text(), stacktrace, ..Exception::default() }; 8];
        event.stack_trace = text();
    });
    assert!(serde_json::to_vec(&event).unwrap().len() <= 1 << 20);
}

#[test]
fn a_time_out_of_bounds_is_clamped_and_its_original_kept() {
    let received: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
    let clamp = |time: &str| {
        let mut event = Event { received_at: received, timestamp: time.parse().unwrap(), ..Event::default() };
        Limits::default().apply(&mut event);
        (event.timestamp.to_string(), event.original_timestamp)
    };
    let now = "2026-11-20T12:00:00Z".to_owned();
    assert_eq!(clamp("2026-11-20T12:04:00Z"), ("2026-11-20T12:04:00Z".to_owned(), None));
    assert_eq!(clamp("2030-01-01T00:00:00Z"), (now.clone(), Some("2030-01-01T00:00:00Z".to_owned())));
    assert_eq!(
        clamp("1999-01-01T00:00:00Z"),
        ("2026-08-22T12:00:00Z".to_owned(), Some("1999-01-01T00:00:00Z".to_owned()))
    );
    assert_eq!(clamp("1970-01-01T00:00:00Z"), (now, None));
    let mut event = Event::default();
    Limits::default().apply(&mut event);
    assert!(event.received_at > received && event.timestamp == event.received_at);
}
