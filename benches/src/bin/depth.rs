//! A store that is full: how fast its pages are, and whether retention gets in the way of what comes in.
//!
//! `depth [DATABASE_URL] [EVENTS] [ISSUES]`: tables. Without a URL it fills a SQLite file and deletes it in the end; a
//! database that has events is not filled again.
#![expect(clippy::print_stdout, clippy::cast_precision_loss, reason = "a program that prints figures")]

use anyhow::{Context, Result};
use axum::{Router, body::Body};
use errtrack::{
    SqliteStore, Tracker,
    store::{Batch, EventStore, IssueQuery, IssueStore, ProjectStore, Recorder, Retention, Sort, StatusCounts, Upkeep},
    web::{Access, Config, RateLimits, router_with},
};
use errtrack_benches::{median, payload, quantile};
use errtrack_core::{IssueId, IssueRef, Occurrence, Preparer, ProjectId, Status, Timestamp};
use http::Request;
use http_body_util::BodyExt;
use std::{
    future::Future,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};
use tower::ServiceExt;

/// Over how many days the events are spread.
const DAYS: u64 = 60;
const DAY: Duration = Duration::from_secs(86_400);
/// Issues on a page.
const PAGE: u32 = 25;
/// Hours on a chart.
const HOURS: u32 = 14 * 24;
/// How often each question is asked.
const ROUNDS: usize = 200;
const BATCH: usize = 1000;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let folder = tempfile::tempdir()?;
    let url = args.next().unwrap_or_else(|| folder.path().join("errors.db").display().to_string());
    let events: usize = args.next().map_or(Ok(1_000_000), |s| s.parse())?;
    let issues: usize = args.next().map_or(Ok(payload::ISSUES), |s| s.parse())?;
    let store = SqliteStore::open(&url).await?;
    let project = store.ensure_project("depth").await?.id;
    let query = IssueQuery { projects: Some(vec![project]), limit: 1, ..IssueQuery::default() };
    if store.issues(&query).await?.total == 0 {
        fill(&store, project, events, issues).await?;
    }
    sizes(&store).await?;
    questions(&store, project).await?;
    figures(&store, project).await?;
    beside(&store, project, events, issues).await?;
    store.close().await;
    Ok(())
}

/// Spreads events over the days, then resolves and ignores some issues.
async fn fill(store: &SqliteStore, project: ProjectId, events: usize, issues: usize) -> Result<()> {
    let start = Instant::now();
    let now = Timestamp::now();
    let step = DAY.as_secs() * 1_000_000 * DAYS / events as u64;
    let ago = move |n: usize| Duration::from_micros(step * (events - n) as u64);
    let made = prepared(project, issues, 0..events, move |n| now.minus(ago(n)));
    let mut resolved = Vec::new();
    for (n, batch) in made.into_iter().enumerate() {
        let recorded = store.record(&Batch::whole(batch)).await?;
        if n * BATCH < issues {
            resolved.extend(recorded.iter().map(|recorded| recorded.issue));
        }
    }
    for (n, issues) in resolved.chunks(100).enumerate() {
        match n % 10 {
            0 | 1 => store.set_status(issues, Status::Resolved).await?,
            2 => store.set_status(issues, Status::Ignored).await?,
            _ => 0,
        };
    }
    println!("{events} events over {issues} issues, filled in {:.0} s\n", start.elapsed().as_secs_f64());
    Ok(())
}

/// Batches that another thread prepares.
fn prepared(
    project: ProjectId,
    issues: usize,
    range: std::ops::Range<usize>,
    at: impl Fn(usize) -> Timestamp + Send + 'static,
) -> mpsc::Receiver<Vec<Occurrence>> {
    let (send, receive) = mpsc::sync_channel(8);
    thread::spawn(move || {
        let preparer = Preparer::default();
        let mut range = range.peekable();
        while range.peek().is_some() {
            let make = |n| payload::occurrence_at(&preparer, project, n, issues, at(n));
            if send.send(range.by_ref().take(BATCH).map(make).collect()).is_err() {
                return;
            }
        }
    });
    receive
}

async fn sizes(store: &SqliteStore) -> Result<()> {
    let start = Instant::now();
    let storage = store.storage().await?;
    println!("| table | rows | MiB |\n|---|---|---|");
    let mib = |bytes: u64| bytes as f64 / (1 << 20) as f64;
    for table in storage.tables.iter().filter(|table| table.bytes > 1 << 16) {
        println!("| {} | {} | {:.1} |", table.name, table.rows.unwrap_or_default(), mib(table.bytes));
    }
    let took = start.elapsed().as_millis();
    println!(
        "| all | reusable {:.1} MiB, told in {took} ms | {:.1} |\n",
        mib(storage.reusable_bytes),
        mib(storage.bytes)
    );
    Ok(())
}

/// Asks a question again and again, each time with another number.
async fn ask<F: Future<Output = Result<()>>>(name: &str, rounds: usize, question: impl Fn(usize) -> F) -> Result<()> {
    let mut times = Vec::with_capacity(rounds);
    for n in 0..rounds {
        let start = Instant::now();
        question(n).await?;
        times.push(start.elapsed());
    }
    row(name, times);
    Ok(())
}

fn row(name: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let ms = |share| quantile(&times, share).as_secs_f64() * 1e3;
    println!("| {name} | {:.2} | {:.2} |", ms(0.5), ms(0.99));
}

async fn questions(store: &SqliteStore, project: ProjectId) -> Result<()> {
    let now = Timestamp::now();
    let all = IssueQuery { projects: Some(vec![project]), limit: PAGE, ..IssueQuery::default() };
    let open = IssueQuery { status: Some(Status::Unresolved), ..all.clone() };
    println!("| question | median ms | p99 ms |\n|---|---|---|");
    for sort in Sort::ALL {
        let query = IssueQuery { sort, ..open.clone() };
        ask(&format!("list by {}", sort.as_str()), ROUNDS, |_| async {
            store.issues(&query).await?;
            Ok(())
        })
        .await?;
    }
    ask("list of every project", ROUNDS, |_| async {
        store.issues(&IssueQuery { projects: None, ..open.clone() }).await?;
        Ok(())
    })
    .await?;
    let mut deep = all.clone();
    for _ in 0..40 {
        let page = store.issues(&deep).await?;
        deep.cursor = page.next.or(deep.cursor);
    }
    ask("list, page 41", ROUNDS, |_| async {
        store.issues(&deep).await?;
        Ok(())
    })
    .await?;
    ask("status counts", ROUNDS, |_| async {
        let counts: StatusCounts = store.status_counts(&open).await?;
        anyhow::ensure!(counts.total() > 0);
        Ok(())
    })
    .await?;
    let page: Vec<IssueId> = store.issues(&open).await?.issues.iter().map(|issue| issue.id).collect();
    ask("trend of a page of issues, 14 days", ROUNDS, |_| async {
        store.histograms(&page, now, 1, HOURS).await?;
        Ok(())
    })
    .await?;
    ask("whole list page", ROUNDS, |n| {
        let query = IssueQuery { sort: Sort::ALL.into_iter().nth(n % 4).unwrap_or_default(), ..open.clone() };
        async move {
            let page = store.issues(&query).await?;
            store.status_counts(&query).await?;
            let ids: Vec<IssueId> = page.issues.iter().map(|issue| issue.id).collect();
            store.histograms(&ids, now, 1, HOURS).await?;
            Ok(())
        }
    })
    .await?;
    let word = |word: String| IssueQuery { words: vec![word], ..open.clone() };
    ask("search, one issue", ROUNDS, |n| {
        let query = word(format!("handle_{}", payload::letters(n * 7)));
        async move {
            store.issues(&query).await?;
            Ok(())
        }
    })
    .await?;
    ask("search, every issue", ROUNDS, |_| {
        let query = word("order".into());
        async move {
            store.issues(&query).await?;
            Ok(())
        }
    })
    .await?;
    ask("search, nothing", ROUNDS, |_| {
        let query = word("zebra".into());
        async move {
            store.issues(&query).await?;
            Ok(())
        }
    })
    .await?;
    for (key, value) in [("tenant", "t7"), ("user", "u7")] {
        ask(&format!("search by {key}"), ROUNDS, |_| {
            let query = IssueQuery { tags: vec![(key.into(), value.into())], ..open.clone() };
            async move {
                store.issues(&query).await?;
                Ok(())
            }
        })
        .await?;
    }
    ask("values of a tag", ROUNDS, |_| async {
        store.tag_values(&[project], "environment", 20).await?;
        Ok(())
    })
    .await?;
    let many = IssueQuery { limit: 500, ..all.clone() };
    let issues = store.issues(&many).await?.issues;
    let nth = |n: usize| issues.get(n * 7 % issues.len()).map(|issue| issue.uuid).context("an issue");
    ask("whole issue page", ROUNDS, |n| async move {
        let issue = store.issue(&IssueRef::Uuid(nth(n)?)).await?.context("the issue")?;
        store.histograms(&[issue.id], now, 1, HOURS).await?;
        store.tag_tallies(issue.id, 5).await?;
        let event = store.events(issue.id, None, 1).await?.events.pop().context("an event")?;
        store.position(&event).await?;
        Ok(())
    })
    .await?;
    ask("twenty events of an issue", ROUNDS, |n| async move {
        let issue = store.issue(&IssueRef::Uuid(nth(n)?)).await?.context("the issue")?;
        store.events(issue.id, None, 20).await?;
        Ok(())
    })
    .await?;
    println!();
    Ok(())
}

/// The figures of the API as a client gets them, as they were kept, and made anew after a write.
async fn figures(store: &SqliteStore, project: ProjectId) -> Result<()> {
    let tracker = Tracker::builder().store(store.clone()).build().await?;
    let mut config = Config::default();
    config.rate_limits = RateLimits::OFF;
    let router: Router = router_with(&tracker, Access::insecure_open(), config);
    let get = async |path: &str| -> Result<()> {
        let response = router.clone().oneshot(Request::get(path).body(Body::empty())?).await?;
        anyhow::ensure!(response.status() == 200, "{path}: {}", response.status());
        response.into_body().collect().await?;
        Ok(())
    };
    let preparer = Preparer::default();
    println!("| figures | median ms | p99 ms |\n|---|---|---|");
    for path in [
        "/api/stats",
        "/api/stats?environment=production",
        "/api/analytics/trends",
        "/api/analytics/trends?period=year&group_by=day",
        "/api/analytics/performance?timeframe=30d",
    ] {
        get(path).await?;
        ask(&format!("{path}, kept"), ROUNDS, |_| get(path)).await?;
        let mut times = Vec::with_capacity(ROUNDS);
        for n in 0..ROUNDS {
            let event = payload::occurrence_at(&preparer, project, n, payload::ISSUES, Timestamp::now());
            store.record(&Batch::whole(vec![event])).await?;
            let start = Instant::now();
            get(path).await?;
            times.push(start.elapsed());
        }
        row(&format!("{path}, after a write"), times);
    }
    println!();
    tracker.shutdown().await;
    Ok(())
}

/// What comes in, alone and while half of everything is let go.
async fn beside(store: &SqliteStore, project: ProjectId, events: usize, issues: usize) -> Result<()> {
    let mut rules = Retention::default();
    rules.age = Some(DAY * u32::try_from(DAYS / 2)?);
    rules.events_per_issue = u32::MAX;
    let start = Instant::now();
    let preview = store.preview_retention(&rules).await?;
    println!("preview: {} events in {} ms", preview.events(), start.elapsed().as_millis());
    let made = prepared(project, issues, events..usize::MAX, |_| Timestamp::now());
    let ingest = async |time: Duration| -> Result<f64> {
        let (start, mut written) = (Instant::now(), 0);
        while start.elapsed() < time {
            let batch = made.recv()?;
            written += batch.len();
            store.record(&Batch::whole(batch)).await?;
        }
        Ok(written as f64 / start.elapsed().as_secs_f64())
    };
    // In turns, so that what else the machine does slows both. A run that is cut short goes on with the next.
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS / 20 {
        alone.push(ingest(Duration::from_secs(3)).await?);
        let other = store.clone();
        let retention = tokio::spawn(async move { other.retain(&rules).await });
        beside.push(ingest(Duration::from_secs(3)).await?);
        retention.abort();
    }
    let left = store.preview_retention(&rules).await?.events();
    let gone = (preview.events() - left) as f64 / (3.0 * beside.len() as f64);
    let (alone, beside) = (median(alone), median(beside));
    println!(
        "ingest alone {alone:.0}/s, beside retention {beside:.0}/s: {:.0} %; {gone:.0} events/s let go meanwhile",
        100.0 * beside / alone,
    );
    let report = store.retain(&rules).await?;
    println!("without ingest: {} events let go in {:.1} s\n", report.events(), report.took_ms as f64 / 1e3);
    sizes(store).await
}
