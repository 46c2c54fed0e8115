//! A worker without HTTP, each job in a scope of its own: `cargo run --example worker`.
//!
//! `DATABASE` sets the file (`data/worker.db`); the last lines say how to look at what it holds.

mod jobs;

use errtrack::{
    ScopeExt, SqliteStore, Tracker, User,
    store::{IssueQuery, Store},
};
use jobs::Job;
use std::{
    io::{self, Write},
    time::Duration,
};
use tokio::task::JoinSet;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let file = std::env::var("DATABASE").unwrap_or_else(|_| "data/worker.db".into());
    let tracker = Tracker::builder()
        .project("worker")
        .environment("development")
        .release(concat!("worker@", env!("CARGO_PKG_VERSION")))
        .store(SqliteStore::open(&file).await?)
        .build()
        .await?;
    tracker.install_panic_hook();

    let mut running = JoinSet::new();
    for job in Job::all() {
        // Whatever goes wrong in a job is known to have gone wrong in that job, in tasks and threads that it spawns too.
        let (number, user) = (job.number, job.user);
        running.spawn(jobs::run(job).with_scope(|scope| {
            scope.set_transaction("job");
            scope.set_tag("job", number.to_string());
            scope.set_user(User::id(user));
        }));
    }
    let mut failed = 0;
    while let Some(ended) = running.join_next().await {
        // A job that panicked was reported by the hook; here it is only counted.
        failed += usize::from(!matches!(ended, Ok(Ok(()))));
    }

    // What was captured is in the file before the process ends; dropping the tracker would wait for it too.
    if !tracker.flush(Duration::from_secs(2)).await {
        writeln!(io::stderr(), "some errors may be lost")?;
    }
    writeln!(io::stdout(), "\n{failed} jobs failed. In {file}:")?;
    show(&**tracker.store(), &file).await?;
    tracker.shutdown().await;
    Ok(())
}

/// Says what is in the file, and where to look at it.
async fn show(store: &dyn Store, file: &str) -> anyhow::Result<()> {
    let page = store.issues(&IssueQuery { limit: 20, ..IssueQuery::default() }).await?;
    let mut out = io::stdout();
    for issue in page.issues {
        let (name, users) = (issue.short_id(), issue.user_count);
        writeln!(out, "{name:<10} {:>3}x, {users} users  {} {}", issue.count, issue.ty, issue.value)?;
    }
    writeln!(out, "\nTo see them with their jobs, users and stacks:")?;
    writeln!(out, "DATABASE_PATH={file} cargo run --example standalone")?;
    Ok(())
}
