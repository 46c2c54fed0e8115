//! What a notification says: the one place for its texts. Channels only dress them.

use errtrack_core::{
    Level,
    notify::{DigestLine, IncidentFacts, IssueFacts, Notification, RuleFacts, Trigger},
};
use std::fmt::Write;

/// Characters of a subject.
const SUBJECT: usize = 150;
/// Characters of any other line.
const LINE: usize = 400;
/// Frames that are shown.
const FRAMES: usize = 5;
/// Lines of a digest that are shown.
const DIGEST: usize = 20;

/// A notification in words. Each text is one line, without control characters; none is escaped for anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    /// The subject of a mail: what happened and to what.
    pub subject: String,
    /// What happened, in a few words, and in which project.
    pub headline: String,
    /// What it happened to.
    pub title: String,
    /// Where in the program.
    pub culprit: Option<String>,
    /// Why this is told.
    pub why: String,
    /// Names and values.
    pub facts: Vec<(&'static str, String)>,
    /// The program's own frames, the one that crashed first.
    pub frames: Vec<String>,
    /// What was gathered: texts and links.
    pub list: Vec<(String, Option<String>)>,
    /// How many more there are.
    pub more: Option<String>,
    /// Where to look.
    pub link: Option<Link>,
    /// How urgent it looks.
    pub tone: Tone,
}

/// A link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// What it says.
    pub text: &'static str,
    /// Where it leads.
    pub url: String,
}

/// How urgent it looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tone {
    /// Something broke.
    Bad,
    /// Something may break.
    Warning,
    /// Something is well again.
    Good,
    /// Nothing of these.
    #[default]
    Plain,
}

impl Tone {
    /// Its colour, as red, green and blue; dark enough for small text on white.
    #[must_use]
    pub const fn rgb(self) -> u32 {
        match self {
            Self::Bad => 0x00c2_3934,
            Self::Warning => 0x009c_5a00,
            Self::Good => 0x0018_7a43,
            Self::Plain => 0x004a_5568,
        }
    }

    /// The same as in HTML.
    #[must_use]
    pub fn colour(self) -> String {
        format!("#{:06x}", self.rgb())
    }
}

impl Words {
    /// Puts a notification in words. `dashboard` is the address that links begin with; without one there are none.
    #[must_use]
    pub fn of(notification: &Notification, dashboard: Option<&str>) -> Self {
        let mut words = Self { tone: tone(notification), ..Self::default() };
        let what = what(notification);
        let project = notification.project.as_deref().map(|project| one_line(project, 60));
        words.headline = project.as_ref().map_or_else(|| what.clone(), |project| format!("{what} · {project}"));
        words.title = title(notification);
        words.why = why(notification);
        if let Some(issue) = &notification.issue {
            words.tell_issue(issue);
        }
        if let Some(rule) = &notification.rule {
            words.tell_rule(rule);
        }
        if let Some(incident) = &notification.incident {
            words.tell_incident(incident);
        }
        if let Some(note) = notification.note.as_deref().filter(|note| !note.trim().is_empty()) {
            words.facts.push(("Note", one_line(note, LINE)));
        }
        words.facts.push(("Time", notification.at.strftime("%Y-%m-%d %H:%M:%S UTC")));
        let lines = notification.digest.iter().take(DIGEST);
        words.list = lines.map(|line| (digest_line(line), url(dashboard, &line.path))).collect();
        let more = notification.digest_total.saturating_sub(words.list.len() as u64);
        words.more = (more > 0 && !words.list.is_empty()).then(|| format!("and {} more", grouped(more)));
        words.link = link(notification, dashboard);
        let about = format!("[{}] ", project.as_deref().unwrap_or("errtrack"));
        let subject = match (words.title.as_str(), notification.trigger) {
            ("", _) | (_, Trigger::Test | Trigger::Digest) => what,
            (title, _) => format!("{what}: {title}"),
        };
        words.subject = one_line(&format!("{about}{subject}"), SUBJECT);
        words
    }

    fn tell_issue(&mut self, issue: &IssueFacts) {
        self.culprit = (!issue.culprit.is_empty()).then(|| one_line(&issue.culprit, LINE));
        self.fact("Issue", &issue.short_id);
        self.fact("Level", issue.level.as_str());
        let users = match issue.user_count {
            ..=0 => String::new(),
            1 => ", 1 user".into(),
            users => format!(", {} users", count(users)),
        };
        self.fact("Events", &format!("{}{users}", count(issue.count)));
        self.fact("Environment", issue.environment.as_deref().unwrap_or_default());
        self.fact("Release", issue.release.as_deref().unwrap_or_default());
        self.fact("Assigned to", issue.assigned_to.as_deref().unwrap_or_default());
        if issue.first_seen.as_micros() > 0 {
            self.fact("First seen", &issue.first_seen.strftime("%Y-%m-%d %H:%M:%S UTC"));
        }
        self.frames = issue.frames.iter().take(FRAMES).map(|frame| one_line(frame, LINE)).collect();
    }

    fn tell_rule(&mut self, rule: &RuleFacts) {
        self.fact("Rule", &rule.name);
        self.fact("Condition", &rule.condition);
        let measured = match (rule.value, rule.threshold) {
            (Some(value), Some(threshold)) => format!("{} (threshold {})", number(value), number(threshold)),
            (Some(value), None) => number(value),
            _ => String::new(),
        };
        self.fact("Measured", &measured);
    }

    fn tell_incident(&mut self, incident: &IncidentFacts) {
        self.fact("Severity", &incident.severity);
        self.fact("Status", &incident.status);
        self.fact("Update", incident.note.as_deref().unwrap_or_default());
        self.fact("By", incident.by.as_deref().unwrap_or_default());
    }

    /// Adds what is known.
    fn fact(&mut self, name: &'static str, value: &str) {
        let value = one_line(value, LINE);
        if !value.is_empty() {
            self.facts.push((name, value));
        }
    }

    /// All of it as plain text, lines of it by line feeds.
    #[must_use]
    pub fn plain(&self) -> String {
        let mut text = format!("{}\n", self.headline);
        for line in [&self.title, self.culprit.as_deref().unwrap_or_default(), &self.why] {
            if !line.is_empty() {
                let _ = writeln!(text, "{line}");
            }
        }
        text.push('\n');
        for (name, value) in &self.facts {
            let _ = writeln!(text, "{name}: {value}");
        }
        if !self.frames.is_empty() {
            text.push('\n');
        }
        for frame in &self.frames {
            let _ = writeln!(text, "  at {frame}");
        }
        if !self.list.is_empty() {
            text.push('\n');
        }
        for (line, url) in &self.list {
            let _ = writeln!(text, "- {line}");
            if let Some(url) = url {
                let _ = writeln!(text, "  {url}");
            }
        }
        if let Some(more) = &self.more {
            let _ = writeln!(text, "- {more}");
        }
        if let Some(link) = &self.link {
            let _ = write!(text, "\n{}: {}\n", link.text, link.url);
        }
        text
    }

    /// In one short line, for a text message.
    #[must_use]
    pub fn short(&self, most: usize) -> String {
        let link = self.link.as_ref().map(|link| format!(" {}", link.url)).unwrap_or_default();
        let room = most.saturating_sub(link.chars().count());
        // A link that is cut leads nowhere.
        if room < 20 { one_line(&self.subject, most) } else { one_line(&self.subject, room) + &link }
    }
}

/// What happened, in a few words.
fn what(notification: &Notification) -> String {
    let rule = notification.rule.as_ref().map_or("A rule", |rule| rule.name.as_str());
    let issue = notification.issue.as_ref();
    match notification.trigger {
        Trigger::NewIssue => "New issue".into(),
        Trigger::Regression => "Regression".into(),
        Trigger::Milestone => format!("{} events", count(issue.map_or(0, |issue| issue.count))),
        Trigger::Spike => "Spike".into(),
        Trigger::Unignored => "No longer ignored".into(),
        Trigger::NewInRelease => match issue.and_then(|issue| issue.release.as_deref()) {
            Some(release) => format!("New in {}", one_line(release, 60)),
            None => "New in a release".into(),
        },
        Trigger::Recovered => format!("Recovered: {}", one_line(rule, 80)),
        Trigger::Incident => match &notification.incident {
            Some(incident) => format!("Incident {}", one_line(&incident.status, 20)),
            None => "Incident".into(),
        },
        Trigger::Digest => format!("{} notifications in one", grouped(notification.digest_total)),
        Trigger::Test => "This channel works".into(),
        Trigger::Invitation => "You are invited to errtrack".into(),
        Trigger::Rule => one_line(rule, 80),
    }
}

/// What it happened to.
fn title(notification: &Notification) -> String {
    let issue = notification.issue.as_ref().map(|issue| issue.title.as_str());
    let incident = notification.incident.as_ref().map(|incident| incident.title.as_str());
    one_line(incident.or(issue).unwrap_or_default(), LINE)
}

/// Why it is told.
fn why(notification: &Notification) -> String {
    match notification.trigger {
        Trigger::NewIssue => "It was seen for the first time.".into(),
        Trigger::Regression => "It was resolved, and happened again.".into(),
        Trigger::Milestone => "It goes on happening.".into(),
        Trigger::Spike => "It happens far more often than it used to.".into(),
        Trigger::Unignored => "It was ignored until now.".into(),
        Trigger::NewInRelease => "It is known, and this release has it too.".into(),
        Trigger::Recovered => "The condition of the rule is not met any longer.".into(),
        Trigger::Incident => "Somebody, or a rule, opened or changed an incident.".into(),
        Trigger::Digest => "More happened than is told one by one.".into(),
        Trigger::Test => "Somebody tried it. Notifications will look like this one.".into(),
        Trigger::Invitation => "The link works once, within a week.".into(),
        Trigger::Rule => "The condition of a rule is met.".into(),
    }
}

fn tone(notification: &Notification) -> Tone {
    match notification.trigger {
        Trigger::Recovered | Trigger::Test => Tone::Good,
        Trigger::Digest | Trigger::Invitation => Tone::Plain,
        Trigger::Incident => match notification.incident.as_ref().map(|incident| incident.status.as_str()) {
            Some("resolved") => Tone::Good,
            _ => Tone::Bad,
        },
        _ => match notification.issue.as_ref().map(|issue| issue.level) {
            Some(Level::Warning) => Tone::Warning,
            Some(Level::Info | Level::Debug) => Tone::Plain,
            _ => Tone::Bad,
        },
    }
}

fn link(notification: &Notification, dashboard: Option<&str>) -> Option<Link> {
    if let Some(url) = notification.url.clone() {
        let text = if notification.trigger == Trigger::Invitation { "Become a member" } else { "Open it" };
        return Some(Link { text, url });
    }
    let (text, path) = match (&notification.incident, &notification.issue) {
        (Some(incident), _) => ("Open the incident", incident.path.as_str()),
        (None, Some(issue)) => ("Open the issue", issue.path.as_str()),
        (None, None) if notification.rule.is_some() => ("Open the rules", "alerts"),
        (None, None) => ("Open the dashboard", ""),
    };
    let url = match path {
        "" => dashboard.map(str::to_owned),
        path => url(dashboard, path),
    };
    url.map(|url| Link { text, url })
}

fn digest_line(line: &DigestLine) -> String {
    let about = line.short_id.as_deref().or(line.project.as_deref()).map(|name| format!("{name} ")).unwrap_or_default();
    let what = match line.trigger {
        Trigger::NewIssue => "New",
        Trigger::Regression => "Regression",
        Trigger::Milestone => "Milestone",
        Trigger::Spike => "Spike",
        Trigger::Unignored => "No longer ignored",
        Trigger::NewInRelease => "New in a release",
        Trigger::Recovered => "Recovered",
        Trigger::Incident => "Incident",
        Trigger::Digest | Trigger::Test | Trigger::Invitation | Trigger::Rule => "Rule",
    };
    one_line(&format!("{what}: {about}{}", line.title), LINE)
}

/// The address of a page. What would be markup somewhere is written in its percent form.
pub(crate) fn url(dashboard: Option<&str>, path: &str) -> Option<String> {
    let base = dashboard?.trim_end_matches('/');
    if path.is_empty() {
        return None;
    }
    let mut url = format!("{base}/");
    for byte in path.trim_start_matches('/').bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~?=&%#:@+".contains(&byte) {
            url.push(char::from(byte));
        } else {
            let _ = write!(url, "%{byte:02X}");
        }
    }
    Some(url)
}

/// A text as one line of so many characters: what could break a line, or turn it around, becomes a space.
#[must_use]
pub(crate) fn one_line(text: &str, most: usize) -> String {
    let breaks = |c: char| {
        c.is_control()
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut line = String::with_capacity(text.len().min(most * 4));
    let mut length = 0;
    let mut is_space = true;
    for c in text.chars().map(|c| if breaks(c) || c.is_whitespace() { ' ' } else { c }) {
        if c == ' ' && is_space {
            continue;
        }
        if length == most {
            line.pop();
            line.push('…');
            return line;
        }
        is_space = c == ' ';
        line.push(c);
        length += 1;
    }
    line.truncate(line.trim_end().len());
    line
}

pub(crate) fn count(n: i64) -> String {
    grouped(u64::try_from(n).unwrap_or_default())
}

/// A number with commas between thousands.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A measured number: two digits after the point, unless it is whole.
fn number(n: f64) -> String {
    let text = format!("{n:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
