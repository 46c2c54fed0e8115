//! Records of the `log` crate, through `tracing_log`. A logger is set once per process: one test.

use errtrack_core::{Level, test::Recorder};
use errtrack_tracing::{EventFilter, LayerExt, current_layer};
use tracing_subscriber::prelude::*;

#[test]
fn records_come_with_their_own_target_file_and_line() {
    tracing_log::LogTracer::init().unwrap();
    let layer = current_layer().ignore_target("chatter").event_filter(|metadata| match metadata.target() {
        "billing" => EventFilter::Event,
        _ if *metadata.level() == tracing::Level::ERROR => EventFilter::Event,
        _ => EventFilter::Breadcrumb,
    });
    tracing_subscriber::registry().with(layer).init();
    let recorder = Recorder::start();
    let line = line!() + 2;
    recorder.run(|| {
        log::info!(target: "shop::mail", "connecting to {}", "mail.example");
        log::error!(target: "chatter", "left out");
        log::error!(target: "errtrack_core", "left out");
        log::warn!(target: "billing", "an event by its target");
        log::error!("no answer after {} s", 5);
    });
    let seen = recorder.captured();
    assert_eq!(seen.events().len(), 2, "{:?}", seen.titles());

    let billing = &seen.events()[0];
    assert_eq!((billing.level, billing.logger.as_deref()), (Level::Warning, Some("billing")));

    let event = &seen.events()[1];
    assert_eq!(event.title().1, "no answer after 5 s");
    assert_eq!(event.logger.as_deref(), Some("log_records"));
    assert!(event.extra.is_empty(), "{:?}", event.extra);
    let frame = event.threads[0].stacktrace.as_ref().unwrap().frames[0].clone();
    assert!(frame.filename.as_deref().unwrap().ends_with("log_records.rs"), "{frame:?}");
    assert_eq!(frame.lineno, Some(line + 4));
    assert_eq!(frame.module.as_deref(), Some("log_records"));

    let crumb = &event.breadcrumbs[0];
    assert_eq!(crumb.category.as_deref(), Some("shop::mail"));
    assert_eq!(crumb.message.as_deref(), Some("connecting to mail.example"));
    assert!(crumb.data.is_empty(), "{:?}", crumb.data);
}
