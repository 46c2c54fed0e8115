//! A scope is where its work is: in every poll of its future, on whichever thread, and nowhere else.

use errtrack_core::{
    Breadcrumb, Event, RequestSource, ScopeExt, ScopeHandle, StreamScopeExt, Tracker, User, add_breadcrumb,
    capture_error, carry, configure_scope, spawn, spawn_blocking,
    test::{Captured, Recorder, captured, captured_async},
    with_scope,
};
use futures_util::{StreamExt, stream, stream::FuturesUnordered};
use std::{fmt, future::Future, io, task::Poll, thread};
use tokio::sync::Barrier;

fn fail(what: &str) {
    capture_error(&io::Error::other(what.to_owned()));
}

/// Work that says who it is, lets others go on, and fails.
async fn work(name: &'static str, barrier: &Barrier) {
    configure_scope(|scope| scope.set_tag(name, "1"));
    add_breadcrumb(Breadcrumb::new(name));
    barrier.wait().await;
    fail(name);
    barrier.wait().await;
}

fn tags(event: &Event) -> Vec<&str> {
    event.tags.keys().map(String::as_str).filter(|key| *key != "thread").collect()
}

fn crumbs(event: &Event) -> Vec<&str> {
    event.breadcrumbs.iter().filter_map(|crumb| crumb.message.as_deref()).collect()
}

/// Each of the two has what it began with and what it added, and what comes after has neither.
fn assert_apart(seen: &Captured) {
    for name in ["a", "b"] {
        let event = seen.event_of(name);
        assert_eq!(tags(event), [name, "outer"]);
        assert_eq!(crumbs(event), ["begin", name]);
    }
    let after = seen.event_of("after");
    assert_eq!(tags(after), ["outer"]);
    assert_eq!(crumbs(after), ["begin"]);
    assert_eq!(seen.events().len(), 3);
}

fn begin() {
    configure_scope(|scope| scope.set_tag("outer", "1"));
    add_breadcrumb(Breadcrumb::new("begin"));
}

#[tokio::test]
async fn joined_futures_do_not_mix() {
    let seen = captured_async(async {
        begin();
        let barrier = Barrier::new(2);
        tokio::join!(work("a", &barrier).in_scope(), work("b", &barrier).in_scope());
        fail("after");
    });
    assert_apart(&seen.await);
}

#[tokio::test]
async fn selected_futures_do_not_mix_and_the_one_that_is_dropped_is_dropped_in_its_scope() {
    struct Dropped(&'static str);
    impl Drop for Dropped {
        fn drop(&mut self) {
            fail(self.0);
        }
    }
    let seen = captured_async(async {
        begin();
        let slow = async {
            let _dropped = Dropped("b");
            configure_scope(|scope| scope.set_tag("b", "1"));
            add_breadcrumb(Breadcrumb::new("b"));
            std::future::pending::<()>().await;
        };
        let fast = async {
            configure_scope(|scope| scope.set_tag("a", "1"));
            add_breadcrumb(Breadcrumb::new("a"));
            tokio::task::yield_now().await;
            fail("a");
        };
        tokio::select! {
            biased;
            () = slow.in_scope() => {}
            () = fast.in_scope() => {}
        }
        fail("after");
    });
    assert_apart(&seen.await);
}

#[tokio::test]
async fn unordered_futures_and_buffered_streams_do_not_mix() {
    let seen = captured_async(async {
        begin();
        let barrier = Barrier::new(2);
        let mut all: FuturesUnordered<_> = ["a", "b"].map(|name| work(name, &barrier).in_scope()).into_iter().collect();
        while all.next().await.is_some() {}
        fail("after");
    });
    assert_apart(&seen.await);
    let seen = captured_async(async {
        begin();
        let barrier = Barrier::new(2);
        let all = stream::iter(["a", "b"]).map(|name| work(name, &barrier).in_scope());
        all.buffer_unordered(2).collect::<Vec<_>>().await;
        fail("after");
    });
    assert_apart(&seen.await);
}

#[tokio::test]
async fn a_stream_has_a_scope_of_its_own() {
    let seen = captured_async(async {
        begin();
        let of = |name: &'static str| {
            let items = stream::iter(0..3).map(move |n| {
                if n == 0 {
                    configure_scope(|scope| scope.set_tag(name, "1"));
                    add_breadcrumb(Breadcrumb::new(name));
                } else if n == 2 {
                    fail(name);
                }
            });
            items.in_scope()
        };
        stream::select(of("a"), of("b")).collect::<Vec<_>>().await;
        fail("after");
    });
    assert_apart(&seen.await);
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_blocking_tasks_and_threads_keep_the_scope_and_panics_in_them_know_it() {
    let recorder = Recorder::start();
    recorder.tracker().install_panic_hook();
    let work = async {
        configure_scope(|scope| scope.set_user(User::id("42")));
        spawn(async { fail("a task") }).await.unwrap();
        assert!(spawn(async { panic!("in a task") }).await.is_err());
        spawn_blocking(|| fail("a blocking task")).await.unwrap();
        assert!(spawn_blocking(|| panic!("in a blocking task")).await.is_err());
        thread::spawn(carry(|| fail("a thread"))).join().unwrap();
        assert!(thread::spawn(carry(|| panic!("in a thread"))).join().is_err());
    };
    recorder.run_async(work).await;
    let seen = recorder.captured();
    for what in ["a task", "in a task", "a blocking task", "in a blocking task", "a thread", "in a thread"] {
        let is_it = |event: &&Event| event.title().1 == what;
        let event = seen.events().iter().find(is_it).unwrap();
        assert_eq!(event.user.as_ref().and_then(|user| user.id.as_deref()), Some("42"), "{what}");
    }
    assert_eq!(seen.events().len(), 6);
}

#[tokio::test]
async fn a_scope_is_gone_where_its_work_is_not() {
    let recorder = Recorder::start();
    recorder.run_async(async { begin() }).await;
    assert!(ScopeHandle::current().is_none());
    let waiting = recorder.run_async(async {
        begin();
        tokio::task::yield_now().await;
    });
    let mut waiting = Box::pin(waiting);
    assert!(std::future::poll_fn(|cx| Poll::Ready(waiting.as_mut().poll(cx).is_pending())).await);
    assert!(ScopeHandle::current().is_none(), "between two polls");
    let panics = std::panic::catch_unwind(|| recorder.run(|| panic!("gone")));
    assert!(panics.is_err());
    assert!(ScopeHandle::current().is_none(), "after a panic");
    drop(waiting);
    recorder.run(|| fail("later"));
    let event = recorder.captured().event_of("later").clone();
    assert!(event.tags.is_empty() && event.breadcrumbs.is_empty(), "{event:?}");
}

#[test]
fn with_scope_changes_what_is_captured_in_it_and_nothing_else() {
    let seen = captured(|| {
        configure_scope(|scope| scope.set_tag("outer", "1"));
        let value = with_scope(
            |scope| scope.set_tag("inner", "1"),
            || {
                add_breadcrumb(Breadcrumb::new("within"));
                fail("within");
                7
            },
        );
        assert_eq!(value, 7);
        fail("after");
    });
    assert_eq!(tags(seen.event_of("within")), ["inner", "outer"]);
    assert_eq!(crumbs(seen.event_of("within")), ["within"]);
    assert_eq!(tags(seen.event_of("after")), ["outer"]);
    assert!(crumbs(seen.event_of("after")).is_empty());
}

struct Order;

impl RequestSource for Order {
    fn fill(&self, event: &mut Event) {
        event.transaction = Some("POST /orders/{id}".into());
    }
}

#[test]
fn a_child_knows_its_request_and_the_request_knows_that_it_failed() {
    let recorder = Recorder::start();
    let request = ScopeHandle::for_request(recorder.tracker(), || Order);
    request.sync(|| with_scope(|_| (), || with_scope(|_| (), || fail("deep within"))));
    assert_eq!(request.failures(), 1);
    assert_eq!(recorder.captured().event().transaction.as_deref(), Some("POST /orders/{id}"));
}

#[test]
fn a_scope_that_is_being_changed_does_not_hold_up_what_is_captured_meanwhile() {
    let seen = captured(|| {
        configure_scope(|scope| scope.set_user(User::id("42")));
        configure_scope(|scope| {
            add_breadcrumb(Breadcrumb::new("within"));
            fail("within");
            scope.set_tag("plan", "pro");
        });
        fail("after");
    });
    assert_eq!(seen.event_of("within").user.as_ref().unwrap().id.as_deref(), Some("42"));
    assert_eq!(seen.event_of("after").tags["plan"], "pro");
    assert_eq!(crumbs(seen.event_of("after")), ["within"]);
}

#[test]
fn without_a_tracker_everything_does_nothing() {
    // The recorders of other tests are never the tracker of those that have none.
    assert!(errtrack_core::tracker().is_none());
    assert!(capture_error(&fmt::Error).is_nil());
    with_scope(|scope| scope.set_tag("a", "1"), || fail("nobody hears"));
    configure_scope(|scope| scope.set_tag("a", "1"));
    add_breadcrumb(Breadcrumb::new("nobody sees"));
}

#[test]
fn tests_side_by_side_see_only_their_own() {
    let threads: Vec<_> = (0..8)
        .map(|n| {
            thread::spawn(move || {
                let seen = captured(|| (0..=n).for_each(|_| fail(&format!("of {n}"))));
                assert_eq!(seen.events().len(), n + 1);
                assert!(seen.titles().iter().all(|title| title.1 == format!("of {n}")));
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

#[test]
fn the_kit_shows_what_hooks_rules_and_the_sanitizer_make_of_it() {
    let builder = Tracker::builder()
        .ignore_rules([errtrack_core::Rule::new().message("*not wanted*")])
        .sample_rate_of("*::Interrupted", 0.0)
        .before_send(|mut event| {
            event.tags.insert("seen".into(), "1".into());
            Some(event)
        });
    let recorder = Recorder::with(builder);
    recorder.run(|| {
        fail("password=hunter2 was refused");
        fail("this is not wanted");
        capture_error(&io::Error::from(io::ErrorKind::Interrupted));
    });
    let seen = recorder.captured();
    assert_eq!(seen.event().tags["seen"], "1");
    assert!(!seen.event().title().1.contains("hunter2"));
    let balance = seen.balance();
    assert_eq!((balance.captured, balance.stored, balance.ignored, balance.sampled), (3, 1, 1, 1));
}
