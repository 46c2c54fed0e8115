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

    install_logging_hook(false);
    tracker.tracker().install_panic_hook();
    let within = panic_in_scope();

    install_logging_hook(true);
    let around = [panic_in_scope(), panic_in_scope()];
    let called = CALLED.load(SeqCst);

    set_hook(Box::new(|_| ()));
    install_logging_hook(false);
    let without = panic_in_scope();
    tracker.tracker().install_panic_hook();
    let again = panic_in_scope();

    // Back to the hook that tells what the test has to say.
    drop(take_hook());
    let once = ["panic it broke", " could not clean up"];
    assert_eq!(within, once, "ours calls the one that logs");
    assert_eq!(around, [once, once], "ours is called by one that logs");
    assert_eq!(called, 5);
    assert_eq!(without, [" a panic occurred", " could not clean up"], "without ours, what is logged is all");
    assert_eq!(again, once, "ours can be installed again");
}
