//! One rule, as it is written down.

use super::field::Field;

/// What is to be done with the events to which all conditions of it apply.
///
/// A condition compares a part of an event with a pattern: a glob, which is the whole text and in which `*` stands for any
/// text (`*timed out*`), or behind `re:` a regular expression, which may be any part of it (`re:^order \d+`). Case counts. A
/// part of which an event has several, such as the types of a chain, need only have one that fits.
///
/// # Example
/// ```
/// use errtrack_core::{Event, Exception, Rule, Rules};
///
/// let rules = Rules::new(vec![Rule::new().ty("std::io::Error::*").message("*reset by peer*")])?;
/// let mut event = Event::new();
/// event.exceptions.push(Exception::new("std::io::Error::ConnectionReset", "connection reset by peer (os error 104)"));
/// assert!(rules.ignores(&event));
/// event.exceptions[0].value = Some("refused".into());
/// assert!(!rules.ignores(&event));
/// # Ok::<(), errtrack_core::InvalidRules>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Rule {
    pub(super) name: String,
    pub(super) conditions: Vec<(Field, String)>,
    pub(super) action: Action,
}

/// What a rule does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub enum Action {
    /// The event is not stored, but counted as ignored.
    #[default]
    Ignore,
    /// Events with these parts in common are one issue. In them `{{ default }}` stands for what would decide without the
    /// rule, and `{{ type }}`, `{{ tag.plan }}` and the like for that [`Field`] of the event.
    Fingerprint(Vec<String>),
}

impl Action {
    /// The name in JSON: `ignore` or `fingerprint`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Ignore => "ignore",
            Self::Fingerprint(_) => "fingerprint",
        }
    }
}

impl Rule {
    /// A rule that ignores, without any condition yet. [`Rules::new`](super::Rules::new) refuses one that stays so.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives it a name, by which pages say why an event is where it is; what it compares unless set.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Makes it ignore; so it does unless set.
    #[must_use]
    pub fn ignore(mut self) -> Self {
        self.action = Action::Ignore;
        self
    }

    /// Makes it give a fingerprint, see [`Action::Fingerprint`].
    ///
    /// # Example
    /// ```
    /// use errtrack_core::Rule;
    ///
    /// // Whatever fails while the database is away is one issue, wherever it fails.
    /// let merges = Rule::new().ty("sqlx::error::Error::PoolTimedOut").fingerprint(["database away"]);
    /// // The same failure is an issue per customer.
    /// let splits = Rule::new().message("*quota*").fingerprint(["{{ default }}", "{{ tag.customer }}"]);
    /// ```
    #[must_use]
    pub fn fingerprint<T: Into<String>>(mut self, parts: impl IntoIterator<Item = T>) -> Self {
        self.action = Action::Fingerprint(parts.into_iter().map(Into::into).collect());
        self
    }

    /// Adds a condition. Each field can have one.
    #[must_use]
    pub fn when(mut self, field: Field, pattern: impl Into<String>) -> Self {
        self.conditions.push((field, pattern.into()));
        self
    }

    /// The type of an error of the chain is this: `sqlx::error::Error::PoolTimedOut`, `*::PoolTimedOut`.
    #[must_use]
    pub fn ty(self, pattern: impl Into<String>) -> Self {
        self.when(Field::Type, pattern)
    }

    /// The text of an error of the chain, or the message, is this.
    #[must_use]
    pub fn message(self, pattern: impl Into<String>) -> Self {
        self.when(Field::Message, pattern)
    }

    /// The file of a frame is this, as it is shown or with its whole path: `*/vendor/*`.
    #[must_use]
    pub fn path(self, pattern: impl Into<String>) -> Self {
        self.when(Field::Path, pattern)
    }

    /// The function of a frame is this, with its module or without: `shop::pay::*`.
    #[must_use]
    pub fn function(self, pattern: impl Into<String>) -> Self {
        self.when(Field::Function, pattern)
    }

    /// The module of a frame, or of the type of an error, is this.
    #[must_use]
    pub fn module(self, pattern: impl Into<String>) -> Self {
        self.when(Field::Module, pattern)
    }

    /// The logger, or the target of `tracing`, is this: `hyper::*`.
    #[must_use]
    pub fn target(self, pattern: impl Into<String>) -> Self {
        self.when(Field::Target, pattern)
    }

    /// The value of that tag is this.
    #[must_use]
    pub fn tag(self, name: impl Into<String>, pattern: impl Into<String>) -> Self {
        self.when(Field::Tag(name.into()), pattern)
    }

    /// The route is this, with the method (`POST /orders/{id}`) or without (`/orders/*`).
    #[must_use]
    pub fn route(self, pattern: impl Into<String>) -> Self {
        self.when(Field::Route, pattern)
    }

    /// The URL of the request, without its query, is this.
    #[must_use]
    pub fn url(self, pattern: impl Into<String>) -> Self {
        self.when(Field::Url, pattern)
    }

    /// The status that was answered is this: `503`, `5*`.
    #[must_use]
    pub fn status(self, pattern: impl Into<String>) -> Self {
        self.when(Field::Status, pattern)
    }

    /// The level is this: `fatal`, `re:debug|info`.
    #[must_use]
    pub fn level(self, pattern: impl Into<String>) -> Self {
        self.when(Field::Level, pattern)
    }

    /// The environment is this.
    #[must_use]
    pub fn environment(self, pattern: impl Into<String>) -> Self {
        self.when(Field::Environment, pattern)
    }

    /// The release is this: `shop@1.*`.
    #[must_use]
    pub fn release(self, pattern: impl Into<String>) -> Self {
        self.when(Field::Release, pattern)
    }

    /// The name that it was given; empty if none was.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it compares with what.
    pub fn conditions(&self) -> impl Iterator<Item = (&Field, &str)> {
        self.conditions.iter().map(|(field, pattern)| (field, pattern.as_str()))
    }

    /// What it does.
    #[must_use]
    pub const fn action(&self) -> &Action {
        &self.action
    }

    /// Its name, or what it compares: `type is *::Timeout, level is error`.
    #[must_use]
    pub fn label(&self) -> String {
        const LONGEST: usize = 200;
        if !self.name.is_empty() {
            return self.name.clone();
        }
        let said: Vec<String> =
            self.conditions.iter().map(|(field, pattern)| format!("{field} is {pattern}")).collect();
        said.join(", ").chars().take(LONGEST).collect()
    }
}
