//! Hooks that log panics, around ours and within it. A process has one hook: one test.

use errtrack_core::test::Recorder;
use errtrack_tracing::current_layer;
use std::{
    panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook},
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
};
use tracing_subscriber::prelude::*;

static CALLED: AtomicUsize = AtomicUsize::new(0);

/// Does what `tracing-panic`, `log-panics` and the like do.
fn install_logging_hook(calls_the_one_before: bool) {
    let before = take_hook();
    set_hook(Box::new(move |info| {
        CALLED.fetch_add(1, SeqCst);
        tracing::error!(panic = %info, "a panic occurred");
        if calls_the_one_before {
            before(info);
        }
    }));
}

#[expect(clippy::panic, reason = "it is what is looked at")]
fn panic_in_scope() -> Vec<String> {
    struct Logs;
    impl Drop for Logs {
        fn drop(&mut self) {
            tracing::error!("could not clean up");
        }
    }
    let recorder = Recorder::start();
    let caught = catch_unwind(AssertUnwindSafe(|| {
        recorder.run(|| {
            let _logs = Logs;
            panic!("it broke");
        })
    }));
    assert!(caught.is_err());
    recorder.captured().titles().into_iter().map(|(ty, text)| format!("{ty} {text}")).collect()
}

#[test]
fn a_panic_is_reported_once_whatever_hooks_log_it() {
    set_hook(Box::new(|_| ()));
    tracing_subscriber::registry().with(current_layer()).init();
    let tracker = Recorder::start();
    let expected = ["panic it broke", " could not clean up"];

    install_logging_hook(false);
    tracker.tracker().install_panic_hook();
    assert_eq!(panic_in_scope(), expected, "ours calls the one that logs");

    install_logging_hook(true);
    assert_eq!(panic_in_scope(), expected, "and is called by another one");
    assert_eq!(panic_in_scope(), expected, "also the second time on a thread");
    assert_eq!(CALLED.load(SeqCst), 5);

    set_hook(Box::new(|_| ()));
    install_logging_hook(false);
    assert_eq!(panic_in_scope(), [" a panic occurred", " could not clean up"], "without ours, what is logged is all");
    tracker.tracker().install_panic_hook();
    assert_eq!(panic_in_scope(), expected, "it can be installed again");
}
