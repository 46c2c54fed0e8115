//! Load whose every event is accounted for: each has an id of its own and is sent until somebody acknowledges it.

use crate::{Client, Server, until};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio::task::JoinHandle;
use uuid::Uuid;

/// How long one event may take to be acknowledged, over all its tries.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(20);

/// Clients that report until they are stopped.
#[derive(Debug)]
pub struct Load {
    shared: Arc<Shared>,
    clients: Vec<JoinHandle<Result<()>>>,
}

#[derive(Debug)]
struct Shared {
    /// Where the nodes listen: a test changes it when it starts one again.
    nodes: Mutex<Vec<SocketAddr>>,
    key: String,
    /// Over how many issues the events are spread.
    kinds: usize,
    stopped: AtomicBool,
    acknowledged: AtomicU64,
    retried: AtomicU64,
    ids: Mutex<Vec<Uuid>>,
    longest: Mutex<Duration>,
}

/// What came of a load.
#[derive(Debug)]
pub struct Acknowledged {
    /// The ids of the events, each sent until it was acknowledged.
    pub ids: Vec<Uuid>,
    /// Answers and connections that said no, or nothing.
    pub retried: u64,
    /// How long the slowest event took, over all its tries.
    pub longest: Duration,
    /// Over how many issues the events were spread.
    pub kinds: usize,
}

impl Load {
    /// Starts clients that send Sentry envelopes to the nodes in turn, over that many kinds of error.
    #[must_use]
    pub fn start(nodes: Vec<SocketAddr>, key: &str, clients: usize, kinds: usize) -> Self {
        let shared = Arc::new(Shared {
            nodes: Mutex::new(nodes),
            key: key.to_owned(),
            kinds,
            stopped: AtomicBool::new(false),
            acknowledged: AtomicU64::new(0),
            retried: AtomicU64::new(0),
            ids: Mutex::default(),
            longest: Mutex::default(),
        });
        let clients = (0..clients).map(|number| tokio::spawn(report(shared.clone(), number))).collect();
        Self { shared, clients }
    }

    /// How many events have been acknowledged.
    #[must_use]
    pub fn acknowledged(&self) -> u64 {
        self.shared.acknowledged.load(Relaxed)
    }

    /// Waits until that many more have been acknowledged.
    ///
    /// # Panics
    /// They are not within 30 seconds.
    pub async fn more(&self, events: u64) {
        let before = self.acknowledged();
        until("more events are acknowledged", || self.acknowledged() >= before + events).await;
    }

    /// Says where the nodes are from now on.
    ///
    /// # Panics
    /// A client has panicked.
    pub fn use_nodes(&self, nodes: Vec<SocketAddr>) {
        *self.shared.nodes.lock().unwrap() = nodes;
    }

    /// Starts no more events, and waits until those that were started are acknowledged.
    ///
    /// # Errors
    /// One was not.
    ///
    /// # Panics
    /// A client has panicked.
    pub async fn stop(self) -> Result<Acknowledged> {
        self.shared.stopped.store(true, Relaxed);
        for client in self.clients {
            client.await??;
        }
        let ids = std::mem::take(&mut *self.shared.ids.lock().unwrap());
        let longest = *self.shared.longest.lock().unwrap();
        Ok(Acknowledged { ids, retried: self.shared.retried.load(Relaxed), longest, kinds: self.shared.kinds })
    }
}

impl Acknowledged {
    /// Waits until the server counts every event once, in one issue for each kind, numbered without a gap; then looks for
    /// some of them by their ids.
    ///
    /// # Errors
    /// It counts others, or one is not found.
    pub async fn check(&self, server: &Server) -> Result<()> {
        let mut client = server.client();
        let start = Instant::now();
        let expected = i64::try_from(self.ids.len())?;
        let mut totals = Totals::read(&mut client).await?;
        // What was spooled is on its way.
        while totals.count < expected && start.elapsed() < PATIENCE {
            tokio::time::sleep(PAUSE).await;
            totals = Totals::read(&mut client).await?;
        }
        ensure!(totals.count == expected, "{expected} were acknowledged, {} are counted", totals.count);
        let kinds = self.kinds.min(self.ids.len());
        ensure!(totals.numbers.len() == kinds, "{kinds} kinds made {} issues", totals.numbers.len());
        let gapless = (1..).zip(&totals.numbers).all(|(expected, number)| expected == *number);
        ensure!(gapless, "the numbers have gaps: {:?}", totals.numbers);
        for id in self.ids.iter().step_by(self.ids.len().div_ceil(200).max(1)) {
            let answer = client.get(&format!("/api/events/{id}")).await?;
            ensure!(answer.status == 200, "event {id}: {}", answer.text());
        }
        Ok(())
    }
}

/// What a server counts.
struct Totals {
    count: i64,
    numbers: Vec<i64>,
}

impl Totals {
    async fn read(client: &mut Client) -> Result<Self> {
        let mut totals = Self { count: 0, numbers: Vec::new() };
        let mut cursor = String::new();
        loop {
            let answer = client.get(&format!("/api/errors?limit=100&sort=first_seen{cursor}")).await?;
            ensure!(answer.status == 200, "{}", answer.text());
            let page = answer.json();
            for issue in page["data"]["errors"].as_array().context("a list")? {
                totals.count += issue["count"].as_i64().context("a count")?;
                totals.numbers.push(issue["number"].as_i64().context("a number")?);
            }
            match page["data"]["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        totals.numbers.sort_unstable();
        Ok(totals)
    }
}

async fn report(shared: Arc<Shared>, number: usize) -> Result<()> {
    let mut node = number;
    let mut client: Option<(SocketAddr, Client)> = None;
    for n in 0.. {
        if shared.stopped.load(Relaxed) {
            break;
        }
        let id = Uuid::new_v4();
        let envelope = envelope(id, (number + n * 31) % shared.kinds);
        let start = Instant::now();
        loop {
            let address = {
                let nodes = shared.nodes.lock().unwrap();
                nodes[node % nodes.len()]
            };
            let (_, to) = match client.take().filter(|(to, _)| *to == address) {
                Some(same) => client.insert(same),
                None => client.insert((address, Client::new(address))),
            };
            let path = format!("/api/1/envelope/?sentry_key={}", shared.key);
            match tokio::time::timeout(PATIENCE, to.post(&path, envelope.clone())).await {
                Ok(Ok(answer)) if answer.status == 200 => break,
                Ok(Ok(answer)) => ensure!(
                    matches!(answer.status.as_u16(), 429 | 503),
                    "an event was refused with {}: {}",
                    answer.status,
                    answer.text()
                ),
                Ok(Err(_)) | Err(_) => client = None,
            }
            ensure!(start.elapsed() < PATIENCE, "event {id} was not acknowledged in time");
            shared.retried.fetch_add(1, Relaxed);
            // Whoever did not answer may be gone.
            node += 1;
            tokio::time::sleep(PAUSE).await;
        }
        shared.ids.lock().unwrap().push(id);
        shared.acknowledged.fetch_add(1, Relaxed);
        let mut longest = shared.longest.lock().unwrap();
        *longest = (*longest).max(start.elapsed());
        drop(longest);
        node += 1;
    }
    Ok(())
}

fn envelope(id: Uuid, kind: usize) -> String {
    let id = id.simple();
    // Names that are no numbers to grouping: each is an issue of its own.
    let event: Value = json!({
        "event_id": id,
        "platform": "python",
        "level": "error",
        "user": { "id": format!("user-{}", kind % 7) },
        "exception": { "values": [{ "type": format!("Kind{}", word(kind)), "value": "it broke" }] },
    });
    format!("{{\"event_id\":\"{id}\"}}\n{{\"type\":\"event\"}}\n{event}\n")
}

/// A number in letters.
fn word(mut number: usize) -> String {
    let mut letters = String::new();
    loop {
        letters.push(char::from(b'a' + u8::try_from(number % 26).unwrap()));
        number /= 26;
        if number == 0 {
            return letters;
        }
    }
}
