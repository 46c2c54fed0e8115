//! A program that only logs, and whose errors are tracked all the same: `cargo run --example tracing_only`.
//!
//! It names errtrack in `main` alone. `DATABASE` sets the file (`data/tracing_only.db`); the last lines say how to look at
//! what it holds.

use anyhow::Context;
use errtrack::{
    SqliteStore, Tracker,
    store::{IssueQuery, Store},
    tracing::LayerExt,
};
use std::{
    error::Error,
    io::{self, Write},
};
use tracing::Level;
use tracing_subscriber::{Layer, filter::LevelFilter, prelude::*};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let file = std::env::var("DATABASE").unwrap_or_else(|_| "data/tracing_only.db".into());
    let store = SqliteStore::open(&file).await?;
    let tracker = Tracker::builder()
        .project("ledger")
        .environment("development")
        .release(concat!("ledger@", env!("CARGO_PKG_VERSION")))
        .store(store)
        .build()
        .await?;
    tracing_subscriber::registry()
        .with(tracing_subscriber::fmt::layer().with_filter(LevelFilter::INFO))
        .with(errtrack::tracing::layer(&tracker).breadcrumbs_at(Level::DEBUG).ignore_target("chatty"))
        .init();
    // What libraries log by the `log` crate comes along.
    tracing_log::LogTracer::init()?;

    for entry in ["12.50", "", "twelve", "-3"] {
        book(entry);
    }
    log::error!(target: "exchange", "no rates for {} since {}", "EUR", "yesterday");
    tracing::error!(target: "chatty", "nobody wants to see this");

    tracker.shutdown().await;
    show(&**tracker.store(), &file).await
}

/// Books an entry; its span says on every error which one it was.
#[tracing::instrument(fields(cents))]
fn book(entry: &str) {
    tracing::debug!("reading the amount");
    match amount(entry) {
        Ok(cents) => {
            tracing::Span::current().record("cents", cents);
            if cents < 0 {
                tracing::error!(tags.account = "petty cash", "an amount below zero");
            }
        }
        // The error as a value: its whole chain is kept. `%error` would keep its text alone.
        Err(error) => tracing::error!(error = &*error as &dyn Error, tags.account = "petty cash", "could not book"),
    }
}

fn amount(entry: &str) -> anyhow::Result<i64> {
    let (whole, rest) = entry.split_once('.').unwrap_or((entry, "0"));
    let whole: i64 = whole.parse().with_context(|| format!("{entry:?} is no amount"))?;
    let rest: i64 = rest.parse().with_context(|| format!("{entry:?} has no cents"))?;
    Ok(100 * whole + rest)
}

/// Says what is in the file, and where to look at it.
async fn show(store: &dyn Store, file: &str) -> anyhow::Result<()> {
    let page = store.issues(&IssueQuery { limit: 20, ..IssueQuery::default() }).await?;
    let mut out = io::stdout();
    writeln!(out, "\nIn {file}:")?;
    for issue in page.issues {
        writeln!(out, "{:<10} {:>3}x  {} {}", issue.short_id(), issue.count, issue.ty, issue.value)?;
    }
    writeln!(out, "\nTo see them with their spans and breadcrumbs:")?;
    writeln!(out, "DATABASE_PATH={file} cargo run --example standalone")?;
    Ok(())
}
