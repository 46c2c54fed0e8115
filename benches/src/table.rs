//! A table of nanoseconds and allocations per call, medians over rounds.

use crate::{median, subject::request};
use errtrack::Tracker;
use http::Request;
use serde_json::json;
use std::{convert::Infallible, future::Future, hint::black_box, io, time::Duration, time::Instant};
use tower::Service;

const ROUNDS: usize = 15;
/// Captures per round: few enough for the queue, so that what is measured is the capture and not the refusal.
pub const CAPTURES: u32 = 2_000;
const PATIENCE: Duration = Duration::from_secs(60);

/// What was measured.
#[derive(Debug, Default)]
pub struct Table(Vec<serde_json::Value>);

#[expect(clippy::print_stdout, clippy::cast_precision_loss, reason = "it prints figures")]
impl Table {
    /// Begins a table.
    #[must_use]
    pub fn begin() -> Self {
        println!("| what | ns | allocations |\n|---|---|---|");
        Self::default()
    }

    fn row(&mut self, what: &str, nanoseconds: Vec<f64>, allocations: f64) -> f64 {
        let nanoseconds = median(nanoseconds);
        println!("| {what} | {nanoseconds:.0} | {allocations:.1} |");
        self.0.push(json!({ "what": what, "ns": nanoseconds, "allocations": allocations }));
        nanoseconds
    }

    /// Says how two figures compare.
    pub fn compare(&self, what: &str, ours: f64, theirs: f64) {
        println!("| → {what}: +{ours:.0} ns, sentry +{theirs:.0} ns, {:.1} times as much | | |", theirs / ours);
    }

    /// Sends requests through a service. What it takes to make a request is in the figure of every row, the bare one too.
    pub async fn requests<S>(&mut self, what: &str, mut service: S, calls: u32) -> f64
    where
        S: Service<Request<String>, Error = Infallible>,
    {
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            let start = Instant::now();
            for _ in 0..calls {
                let _ = service.call(request()).await;
            }
            rounds.push(start.elapsed().as_nanos() as f64 / f64::from(calls));
        }
        let allocations = allocations(&mut service);
        self.row(what, rounds, allocations)
    }

    /// Sends requests through an app of actix-web.
    pub async fn actix_requests<R, S: actix_web::dev::Service<R>>(
        &mut self,
        what: &str,
        app: S,
        request: impl Fn() -> R,
        calls: u32,
    ) -> f64 {
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            let start = Instant::now();
            for _ in 0..calls {
                let _ = black_box(app.call(request()).await);
            }
            rounds.push(start.elapsed().as_nanos() as f64 / f64::from(calls));
        }
        let request = request();
        let counted = allocation_counter::measure(|| {
            let mut future = std::pin::pin!(app.call(request));
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            let _ = black_box(future.as_mut().poll(&mut context));
        });
        self.row(what, rounds, counted.count_total as f64)
    }

    /// The same, with the queue emptied between the rounds.
    pub async fn flushed<S>(&mut self, tracker: &Tracker, what: &str, mut service: S) -> f64
    where
        S: Service<Request<String>, Error = Infallible>,
    {
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            let start = Instant::now();
            for _ in 0..CAPTURES {
                let _ = service.call(request()).await;
            }
            rounds.push(start.elapsed().as_nanos() as f64 / f64::from(CAPTURES));
            tracker.flush(PATIENCE).await;
        }
        let allocations = allocations(&mut service);
        self.row(what, rounds, allocations)
    }

    /// Calls a function.
    pub fn calls<T>(&mut self, what: &str, calls: u32, mut f: impl FnMut() -> T) -> f64 {
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            let start = Instant::now();
            for _ in 0..calls {
                black_box(f());
            }
            rounds.push(start.elapsed().as_nanos() as f64 / f64::from(calls));
        }
        let counted = allocation_counter::measure(|| {
            black_box(f());
        });
        self.row(what, rounds, counted.count_total as f64)
    }

    /// The same, with the queue emptied between the rounds.
    pub async fn captures<T>(&mut self, tracker: &Tracker, what: &str, mut f: impl FnMut() -> T) -> f64 {
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            let start = Instant::now();
            for _ in 0..CAPTURES {
                black_box(f());
            }
            rounds.push(start.elapsed().as_nanos() as f64 / f64::from(CAPTURES));
            tracker.flush(PATIENCE).await;
        }
        let counted = allocation_counter::measure(|| {
            black_box(f());
        });
        self.row(what, rounds, counted.count_total as f64)
    }

    /// Writes the table as JSON to `target/bench`.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, name: &str) -> io::Result<()> {
        std::fs::create_dir_all("target/bench")?;
        std::fs::write(format!("target/bench/{name}.json"), serde_json::to_vec_pretty(&self.0)?)
    }
}

/// Allocations of one call, without those of making the request.
#[expect(clippy::cast_precision_loss, reason = "a small number")]
fn allocations<S: Service<Request<String>>>(service: &mut S) -> f64 {
    let request = request();
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let counted = allocation_counter::measure(|| {
        let mut future = std::pin::pin!(service.call(request));
        black_box(future.as_mut().poll(&mut context).is_ready());
    });
    counted.count_total as f64
}
