//! Jobs that fail in the ways of jobs.

use anyhow::{Context, bail};
use errtrack::{AnyhowExt, Breadcrumb, Level};
use std::time::Duration;

pub(crate) struct Job {
    pub(crate) number: u32,
    pub(crate) user: &'static str,
    task: Task,
}

enum Task {
    Resize { width: u32, parts: u32 },
    Mail { to: &'static str },
    Import { line: &'static str },
    Clean,
}

impl Job {
    /// What is in the queue today.
    pub(crate) fn all() -> Vec<Self> {
        let job = |number, user, task| Self { number, user, task };
        vec![
            job(1, "ana", Task::Resize { width: 800, parts: 4 }),
            job(2, "ben", Task::Resize { width: 800, parts: 0 }),
            job(3, "ana", Task::Mail { to: "nobody" }),
            job(4, "ben", Task::Mail { to: "ben@example.com" }),
            job(5, "ana", Task::Import { line: "7;apples" }),
            job(6, "cem", Task::Import { line: "seven;apples" }),
            job(7, "dua", Task::Import { line: "8;pears\n" }),
            job(8, "dua", Task::Clean),
        ]
    }
}

/// Does a job; an error is reported once, here, with the scope of the job.
pub(crate) async fn run(job: Job) -> anyhow::Result<()> {
    errtrack::add_breadcrumb(Breadcrumb::new("taken from the queue").data("number", job.number));
    let done = match job.task {
        Task::Resize { width, parts } => resize(width, parts).await,
        Task::Mail { to } => mail(to).await,
        Task::Import { line } => import(line).context("could not import"),
        Task::Clean => clean().await,
    };
    done.capture()
}

/// A bug: it divides by zero and panics, on a thread for work that blocks. The hook reports it in the scope of the job.
async fn resize(width: u32, parts: u32) -> anyhow::Result<()> {
    let part = errtrack::spawn_blocking(move || width / parts).await;
    match part {
        Ok(_) => Ok(()),
        Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
    }
}

async fn mail(to: &str) -> anyhow::Result<()> {
    tokio::time::sleep(Duration::from_millis(5)).await;
    if !to.contains('@') {
        bail!("{to} has no address");
    }
    Ok(())
}

fn import(line: &str) -> anyhow::Result<()> {
    let (amount, _) = line.split_once(';').context("no amount")?;
    let _: u32 = amount.parse().context("the amount is no number")?;
    Ok(())
}

/// Succeeds, and has something to say all the same.
async fn clean() -> anyhow::Result<()> {
    errtrack::capture_message("the shelf was empty already", Level::Info);
    Ok(())
}
