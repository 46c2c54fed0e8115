//! How well events are grouped: variants of every recorded event, and of a trace of every language, that are the same
//! issue, and variants that are another.
//!
//! Figures and what fails are printed with `--nocapture`.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may panic as it may")]

mod another;
mod same;
mod variant;

use errtrack::{
    Event, SqlStore,
    store::{EventStore, IssueQuery, IssueStore, Upkeep},
};
use errtrack_core::{Formula, Occurrence, Preparer, ProjectId};
use errtrack_tests::{database_in, recordings, serve_recordings, traces};
use std::collections::BTreeMap;
use variant::{Variant, frames_of};

/// What every recording left in the store.
async fn recorded() -> Vec<Event> {
    let folder = tempfile::tempdir().unwrap();
    let server = serve_recordings(folder.path()).await.unwrap();
    for recording in recordings().unwrap() {
        let path = if recording.path == "/tunnel" { "/api/1/envelope/" } else { &recording.path };
        assert_eq!(recording.send(server.address, path).await.unwrap().0, 200, "{}", recording.name);
    }
    drop(server);
    let store = SqlStore::open(&database_in(folder.path()).unwrap()).await.unwrap();
    let issues = store.issues(&IssueQuery { limit: 1000, ..IssueQuery::default() }).await.unwrap().issues;
    let mut events = Vec::new();
    for issue in issues {
        let page = store.events(issue.id, None, 1000).await.unwrap();
        events.extend(page.events.into_iter().map(|stored| stored.event));
    }
    store.close().await;
    events
}

/// The text traces of the languages, read.
fn read() -> Vec<Event> {
    let of_text = |(_, text): (_, &str)| Event { stack_trace: Some(text.into()), ..Event::new() };
    traces().into_iter().map(|trace| prepared(of_text(trace)).event()).collect()
}

/// An event as clients send it that leave it to the server whose frames are.
fn unmarked(event: &Event) -> Event {
    let mut event = event.clone();
    frames_of(&mut event).for_each(|frame| frame.in_app = None);
    event
}

fn prepared(event: Event) -> Occurrence {
    Preparer::default().prepare(ProjectId(1), event, Formula::Ours)
}

/// The fingerprint that an event gets, which comes as a client sends it: what was found out about it is taken away.
fn fingerprint(mut event: Event) -> String {
    event.grouping = None;
    prepared(event).fingerprint().to_string()
}

/// What of the variants differs from what it should be, by name; and how many were tried.
fn failures(events: &[Event], variants: &[Variant], is_same: bool) -> (usize, BTreeMap<&'static str, Vec<String>>) {
    let (mut tried, mut failed) = (0, BTreeMap::<_, Vec<String>>::new());
    for variant in variants {
        let pairs: Vec<_> = events.iter().filter_map(|event| Some((event, (variant.make)(event)?))).collect();
        assert!(!pairs.is_empty(), "no event has what {:?} changes", variant.name);
        tried += pairs.len();
        for (event, (one, other)) in pairs {
            if (fingerprint(one) == fingerprint(other)) != is_same {
                let (ty, value) = event.title();
                let why = event.grouping.as_ref().map(|grouping| format!("{} {:?}", grouping.by, grouping.components));
                failed.entry(variant.name).or_default().push(format!("{ty}: {value}\n    {}", why.unwrap_or_default()));
            }
        }
    }
    (tried, failed)
}

fn report(what: &str, tried: usize, failed: &BTreeMap<&str, Vec<String>>) -> f64 {
    let count: usize = failed.values().map(Vec::len).sum();
    let share = 100.0 * (1.0 - count as f64 / tried as f64);
    println!("{share:.2} % of {tried} variants {what}");
    for (name, list) in failed {
        println!("  {name}: {}", list.len());
        list.iter().for_each(|line| println!("    {line}"));
    }
    share
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_deploy_changes_splits_nothing_and_what_differs_is_another_issue() {
    let mut events = recorded().await;
    assert!(events.len() > 200, "{} events", events.len());
    events.extend(read());
    let bare: Vec<_> = events.iter().map(unmarked).collect();
    events.extend(bare);
    let (tried, failed) = failures(&events, same::VARIANTS, true);
    assert!(tried > 4000, "{tried} variants");
    let same = report("of the same error stay together", tried, &failed);
    let (tried, failed) = failures(&events, another::VARIANTS, false);
    assert!(tried > 1500, "{tried} variants");
    let another = report("of another error are told apart", tried, &failed);
    assert!(same >= 100.0 && another >= 100.0, "{same:.2} % together, {another:.2} % apart");
}
