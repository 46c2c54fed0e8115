//! The examples without HTTP do what they say, and end.

use anyhow::{Context, Result};
use errtrack::{
    Event, SqliteStore,
    store::{EventStore, IssueQuery, IssueStore},
};
use errtrack_tests::example;
use std::{path::Path, process::Stdio, time::Duration};
use tokio::process::Command;

const PATIENCE: Duration = Duration::from_secs(30);

/// Runs an example to its end; answers what it said, and the events in its file.
async fn run(name: &str) -> Result<(String, Vec<Event>)> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("errors.db");
    let mut command = Command::new(example(name)?);
    command.env("DATABASE", &file).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await??;
    assert!(output.status.success(), "{:?}", output.status);
    Ok((String::from_utf8(output.stdout)?, events(&file).await?))
}

async fn events(file: &Path) -> Result<Vec<Event>> {
    let store = SqliteStore::open(file.to_str().context("a path in UTF-8")?).await?;
    let mut events = Vec::new();
    for issue in store.issues(&IssueQuery { limit: 100, ..IssueQuery::default() }).await?.issues {
        events.extend(store.events(issue.id, None, 100).await?.events.into_iter().map(|stored| stored.event));
    }
    Ok(events)
}

fn of<'a>(events: &'a [Event], text: &str) -> &'a Event {
    events.iter().find(|event| event.title().1.contains(text)).unwrap_or_else(|| panic!("{text}: {events:#?}"))
}

#[tokio::test]
async fn what_a_program_logs_is_tracked() -> Result<()> {
    let (said, events) = run("tracing_only").await?;
    assert!(said.contains("cargo run --example standalone"), "{said}");
    assert_eq!(events.len(), 4, "{events:#?}");
    let error = of(&events, "\"twelve\" is no amount");
    assert_eq!(error.exceptions.len(), 2, "the cause too");
    assert_eq!(error.contexts["tracing"]["spans"], serde_json::json!(["book"]));
    assert_eq!(error.tags["account"], "petty cash");
    assert_eq!(error.breadcrumbs.last().and_then(|crumb| crumb.message.as_deref()), Some("reading the amount"));
    assert_eq!(of(&events, "below zero").contexts["tracing"]["fields"]["cents"], -300);
    assert_eq!(of(&events, "no rates").logger.as_deref(), Some("exchange"));
    Ok(())
}

#[tokio::test]
async fn what_goes_wrong_in_a_job_is_tracked_with_its_job() -> Result<()> {
    let (said, events) = run("worker").await?;
    assert!(said.contains("3 jobs failed"), "{said}");
    assert_eq!(events.len(), 4, "{events:#?}");
    for (text, job, user) in [
        ("divide by zero", "2", "ben"),
        ("no address", "3", "ana"),
        ("could not import", "6", "cem"),
        ("the shelf was empty", "8", "dua"),
    ] {
        let event = of(&events, text);
        assert_eq!(event.tags["job"], job, "{text}");
        assert_eq!(event.user.as_ref().and_then(|user| user.id.as_deref()), Some(user), "{text}");
        assert_eq!(event.breadcrumbs.len(), 1, "its own alone: {text}");
    }
    Ok(())
}
