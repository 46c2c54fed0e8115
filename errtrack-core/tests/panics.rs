//! Panics wherever they can happen: reported once, and the program goes on as if nobody looked.

#![expect(clippy::panic, reason = "what panics is what is tested")]

use errtrack_core::{
    Event, RequestSource, ScopeHandle, Tracker, User, capture_error, configure_scope, last_panic, spawn,
    test::{Captured, Recorder},
};
use std::{
    error::Error,
    fmt, io,
    panic::{AssertUnwindSafe, catch_unwind, panic_any},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    thread,
};

/// Runs what panics, and answers what was captured of it.
fn caught<T>(recorder: &Recorder, f: impl FnOnce() -> T) -> Captured {
    recorder.tracker().install_panic_hook();
    let result = catch_unwind(AssertUnwindSafe(|| recorder.run(f)));
    assert!(result.is_err(), "it panics for the host too");
    recorder.captured()
}

#[test]
fn a_panic_knows_its_scope_its_place_and_its_stack() {
    let recorder = Recorder::start();
    let seen = caught(&recorder, || {
        configure_scope(|scope| scope.set_user(User::id("42")));
        panic!("it broke");
    });
    let event = seen.event();
    assert_eq!(event.title(), ("panic", "it broke"));
    assert_eq!(event.user.as_ref().unwrap().id.as_deref(), Some("42"));
    assert!(event.contexts["captured_at"]["file"].as_str().unwrap().ends_with("panics.rs"));
    assert!(seen.issue().culprit.contains("a_panic_knows_its_scope"), "{}", seen.issue().culprit);
    assert_eq!(last_panic(), Some(event.event_id));
    assert_eq!(last_panic(), None, "asking takes it");
}

#[test]
fn a_panic_in_drop_and_what_is_captured_while_a_stack_unwinds_are_reported() {
    struct Panics;
    impl Drop for Panics {
        fn drop(&mut self) {
            panic!("in drop");
        }
    }
    struct Captures;
    impl Drop for Captures {
        fn drop(&mut self) {
            capture_error(&io::Error::other("could not clean up"));
            // A second panic that is caught before it meets the first does not end the process.
            assert!(catch_unwind(|| panic!("within the cleaning")).is_err());
        }
    }
    let seen = caught(&Recorder::start(), || drop(Panics));
    assert_eq!(seen.event().title().1, "in drop");
    let seen = caught(&Recorder::start(), || {
        let _captures = Captures;
        panic!("it broke");
    });
    let texts: Vec<_> = seen.titles().into_iter().map(|title| title.1).collect();
    assert_eq!(texts, ["it broke", "could not clean up", "within the cleaning"]);
}

/// Panics again when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        if !thread::panicking() {
            panic!("the payload went off");
        }
    }
}

#[test]
fn any_payload_will_do() {
    let recorder = Recorder::start();
    let seen = caught(&recorder, || panic_any(7));
    assert_eq!(seen.event().title(), ("panic", "(a value that is no text)"));
    let seen = caught(&Recorder::start(), || panic_any(String::from("owned text")));
    assert_eq!(seen.event().title().1, "owned text");
}

#[test]
fn an_error_that_throws_a_bomb_while_it_is_captured_does_not_hurt_the_host() {
    struct Wicked;
    impl fmt::Debug for Wicked {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic_any(Bomb)
        }
    }
    impl fmt::Display for Wicked {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic_any(Bomb)
        }
    }
    impl Error for Wicked {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            panic_any(Bomb)
        }
    }
    let recorder = Recorder::start();
    recorder.run(|| capture_error(&Wicked));
    assert!(recorder.captured().events().iter().any(|event| event.title().0.ends_with("Wicked")));
}

/// A hook of the host's that panics whenever it is called.
fn panics_in(what: &Arc<AtomicU32>) -> impl Fn() + Send + Sync + 'static {
    let called = what.clone();
    move || {
        called.fetch_add(1, SeqCst);
        panic_any(Bomb);
    }
}

#[test]
fn a_hook_that_panics_costs_one_event_and_is_not_reported() {
    let called = Arc::new(AtomicU32::new(0));
    let panics = panics_in(&called);
    let recorder = Recorder::with(Tracker::builder().before_send(move |event| {
        if event.title().1 == "bad" {
            panics();
        }
        Some(event)
    }));
    recorder.tracker().install_panic_hook();
    recorder.run(|| {
        capture_error(&io::Error::other("bad"));
        capture_error(&io::Error::other("good"));
    });
    let seen = recorder.captured();
    assert_eq!(seen.event().title().1, "good");
    assert_eq!((seen.balance().captured, seen.balance().dropped_by_store), (2, 1));
    assert_eq!(called.load(SeqCst), 1);
}

#[test]
fn every_other_hook_may_panic_too() {
    struct Fills(Box<dyn Fn() + Send + Sync>);
    impl RequestSource for Fills {
        fn fill(&self, _: &mut Event) {
            (self.0)();
        }
    }
    let called = Arc::new(AtomicU32::new(0));
    let (ignore, fingerprint, on_issue) = (panics_in(&called), panics_in(&called), panics_in(&called));
    for (n, builder) in [
        Tracker::builder().ignore(move |_| {
            ignore();
            false
        }),
        Tracker::builder().fingerprinter(move |_| {
            fingerprint();
            None
        }),
        Tracker::builder().on_issue(move |_| on_issue()),
    ]
    .into_iter()
    .enumerate()
    {
        let recorder = Recorder::with(builder);
        recorder.run(|| capture_error(&fmt::Error));
        assert_eq!(recorder.captured().events().len(), usize::from(n == 2));
        assert_eq!(recorder.captured().balance().under_way(), 0);
    }
    let recorder = Recorder::start();
    let fills = Fills(Box::new(panics_in(&called)));
    ScopeHandle::for_request(recorder.tracker(), || fills).sync(|| capture_error(&fmt::Error));
    recorder.run(|| capture_error(&io::Error::other("later")));
    assert_eq!(recorder.captured().event().title().1, "later");
    assert_eq!(called.load(SeqCst), 4);
}

#[test]
fn a_panic_while_a_scope_is_changed_is_reported_with_what_it_held() {
    let seen = caught(&Recorder::start(), || {
        configure_scope(|scope| scope.set_tag("plan", "pro"));
        configure_scope(|_| panic!("no such plan"));
    });
    assert_eq!(seen.event().tags["plan"], "pro");
}

#[tokio::test]
async fn a_panic_in_a_task_reaches_its_handle_and_the_runtime_lives() {
    let recorder = Recorder::start();
    recorder.tracker().install_panic_hook();
    let work = async {
        let error = spawn(async { panic_any(Bomb) }).await.unwrap_err();
        assert!(error.is_panic());
        // Its payload goes off where the host drops it, as it would without us.
        let went_off = catch_unwind(AssertUnwindSafe(|| drop(error)));
        assert!(went_off.is_err());
        assert_eq!(spawn(async { 7 }).await.unwrap(), 7);
    };
    recorder.run_async(work).await;
    let texts: Vec<_> = recorder.captured().titles().into_iter().map(|title| title.1.to_owned()).collect();
    assert_eq!(texts, ["(a value that is no text)", "the payload went off"]);
}
