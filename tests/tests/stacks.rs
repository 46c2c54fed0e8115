//! Frames are readable and group, whatever debug information a program was built with.

use anyhow::{Context, Result, ensure};
use errtrack::{
    Frame, SqliteStore,
    store::{EventStore, IssueQuery, IssueStore},
};
use errtrack_core::{Event, Issue};
use errtrack_tests::{database_in, example, skip};
use std::{path::Path, process::Command};
use tempfile::tempdir;

/// Every issue of a run, the newest event beside it.
async fn run(program: &Path, folder: &Path, how: &[&str]) -> Result<Vec<(Issue, Event)>> {
    let database = database_in(folder)?;
    let output = Command::new(program).arg(&database).args(how).output()?;
    ensure!(output.status.success(), "{output:?}");
    let store = SqliteStore::open(&database).await?;
    let mut found = Vec::new();
    for issue in store.issues(&IssueQuery { limit: 100, ..IssueQuery::default() }).await?.issues {
        let page = store.events(issue.id, None, 1).await?;
        let id = page.events.first().context("an event")?.id;
        let event = store.event(None, id).await?.context("the event")?.event;
        found.push((issue, event));
    }
    Ok(found)
}

fn of<'a>(found: &'a [(Issue, Event)], value: &str) -> Result<&'a (Issue, Event)> {
    found
        .iter()
        .find(|(issue, _)| issue.value.contains(value))
        .with_context(|| format!("an issue of {value}: {found:?}"))
}

fn own(event: &Event) -> Vec<&Frame> {
    event.exceptions.iter().flat_map(|e| e.frames()).filter(|f| f.in_app == Some(true)).collect()
}

fn functions(frames: &[&Frame]) -> Vec<String> {
    frames.iter().filter_map(|frame| frame.function.clone()).collect()
}

/// A copy without some of its sections.
fn stripped(how: &str, folder: &Path) -> Result<Option<std::path::PathBuf>> {
    let copy = folder.join("stripped");
    match Command::new("strip").arg(how).arg("-o").arg(&copy).arg(example("stacks")?).status() {
        Ok(status) if status.success() => Ok(Some(copy)),
        _ => Ok(None),
    }
}

#[tokio::test]
async fn with_debug_information_the_programs_own_functions_are_told_as_they_are_written() -> Result<()> {
    let folder = tempdir()?;
    let found = run(&example("stacks")?, folder.path(), &[]).await?;
    assert_eq!(found.len(), 4, "{found:?}");

    let (issue, event) = of(&found, "declined")?;
    assert_eq!((issue.count, issue.culprit.as_str()), (3, "stacks::orders::charge"));
    let own = own(event);
    let last: Vec<_> = functions(&own).into_iter().rev().take(3).collect();
    assert_eq!(last, ["stacks::orders::charge::{closure}", "stacks::orders::charge", "stacks::orders::pay"]);
    for frame in &own {
        assert_eq!(frame.filename.as_deref(), Some("tests/examples/stacks.rs"), "from the root of the workspace");
        assert!(frame.lineno.is_some());
    }
    let all = event.exceptions.last().context("an exception")?.frames();
    assert_eq!(
        all.last().and_then(|f| f.function.as_deref()),
        last.first().map(String::as_str),
        "nothing of ours is on it"
    );
    let outermost = all.first().and_then(|f| f.function.as_deref()).unwrap_or_default();
    assert!(!outermost.contains("short_backtrace") && !outermost.contains("lang_start"), "{outermost}");

    let (issue, event) = of(&found, "index out of bounds")?;
    assert_eq!(issue.culprit, "stacks::stock::take");
    let last = event.exceptions.last().and_then(|e| e.frames().iter().rev().find(|f| f.in_app == Some(true)));
    assert_eq!(last.and_then(|f| f.function.as_deref()), Some("stacks::stock::take"));
    Ok(())
}

#[tokio::test]
async fn with_names_alone_the_crate_and_the_place_tell() -> Result<()> {
    let folder = tempdir()?;
    let Some(program) = stripped("--strip-debug", folder.path())? else { return skip("strip") };
    let found = run(&program, folder.path(), &[]).await?;
    assert_eq!(found.len(), 4, "{found:?}");
    let (issue, event) = of(&found, "declined")?;
    assert_eq!(issue.culprit, "stacks::orders::charge");
    for function in functions(&own(event)) {
        assert!(function.contains("stacks::"), "{function}");
    }
    let why = event.grouping.as_ref().context("a grouping")?;
    let place = why.components.iter().find(|c| c.name == "place").context("the place")?;
    assert_eq!(place.values, ["stacks.rs"]);
    Ok(())
}

#[tokio::test]
async fn with_addresses_alone_errors_still_part() -> Result<()> {
    let folder = tempdir()?;
    let Some(program) = stripped("--strip-all", folder.path())? else { return skip("strip") };
    let first = run(&program, folder.path(), &[]).await?;
    assert_eq!(first.len(), 4, "{first:?}");
    // The next start is loaded elsewhere.
    let second = run(&program, folder.path(), &[]).await?;
    assert_eq!(second.len(), 4);
    assert!(second.iter().all(|(issue, _)| issue.count == if issue.value.contains("declined") { 6 } else { 2 }));
    let (issue, event) = of(&second, "declined")?;
    assert_eq!(issue.culprit, "tests/examples/stacks.rs");
    assert_eq!(event.grouping.as_ref().context("a grouping")?.by, "place");
    let frame = event.exceptions.last().and_then(|e| e.frames().last()).context("a frame")?;
    assert_eq!(frame.package.as_deref(), Some("stripped"), "to be looked up with addr2line");
    Ok(())
}

/// What sentry-rust's users complain of: every `anyhow!` of a program was one issue.
#[tokio::test]
async fn without_backtraces_errors_part_by_place_and_message() -> Result<()> {
    let folder = tempdir()?;
    let found = run(&example("stacks")?, folder.path(), &["bare"]).await?;
    assert_eq!(found.len(), 4, "{found:?}");
    for text in ["declined", "hung up", "the index is not there"] {
        let (issue, event) = of(&found, text)?;
        assert_eq!(issue.culprit, "tests/examples/stacks.rs");
        assert_eq!(event.grouping.as_ref().context("a grouping")?.by, "place");
        let place = event.contexts.get("captured_at").context("where it was captured")?;
        assert_eq!(place.get("file").and_then(|f| f.as_str()), Some("tests/examples/stacks.rs"));
    }
    assert_eq!(of(&found, "index out of bounds")?.0.culprit, "stacks::stock::take", "panics always have a stack");
    Ok(())
}

#[tokio::test]
async fn frames_show_their_source_where_it_is_at_hand_and_lead_to_it() -> Result<()> {
    let folder = tempdir()?;
    let found = run(&example("stacks")?, folder.path(), &["sources"]).await?;
    for (text, source) in [("declined", "errtrack::capture_error(declined)"), ("index out of bounds", "shelves[shelf]")]
    {
        let (_, event) = of(&found, text)?;
        let own = own(event);
        let frame = own.last().context("a frame of the program")?;
        assert!(frame.context_line.as_deref().is_some_and(|line| line.contains(source)), "{frame:?}");
        assert_eq!((frame.pre_context.len(), frame.post_context.len()), (5, 5));
        let line = frame.lineno.context("a line")?;
        let link = format!("https://code.example/acme/3f2a9c1/tests/examples/stacks.rs#L{line}");
        assert_eq!(frame.source_link, Some(link));
        let all = event.exceptions.iter().flat_map(|e| e.frames());
        for library in all.filter(|f| f.in_app == Some(false)) {
            assert_eq!((&library.context_line, &library.source_link), (&None, &None));
        }
    }
    let plain = run(&example("stacks")?, tempdir()?.path(), &[]).await?;
    let (_, event) = of(&plain, "declined")?;
    assert!(own(event).iter().all(|frame| frame.context_line.is_none()), "in production no file is read");
    Ok(())
}
