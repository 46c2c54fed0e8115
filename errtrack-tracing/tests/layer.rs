//! What is logged, and what becomes of it.

use errtrack_core::{
    Event, Level, capture_error,
    test::{Captured, Recorder},
};
use errtrack_tracing::{EventFilter, LayerExt, layer};
use serde_json::json;
use std::{
    collections::HashMap,
    error::Error,
    fmt, io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};
use tracing::{debug, error, info, instrument, level_filters::LevelFilter, trace, warn};
use tracing_subscriber::{Layer, Registry, prelude::*};

/// Logs through a layer, in a scope, and answers what came of it.
fn logged<L: Layer<Registry> + Send + Sync>(make: impl FnOnce(&Recorder) -> L, log: impl FnOnce()) -> Captured {
    let recorder = Recorder::start();
    let subscriber = tracing_subscriber::registry().with(make(&recorder));
    tracing::subscriber::with_default(subscriber, || recorder.run(log));
    recorder.captured()
}

fn by_default(log: impl FnOnce()) -> Captured {
    logged(|recorder| layer(recorder.tracker()), log)
}

fn crumbs(event: &Event) -> Vec<&str> {
    event.breadcrumbs.iter().filter_map(|crumb| crumb.message.as_deref()).collect()
}

fn log_all() {
    trace!("trace");
    debug!("debug");
    info!("info");
    warn!("warn");
    error!("error");
}

#[test]
fn errors_are_events_and_what_came_before_is_breadcrumbs() {
    let seen = by_default(log_all);
    assert_eq!(seen.event().title(), ("", "error"));
    assert_eq!(crumbs(seen.event()), ["info", "warn"]);
}

#[test]
fn levels_say_what_becomes_of_what() {
    let seen = logged(|recorder| layer(recorder.tracker()).events_at(tracing::Level::WARN), log_all);
    let levels: Vec<_> = seen.events().iter().map(|event| event.level).collect();
    assert_eq!(levels, [Level::Warning, Level::Error]);
    assert_eq!(crumbs(&seen.events()[1]), ["info"]);

    let verbose = |recorder: &Recorder| layer(recorder.tracker()).breadcrumbs_at(tracing::Level::TRACE);
    assert_eq!(crumbs(logged(verbose, log_all).event()), ["trace", "debug", "info", "warn"]);

    let bare = |recorder: &Recorder| layer(recorder.tracker()).breadcrumbs_at(LevelFilter::OFF);
    assert!(crumbs(logged(bare, log_all).event()).is_empty());

    let none = |recorder: &Recorder| layer(recorder.tracker()).events_at(LevelFilter::OFF);
    assert!(logged(none, log_all).is_empty());
}

#[test]
fn a_target_can_be_left_out() {
    let seen = logged(
        |recorder| layer(recorder.tracker()).ignore_target("hyper"),
        || {
            info!(target: "hyper::proto", "left out");
            error!(target: "hyper", "left out");
            error!(target: "hyper_util", "kept");
        },
    );
    assert_eq!(seen.event().title().1, "kept");
    assert!(crumbs(seen.event()).is_empty());
}

#[test]
fn a_function_decides_per_callsite_and_not_per_event() {
    let asked = Arc::new(Mutex::new(HashMap::<_, u32>::new()));
    let counting = asked.clone();
    let seen = logged(
        |recorder| {
            layer(recorder.tracker()).event_filter(move |metadata| {
                if ["billing", "chatter", "panics"].contains(&metadata.target()) {
                    *counting.lock().unwrap().entry(metadata.target().to_owned()).or_default() += 1;
                }
                match metadata.target() {
                    "billing" => EventFilter::Event,
                    "chatter" => EventFilter::Ignore,
                    "panics" => panic!("in the filter"),
                    _ => EventFilter::Breadcrumb,
                }
            })
        },
        || {
            for _ in 0..10 {
                error!("no event");
                error!(target: "chatter", "nothing");
                error!(target: "panics", "nothing");
                error!(target: "errtrack", "never");
                debug!(target: "billing", "an event");
            }
        },
    );
    assert_eq!(seen.events().len(), 10);
    assert!(seen.titles().iter().all(|title| title.1 == "an event"));
    assert!(crumbs(&seen.events()[9]).iter().all(|crumb| *crumb == "no event"));
    let asked = asked.lock().unwrap();
    // Threads that meet a callsite at the same time may each ask.
    assert!(asked.len() == 3 && asked.values().all(|times| *times < 5), "{asked:?}");
}

#[derive(Debug)]
struct Outer(io::Error);

impl fmt::Display for Outer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("outer")
    }
}

impl Error for Outer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

fn values(event: &Event) -> Vec<&str> {
    event.exceptions.iter().filter_map(|e| e.value.as_deref()).collect()
}

#[test]
fn any_field_that_is_an_error_brings_its_whole_chain_and_the_one_called_error_goes_first() {
    let outer = Outer(io::Error::other("inner"));
    let other = io::Error::other("other");
    let seen = by_default(|| {
        error!(error = &outer as &dyn Error, "one");
        error!(err = &outer as &dyn Error, "two");
        error!(reason = &outer as &dyn Error, "three");
        error!(reason = &other as &dyn Error, error = &outer as &dyn Error, "four");
        error!(err = &outer as &dyn Error, reason = &other as &dyn Error, "five");
    });
    for event in seen.events() {
        assert_eq!(values(event), ["inner", "outer"], "{event:?}");
    }
    assert_eq!(seen.events()[3].extra["reason"], "other");
    assert_eq!(seen.events()[4].extra["reason"], "other");
}

#[instrument(skip(secret), fields(order = 7, total = tracing::field::Empty))]
fn pay(order: u32, secret: &str) {
    tracing::Span::current().record("total", 12.5);
    let _ = (order, secret);
    error!(tags.provider = "acme", attempt = 3, "could not pay");
}

#[test]
fn spans_give_their_path_and_fields_also_those_recorded_later_and_none_that_are_skipped() {
    let seen = by_default(|| {
        let request = tracing::info_span!("request", id = "r-1");
        request.in_scope(|| pay(7, "hunter2"));
    });
    let event = seen.event();
    assert_eq!(event.contexts["tracing"]["spans"], json!(["request", "pay"]));
    assert_eq!(event.contexts["tracing"]["fields"], json!({ "id": "r-1", "order": 7, "total": 12.5 }));
    assert_eq!(event.tags["provider"], "acme");
    assert_eq!(event.extra["attempt"], 3);
}

#[test]
fn what_a_span_follows_from_is_told() {
    let seen = by_default(|| {
        let request = tracing::info_span!("request");
        let cause = tracing::info_span!(parent: &request, "enqueue");
        let job = tracing::info_span!(parent: None, "job");
        job.follows_from(&cause);
        job.follows_from(&cause);
        job.in_scope(|| error!("failed"));
    });
    assert_eq!(seen.event().contexts["tracing"]["spans"], json!(["job"]));
    assert_eq!(seen.event().contexts["tracing"]["follows_from"], json!(["request:enqueue"]));
}

/// A value whose `Debug` does what it should not.
struct Wicked(fn());

impl fmt::Debug for Wicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("so far")?;
        (self.0)();
        Ok(())
    }
}

#[test]
fn a_value_whose_debug_panics_costs_itself_alone() {
    let seen = by_default(|| {
        let panics = Wicked(|| panic!("in Debug"));
        info!(value = ?panics, "crumb");
        tracing::info_span!("span", value = ?panics).in_scope(|| error!(value = ?panics, after = 7, "event"));
    });
    let event = seen.event();
    assert_eq!(event.title().1, "event");
    assert_eq!(event.extra["value"], "so far (it panicked here)");
    assert_eq!(event.extra["after"], 7);
    assert_eq!(crumbs(event), ["crumb"]);
}

#[test]
fn a_value_whose_debug_logs_itself_ends() {
    fn again() {
        error!(value = ?Wicked(again), "again");
    }
    let recorder = Recorder::start();
    let capturing = layer(recorder.tracker()).and_then(tracing_subscriber::layer::Identity::new());
    let subscriber = tracing_subscriber::registry().with(capturing);
    tracing::subscriber::with_default(subscriber, || recorder.run(again));
    assert!((1..10).contains(&recorder.captured().events().len()));
}

#[test]
fn a_value_whose_debug_captures_does_not_deadlock() {
    let seen = by_default(|| {
        let captures = Wicked(|| {
            capture_error(&fmt::Error);
            errtrack_core::configure_scope(|scope| scope.set_tag("a", "1"));
        });
        tracing::info_span!("span", value = ?captures).in_scope(|| {
            tracing::Span::current().record("value", tracing::field::debug(&captures));
            error!(value = ?captures, "event");
        });
    });
    assert!(seen.events().iter().any(|event| event.title().1 == "event"));
}

/// Counts the callsites and events that get through to a subscriber that wants nothing itself.
#[test]
fn what_is_not_wanted_is_disabled_at_its_callsite() {
    static EVALUATED: AtomicUsize = AtomicUsize::new(0);
    fn costly() -> u32 {
        EVALUATED.fetch_add(1, SeqCst);
        7
    }
    by_default(|| {
        assert_eq!(LevelFilter::current(), LevelFilter::INFO, "debug! is one comparison");
        assert!(!tracing::enabled!(tracing::Level::DEBUG));
        for _ in 0..3 {
            debug!(value = costly());
            info!(target: "errtrack_store", value = costly());
        }
    });
    assert_eq!(EVALUATED.load(SeqCst), 0);
    logged(
        |recorder| layer(recorder.tracker()).ignore_target("chatter").breadcrumbs_at(LevelFilter::OFF),
        || {
            info!(value = costly());
            error!(target: "chatter", value = costly());
        },
    );
    assert_eq!(EVALUATED.load(SeqCst), 0);
}

#[test]
fn what_it_does_not_want_still_reaches_other_layers() {
    struct Count(Arc<AtomicUsize>);
    impl<S: tracing::Subscriber> Layer<S> for Count {
        fn on_event(&self, _: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
            self.0.fetch_add(1, SeqCst);
        }
    }
    let count = Arc::new(AtomicUsize::new(0));
    let recorder = Recorder::start();
    let subscriber = tracing_subscriber::registry().with(layer(recorder.tracker())).with(Count(count.clone()));
    tracing::subscriber::with_default(subscriber, || recorder.run(log_all));
    assert_eq!(count.load(SeqCst), 5);
    assert_eq!(recorder.captured().events().len(), 1);
}

#[test]
fn the_current_layer_reports_to_the_scope_that_it_is_in() {
    let (one, two) = (Recorder::start(), Recorder::start());
    let subscriber = tracing_subscriber::registry().with(errtrack_tracing::current_layer());
    tracing::subscriber::with_default(subscriber, || {
        error!("nobody's");
        one.run(|| error!("one"));
        two.run(|| error!("two"));
    });
    assert_eq!(one.captured().event().title().1, "one");
    assert_eq!(two.captured().event().title().1, "two");
}
