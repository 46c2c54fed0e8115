//! Statistics of the requests that were served: per route how many, how they ended, and how long they took.
//!
//! They are kept in memory, from the start of the tracker on, for `/metrics` and the pages on performance.
//!
//! # Cost
//! A request of a known route costs a hash of its name, one comparison and two atomic additions: no lock, no allocation.
//! The number of routes is bounded: what comes after the first [`Routes::MOST`] counts under [`Routes::REST`]. The table
//! takes 32 KiB once a first request is counted, and each route 1.7 KiB for each way in which its requests end.
//!
//! # Design
//! Routes are only ever added, so the table is one of cells that are written once, open-addressed: to look one up nobody
//! waits for anybody.

mod latencies;
mod reported;

pub use latencies::Latencies;
pub(crate) use reported::Reported;

use latencies::Histogram;
use std::{
    collections::BTreeMap,
    fmt,
    hash::{BuildHasher, RandomState},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

/// Cells of the table: twice as many as routes, so that ways stay short.
const CELLS: usize = 2_048;
/// Cells that are looked at for one route: a bound on what names that were chosen to collide can cost.
const STEPS: usize = 64;
/// Bytes of a name that are kept.
const LONGEST: usize = 200;

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StatusClass {
    /// 1xx, such as an upgrade of the connection.
    Informational,
    /// 2xx.
    Success,
    /// 3xx.
    Redirection,
    /// 4xx: the client's mistake.
    ClientError,
    /// 5xx, an error of the service, a panic.
    ServerError,
    /// Dropped half-way: the client went away, or a timeout further out had enough.
    Dropped,
}

impl StatusClass {
    /// All of them, in order.
    pub const ALL: [Self; 6] =
        [Self::Informational, Self::Success, Self::Redirection, Self::ClientError, Self::ServerError, Self::Dropped];

    /// The class of a status of HTTP. What no standard knows counts as a server's error.
    #[must_use]
    pub const fn of(status: u16) -> Self {
        match status {
            100..200 => Self::Informational,
            200..300 => Self::Success,
            300..400 => Self::Redirection,
            400..500 => Self::ClientError,
            _ => Self::ServerError,
        }
    }

    /// Its name: `2xx`, …, `dropped`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Informational => "1xx",
            Self::Success => "2xx",
            Self::Redirection => "3xx",
            Self::ClientError => "4xx",
            Self::ServerError => "5xx",
            Self::Dropped => "dropped",
        }
    }
}

impl fmt::Display for StatusClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The counters of all routes of a process; see [`Tracker::routes`](crate::Tracker::routes). Cheap to clone.
///
/// # Example
/// ```
/// use errtrack_core::{Routes, StatusClass};
/// use std::time::Duration;
///
/// let routes = Routes::default();
/// routes.record("GET", "/orders/{id}", StatusClass::of(200), Duration::from_millis(12));
/// let [route] = &routes.snapshot()[..] else { panic!("one route") };
/// assert_eq!((route.method.as_str(), route.route.as_str(), route.count()), ("GET", "/orders/{id}", 1));
/// let median = route.latencies().quantile(0.5).unwrap();
/// assert!(median.abs_diff(Duration::from_millis(12)) < Duration::from_millis(1));
/// ```
#[derive(Clone, Default)]
pub struct Routes {
    table: Arc<Table>,
}

#[derive(Default)]
struct Table {
    /// Made with the first request: a worker without HTTP has none.
    cells: OnceLock<Box<[OnceLock<Box<Route>>]>>,
    len: AtomicUsize,
    rest: OnceLock<Route>,
    seed: OnceLock<u64>,
}

struct Route {
    hash: u64,
    method: Box<str>,
    route: Box<str>,
    classes: [OnceLock<Box<Histogram>>; 6],
}

impl Routes {
    /// Routes that are told apart, each with its method.
    pub const MOST: usize = 1_000;
    /// The route, of method `*`, under which all others count.
    pub const REST: &'static str = "(other)";

    /// Counts a request that has ended.
    ///
    /// `route` is the template (`/orders/{id}`), not the path: there must be few. Of either name 200 bytes are kept.
    pub fn record(&self, method: &str, route: &str, class: StatusClass, took: Duration) {
        let (method, route) = (cut(method), cut(route));
        let route = self.table.find(method, route).unwrap_or_else(|| self.table.rest());
        if let Some(histogram) = route.classes.get(class as usize) {
            histogram.get_or_init(Box::default).record(took);
        }
    }

    /// What was counted so far, by route and method. Requests that end meanwhile may or may not be in it.
    #[must_use]
    pub fn snapshot(&self) -> Vec<RouteStatistics> {
        let cells = self.table.cells.get().into_iter().flatten();
        let routes = cells.filter_map(OnceLock::get).map(|route| &**route).chain(self.table.rest.get());
        let mut all: Vec<_> = routes.map(Route::snapshot).filter(|route| route.count() > 0).collect();
        all.sort_by(|a, b| (&a.route, &a.method).cmp(&(&b.route, &b.method)));
        all
    }
}

impl Table {
    /// The counters of a route; `None` if there are too many.
    fn find(&self, method: &str, route: &str) -> Option<&Route> {
        let cells = self.cells.get_or_init(|| std::iter::repeat_with(OnceLock::new).take(CELLS).collect());
        let hash = hash(*self.seed.get_or_init(seed), method, route);
        let first = usize::try_from(hash % CELLS as u64).unwrap_or_default();
        for step in 0..STEPS {
            let cell = cells.get((first + step) % CELLS)?;
            let found = match cell.get() {
                Some(found) => found,
                // Threads that are here at once may go beyond the bound by their number: there are cells for them.
                None if self.len.load(Relaxed) >= Routes::MOST => return None,
                None => cell.get_or_init(|| {
                    self.len.fetch_add(1, Relaxed);
                    Box::new(Route::new(hash, method, route))
                }),
            };
            if found.hash == hash && *found.route == *route && *found.method == *method {
                return Some(found);
            }
        }
        None
    }

    fn rest(&self) -> &Route {
        self.rest.get_or_init(|| Route::new(0, "*", Routes::REST))
    }
}

impl Route {
    fn new(hash: u64, method: &str, route: &str) -> Self {
        Self { hash, method: method.into(), route: route.into(), classes: Default::default() }
    }

    fn snapshot(&self) -> RouteStatistics {
        let classes = StatusClass::ALL.iter().zip(&self.classes);
        RouteStatistics {
            method: self.method.to_string(),
            route: self.route.to_string(),
            classes: classes.filter_map(|(class, counted)| Some((*class, counted.get()?.snapshot()))).collect(),
        }
    }
}

/// What was counted of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteStatistics {
    /// The method; `*` for [`Routes::REST`].
    pub method: String,
    /// The template of the route.
    pub route: String,
    /// How long requests took, by how they ended; what did not occur is not there.
    pub classes: Vec<(StatusClass, Latencies)>,
}

impl RouteStatistics {
    /// How many requests there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.classes.iter().map(|(_, latencies)| latencies.count()).sum()
    }

    /// How many ended in this way.
    #[must_use]
    pub fn count_of(&self, class: StatusClass) -> u64 {
        self.classes.iter().filter(|(c, _)| *c == class).map(|(_, latencies)| latencies.count()).sum()
    }

    /// How long they took, however they ended.
    #[must_use]
    pub fn latencies(&self) -> Latencies {
        let mut all = Latencies::default();
        for (_, latencies) in &self.classes {
            all += latencies;
        }
        all
    }
}

impl RouteStatistics {
    /// The name of the route in a series: the method, a space, the template.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.route)
    }

    /// What was counted, as a point of a series keeps it: JSON by class.
    #[must_use]
    pub fn to_point(&self) -> String {
        let classes: BTreeMap<&str, &Latencies> =
            self.classes.iter().map(|(class, latencies)| (class.name(), latencies)).collect();
        serde_json::to_string(&classes).unwrap_or_default()
    }

    /// Reads a point back, by its name and data; `None` if it is none.
    #[must_use]
    pub fn from_point(name: &str, data: &str) -> Option<Self> {
        let (method, route) = name.split_once(' ')?;
        let mut classes: BTreeMap<String, Latencies> = serde_json::from_str(data).ok()?;
        let known = StatusClass::ALL.into_iter().filter_map(|class| Some((class, classes.remove(class.name())?)));
        Some(Self { method: method.into(), route: route.into(), classes: known.collect() })
    }

    /// Adds what was counted elsewhere of the same route.
    pub fn add(&mut self, other: &Self) {
        for (class, more) in &other.classes {
            match self.classes.iter_mut().find(|(c, _)| c == class) {
                Some((_, latencies)) => *latencies += more,
                None => self.classes.push((*class, more.clone())),
            }
        }
        self.classes.sort_by_key(|(class, _)| *class);
    }

    /// What was counted since an earlier snapshot of the same counters.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let mut since = self.clone();
        for (class, latencies) in &mut since.classes {
            if let Some((_, less)) = earlier.classes.iter().find(|(c, _)| c == class) {
                *latencies -= less;
            }
        }
        since.classes.retain(|(_, latencies)| latencies.count() > 0);
        since
    }
}

/// A number that nobody outside can know.
pub(crate) fn seed() -> u64 {
    RandomState::new().hash_one(0)
}

/// A hash of both names, eight bytes at a step: names come from requests, so it is seeded, but what a collision costs is
/// bounded anyway.
pub(crate) fn hash(seed: u64, method: &str, route: &str) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |hash: u64, word: u64| (hash.rotate_left(23) ^ word).wrapping_mul(FACTOR);
    let text = |mut hash: u64, text: &str| {
        let (words, rest) = text.as_bytes().as_chunks::<8>();
        for word in words {
            hash = mix(hash, u64::from_le_bytes(*word));
        }
        let rest = rest.iter().fold(text.len() as u64, |word, byte| word << 8 | u64::from(*byte));
        mix(hash, rest)
    };
    let hash = text(text(seed, method), route);
    hash ^ hash >> 32
}

fn cut(name: &str) -> &str {
    if name.len() <= LONGEST { name } else { name.get(..name.floor_char_boundary(LONGEST)).unwrap_or_default() }
}

impl fmt::Debug for Routes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Routes").field("routes", &self.table.len.load(Relaxed)).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
