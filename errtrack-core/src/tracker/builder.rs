//! The configuration of a tracker.

use super::{
    Defaults, Engine, Link, Shared, Tracker, Trouble,
    balance::Ledger,
    channels::Channels,
    hooks::{Hooks, IssueChange},
    jobs::Jobs,
    ownership::OwnershipAtHand,
    privacy::PreparersAtHand,
    queue,
    rules::RulesAtHand,
    sampling::Sampling,
    series::Told,
    spool::SpoolGauge,
    users::SeenUsers,
    worker::Worker,
    writer::Pace,
    writes,
};
use crate::{
    Event, InvalidRules, Level, Preparer, Project, Routes, Rule, Rules,
    alert::AlertSettings,
    grouping::InApp,
    notify::Notifier,
    prepare::Limits,
    project::slugify,
    sanitize::Sanitizer,
    scope::ScopeCell,
    store::{Retention, Store, StoreError},
    symbols::{SourceLink, SourceRules, commit_of},
};
use std::{fmt, io, path::PathBuf, sync::Arc, time::Duration};

/// Events that wait to be prepared.
const QUEUED: usize = 10_000;
/// Bytes of events that wait to be prepared, and again of occurrences that wait to be written.
const QUEUED_BYTES: usize = 32 << 20;
/// Occurrences that wait to be written.
const UNWRITTEN: usize = 8_192;

/// Configures a [`Tracker`]; made by [`Tracker::builder`].
#[must_use]
pub struct TrackerBuilder {
    project: String,
    store: Option<Arc<dyn Store>>,
    defaults: Defaults,
    preparer: Preparer,
    hooks: Hooks,
    channels: Channels,
    rules: Vec<Rule>,
    sampling: Sampling,
    retention: Retention,
    queue: usize,
    queue_bytes: usize,
    source_lines: Option<bool>,
    source_link: Option<String>,
    commit: Option<String>,
    spool: Option<(PathBuf, u64)>,
    alerts: AlertSettings,
    pub(super) pace: Pace,
}

impl Default for TrackerBuilder {
    fn default() -> Self {
        Self {
            project: "default".into(),
            store: None,
            defaults: Defaults {
                backtraces: true,
                own_backtraces: true,
                server_name: host_name(),
                ..Defaults::default()
            },
            preparer: Preparer::default(),
            hooks: Hooks::default(),
            channels: Channels::default(),
            rules: Vec::new(),
            sampling: Sampling::default(),
            retention: Retention::default(),
            queue: QUEUED,
            queue_bytes: QUEUED_BYTES,
            source_lines: None,
            source_link: None,
            commit: None,
            spool: None,
            alerts: AlertSettings::default(),
            pace: Pace::default(),
        }
    }
}

impl TrackerBuilder {
    /// Names the project that this process reports to, made if there is none; `default` unless set. Everything but ASCII
    /// letters and digits becomes a dash.
    pub fn project(mut self, name: impl AsRef<str>) -> Self {
        self.project = slugify(name.as_ref());
        self
    }

    /// Sets the environment; `production` unless set.
    pub fn environment(mut self, environment: impl Into<String>) -> Self {
        self.defaults.environment = Some(environment.into());
        self
    }

    /// Sets the release: `1.4.0`, or better a name and a version, `shop@1.4.0`.
    pub fn release(mut self, release: impl Into<String>) -> Self {
        self.defaults.release = Some(release.into());
        self
    }

    /// Sets the name of this machine; the host name unless set.
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.defaults.server_name = Some(name.into());
        self
    }

    /// Sets the store. There is no default: without one, [`build`](Self::build) fails.
    pub fn store(mut self, store: impl Store) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// Keeps only this share of the events captured in the process, from 0 to 1; all unless set. What is not kept is counted
    /// as sampled.
    ///
    /// A rate [for a type](Self::sample_rate_of) goes before one [for a level](Self::sample_rate_for), and that before this.
    pub fn sample_rate(mut self, rate: f64) -> Self {
        self.sampling.all(rate);
        self
    }

    /// Keeps only this share of the events of a level.
    pub fn sample_rate_for(mut self, level: Level, rate: f64) -> Self {
        self.sampling.of_level(level, rate);
        self
    }

    /// Keeps only this share of the events with an error of that type in their chain: `sqlx::error::Error::PoolTimedOut`, or
    /// with `*` for any text, `*::PoolTimedOut`. The first rate whose type fits holds.
    pub fn sample_rate_of(mut self, ty: impl Into<String>, rate: f64) -> Self {
        self.sampling.of_type(ty, rate);
        self
    }

    /// Whether errors are captured with the stack of the thread; `true` unless set. Panics always are.
    pub fn backtraces(mut self, backtraces: bool) -> Self {
        self.defaults.backtraces = backtraces;
        self
    }

    /// Whether the frames of the program show the lines around them, read from its sources where those are at hand; only in
    /// the environment `development` unless set.
    ///
    /// Only files that the debug information names are read, once each, if they end in `.rs`, lie in the folder in which
    /// the program was built and have not changed since; what they show is sanitized as all else. Costs nothing on the
    /// threads of the host.
    pub fn source_lines(mut self, lines: bool) -> Self {
        self.source_lines = Some(lines);
        self
    }

    /// Links the frames of the program to where a code host shows their line. `{path}` stands for the file from the root of
    /// the workspace on, `{line}` for the line, `{commit}` for what [`commit`](Self::commit) says, else for the commit that
    /// the release ends with (`shop@1.4.0+3f2a9c1`, or nothing but the hash). Without a commit there are no links.
    ///
    /// The address must begin with `https://` or `http://` and hold `{path}`, or [`build`](Self::build) fails.
    ///
    /// # Example
    /// ```
    /// let builder = errtrack_core::Tracker::builder()
    ///     .commit("3f2a9c1") // such as option_env!("GIT_COMMIT")
    ///     .source_link("https://github.com/acme/shop/blob/{commit}/{path}#L{line}");
    /// ```
    pub fn source_link(mut self, template: impl Into<String>) -> Self {
        self.source_link = Some(template.into());
        self
    }

    /// Sets the commit that the program was built from, for [`source_link`](Self::source_link).
    pub fn commit(mut self, commit: impl Into<String>) -> Self {
        self.commit = Some(commit.into());
        self
    }

    /// Whether backtraces that errors bring along (those of `anyhow`, and what is given to
    /// [`capture_error_with_backtrace`](crate::capture_error_with_backtrace)) are used; `true` unless set. They exist where
    /// `RUST_BACKTRACE` or `RUST_LIB_BACKTRACE` asks for them, and naming their frames costs the capturing thread a fraction
    /// of a millisecond.
    pub fn own_backtraces(mut self, backtraces: bool) -> Self {
        self.defaults.own_backtraces = backtraces;
        self
    }

    /// Changes or drops events before they are sanitized and stored.
    pub fn before_send(mut self, f: impl Fn(Event) -> Option<Event> + Send + Sync + 'static) -> Self {
        self.hooks.before_send = Some(Arc::new(f));
        self
    }

    /// Applies rules to the events of every project, captured in the process or reported over HTTP: they say which events are
    /// ignored, and which are one issue. May be called several times. The first rule that applies decides; those that people
    /// edit ([`Tracker::set_rules`]) come after these.
    ///
    /// Rules see an event after [`before_send`](Self::before_send), as it is stored: cut and sanitized.
    ///
    /// # Example
    /// ```
    /// use errtrack_core::{Rule, Tracker};
    ///
    /// let builder = Tracker::builder().rules([
    ///     Rule::new().route("GET /health").status("5*"),
    ///     Rule::new().ty("*::PoolTimedOut").fingerprint(["database away"]),
    /// ]);
    /// ```
    pub fn rules(mut self, rules: impl IntoIterator<Item = Rule>) -> Self {
        self.rules.extend(rules);
        self
    }

    /// [`rules`](Self::rules) all of which ignore, whatever else they say.
    ///
    /// # Example
    /// ```
    /// use errtrack_core::{Rule, Tracker};
    ///
    /// let builder = Tracker::builder().ignore_rules([Rule::new().ty("*::ConnectionReset")]);
    /// ```
    pub fn ignore_rules(self, rules: impl IntoIterator<Item = Rule>) -> Self {
        self.rules(rules.into_iter().map(Rule::ignore))
    }

    /// Drops the events for which `f` says `true`. May be called several times.
    pub fn ignore(mut self, f: impl Fn(&Event) -> bool + Send + Sync + 'static) -> Self {
        self.hooks.ignore.push(Arc::new(f));
        self
    }

    /// Gives events a fingerprint of one's own; `{{ default }}` in it stands for ours.
    pub fn fingerprinter(mut self, f: impl Fn(&Event) -> Option<Vec<String>> + Send + Sync + 'static) -> Self {
        self.hooks.fingerprinter = Some(Arc::new(f));
        self
    }

    /// Calls `f` on the tracker's thread for every issue that is new or came back, after it is durable. It must not block.
    pub fn on_issue(mut self, f: impl Fn(&IssueChange) + Send + Sync + 'static) -> Self {
        self.hooks.on_issue = Some(Arc::new(f));
        self
    }

    /// Adds a channel by which people are told, in the place of another of the same name; rules call it by its name.
    pub fn notifier(self, notifier: impl Notifier) -> Self {
        self.channels.set(Arc::new(notifier));
        self
    }

    /// Replaces the sanitizer.
    pub fn sanitizer(mut self, sanitizer: Sanitizer) -> Self {
        self.preparer.sanitizer = sanitizer;
        self
    }

    /// Replaces the rules for which frames belong to the program.
    pub fn in_app(mut self, in_app: InApp) -> Self {
        self.preparer.in_app = in_app;
        self
    }

    /// Replaces the limits of an event.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.preparer.limits = limits;
        self
    }

    /// Sets how many events, and how many bytes of them, may wait; 10,000 and 32 MiB unless set.
    pub fn queue(mut self, events: usize, bytes: usize) -> Self {
        self.queue = events;
        self.queue_bytes = bytes;
        self
    }

    /// Sets for how long resolved issues are kept after they were last seen; 90 days unless set, `None` for ever.
    pub fn retention(mut self, age: impl Into<Option<Duration>>) -> Self {
        self.retention.age = age.into();
        self
    }

    /// Sets how many of an issue's newest events are kept whole; 100 unless set. Counts are never lost by this.
    pub fn events_per_issue(mut self, events: u32) -> Self {
        self.retention.events_per_issue = events.max(1);
        self
    }

    /// Sets how many events are kept whole per project, the newest; no bound unless set. Counts are never lost by this.
    pub fn events_per_project(mut self, events: impl Into<Option<u64>>) -> Self {
        self.retention.events_per_project = events.into();
        self
    }

    /// Sets how many bytes stay free on the disk of the database: the oldest events go when there are fewer. 0 unless set.
    /// Only a store that can see that disk (SQLite) looks.
    pub fn free_disk(mut self, bytes: u64) -> Self {
        self.retention.free_disk = bytes;
        self
    }

    /// Keeps what cannot be stored at once in files in `folder`, `most_bytes` of them at most, until the database is back;
    /// there is no spool unless set, as a library does not write files that its host did not ask for.
    ///
    /// With a spool, events and reports that come while the database is away survive the end of the process: the next one
    /// with the same folder stores them, each once. Without, events of this process wait in memory within the bounds of the
    /// [queue](Self::queue), and reports are refused. Only sanitized events get into the files, which nobody but their owner
    /// can read. Several processes can share a folder, each with its own `most_bytes`. A folder that cannot be used does not
    /// stop the tracker; it is told by [`Tracker::trouble`] and in the log.
    pub fn spool(mut self, folder: impl Into<PathBuf>, most_bytes: u64) -> Self {
        self.spool = Some((folder.into(), most_bytes));
        self
    }

    /// Mails every new issue and every regression to these addresses, by the channel `email`; to nobody unless set. Rules that
    /// people make come besides.
    pub fn alert_emails(mut self, emails: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.alerts.emails = emails.into_iter().map(Into::into).collect();
        self
    }

    /// Sets how many notifications a channel gets within an hour; 60 unless set. What comes beyond that is gathered into one
    /// digest, sent when it has been calm for a minute, ten minutes later at the latest, and after that at the end of the hour.
    ///
    /// What cannot wait (regressions, spikes, rules with a condition) is counted apart: a flood of new issues does not stand in
    /// its way.
    pub fn notifications_per_hour(mut self, notifications: u32) -> Self {
        self.alerts.cap = notifications.max(1);
        self
    }

    /// What the tracker's thread has, without the thread.
    #[cfg(test)]
    pub(super) fn engine_for_tests(self, store: impl Store, project: Project) -> Engine {
        self.engine(Arc::new(store), project).unwrap()
    }

    /// Sets how much the writer writes at once, and how long it waits for what.
    #[cfg(test)]
    pub(crate) fn pace(mut self, pace: Pace) -> Self {
        self.pace = pace;
        self
    }

    /// Finds or makes the project and starts the tracker's thread. From then on functions like
    /// [`capture_error`](crate::capture_error) report to it, wherever no scope says otherwise.
    ///
    /// # Errors
    /// There is no store, the project has no usable name, the store fails, or the system has no thread to give.
    pub async fn build(self) -> Result<Tracker, BuildError> {
        let store = self.store.clone().ok_or(BuildError(Problem::NoStore))?;
        if self.project.is_empty() {
            return Err(BuildError(Problem::NoName));
        }
        if self.source_link.as_deref().is_some_and(|template| SourceLink::new(template, Some("")).is_none()) {
            return Err(BuildError(Problem::SourceLink));
        }
        let project = store.ensure_project(&self.project).await.map_err(|e| BuildError(Problem::Store(e)))?;
        let tracker = self.start(store, project)?;
        tracker.shared.engine.read_first_rules().await;
        tracker.set_default();
        Ok(tracker)
    }

    /// Starts the thread of a tracker whose project is known. No work reports to it but that in a scope of its own.
    pub(crate) fn start(self, store: Arc<dyn Store>, project: Project) -> Result<Tracker, BuildError> {
        let (events, bytes) = (self.queue, self.queue_bytes);
        let engine = Arc::new(self.engine(store, project)?);
        let (queue, captures) = queue::channel(events, bytes);
        let (writes, unwritten) = writes::channel(UNWRITTEN, bytes);
        let worker = Worker::start(engine.clone(), captures, writes.clone(), unwritten)
            .map_err(|e| BuildError(Problem::Thread(e)))?;
        let shared = Arc::new_cyclic(|shared| {
            let link = Arc::new(Link { shared: shared.clone(), routes: engine.routes.clone() });
            Shared { queue, writes, engine, worker, link }
        });
        Ok(Tracker { shared })
    }

    fn engine(self, store: Arc<dyn Store>, project: Project) -> Result<Engine, BuildError> {
        let rules = Rules::new(self.rules).map_err(|e| BuildError(Problem::Rules(e)))?;
        let spool = self.spool.map(|(folder, most_bytes)| Arc::new(SpoolGauge::new(folder, most_bytes)));
        let sources = SourceRules {
            lines: self.source_lines.unwrap_or(self.defaults.environment.as_deref() == Some("development")),
            link: self.source_link.and_then(|template| {
                let commit = self.commit.as_deref().or_else(|| self.defaults.release.as_deref().and_then(commit_of));
                SourceLink::new(&template, commit)
            }),
        };
        Ok(Engine {
            sources,
            store,
            preparer: self.preparer,
            preparers: PreparersAtHand::default(),
            hooks: self.hooks,
            sampling: self.sampling,
            rules: RulesAtHand::new(rules),
            ownership: OwnershipAtHand::default(),
            ledger: Ledger::new(project.id),
            project,
            defaults: self.defaults,
            root: ScopeCell::default(),
            trouble: Trouble::default(),
            retention: self.retention,
            node: uuid::Uuid::new_v4(),
            spool,
            routes: Routes::default(),
            reported: Default::default(),
            pace: self.pace,
            retaining: tokio::sync::Mutex::default(),
            told: Told::default(),
            jobs: Jobs::default(),
            alerts: self.alerts,
            signalled: tokio::sync::Notify::default(),
            users: SeenUsers::default(),
            watched: Default::default(),
            channels: self.channels,
        })
    }
}

impl fmt::Debug for TrackerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrackerBuilder").field("project", &self.project).finish_non_exhaustive()
    }
}

/// Why a tracker could not be built.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct BuildError(Problem);

#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error("the tracker has no store: give it one with `.store(…)`")]
    NoStore,
    #[error("the name of the project holds no ASCII letter or digit")]
    NoName,
    #[error("the source link must begin with https:// or http:// and hold {{path}}")]
    SourceLink,
    #[error("a rule is wrong: {0}")]
    Rules(InvalidRules),
    #[error("the project could not be found or made in the store")]
    Store(#[source] StoreError),
    #[error("the tracker's thread could not be started")]
    Thread(#[source] io::Error),
}

/// The name of this machine, as far as the environment or the system tells it without a system call of our own.
fn host_name() -> Option<String> {
    let from_environment = std::env::var("HOSTNAME").or_else(|_| std::env::var("COMPUTERNAME")).ok();
    let name = from_environment.or_else(|| std::fs::read_to_string("/etc/hostname").ok())?;
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}
