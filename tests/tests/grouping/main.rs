//! How well events are grouped: variants of every recorded event that are the same issue, and variants that are another.
//!
//! Figures and what fails are printed with `--nocapture`.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may panic as it may")]

mod variants;

use errtrack::{
    Event, SqlStore,
    store::{EventStore, IssueQuery, IssueStore, Upkeep},
};
use errtrack_core::{Formula, Preparer, ProjectId};
use errtrack_tests::{database_in, recordings, serve_recordings};
use std::collections::BTreeMap;
use variants::{ANOTHER, SAME, Variant};

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

/// The fingerprint that an event gets, which comes as a client sends it: what was found out about it is taken away.
fn fingerprint(mut event: Event) -> String {
    event.grouping = None;
    Preparer::default().prepare(ProjectId(1), event, Formula::Ours).fingerprint().to_string()
}

/// What of the variants differs from what it should be, by name; and how many were tried.
fn failures(events: &[Event], variants: &[Variant], is_same: bool) -> (usize, BTreeMap<&'static str, Vec<String>>) {
    let (mut tried, mut failed) = (0, BTreeMap::<_, Vec<String>>::new());
    for event in events {
        for variant in variants {
            let Some((one, other)) = (variant.make)(event) else { continue };
            tried += 1;
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
    let events = recorded().await;
    assert!(events.len() > 200, "{} events", events.len());
    let (tried, failed) = failures(&events, SAME, true);
    assert!(tried > 1000, "{tried} variants");
    let same = report("of the same error stay together", tried, &failed);
    let (tried, failed) = failures(&events, ANOTHER, false);
    assert!(tried > 300, "{tried} variants");
    let another = report("of another error are told apart", tried, &failed);
    assert!(same >= 100.0 && another >= 100.0, "{same:.2} % together, {another:.2} % apart");
}
