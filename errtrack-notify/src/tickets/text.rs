//! What every ticket says, before it is put into a service's markup. Each text is one line.

use super::TicketDraft;
use crate::words::{self, one_line};

/// Characters of a title: what GitLab and Jira take; GitHub takes one more.
pub(super) const TITLE: usize = 255;
/// Characters of a line.
const LINE: usize = 400;
/// Frames that are shown.
const FRAMES: usize = 10;

/// What is told of an issue.
#[derive(Debug)]
pub(super) struct Text {
    /// Type and message.
    pub(super) error: String,
    /// Names and values.
    pub(super) facts: Vec<(&'static str, String)>,
    /// The program's own frames, the one that crashed first.
    pub(super) frames: Vec<String>,
    /// The name of the issue and the address of its page.
    pub(super) link: Option<(String, String)>,
    /// What somebody adds, without control characters; the only one with several lines.
    pub(super) note: String,
}

impl Text {
    pub(super) fn of(draft: &TicketDraft) -> Self {
        let issue = &draft.issue;
        let users = match issue.user_count {
            ..=0 => String::new(),
            1 => ", 1 user".into(),
            users => format!(", {} users", words::count(users)),
        };
        let time = "%Y-%m-%d %H:%M:%S UTC";
        let url = words::url(draft.dashboard.as_deref(), &issue.path);
        let facts = [
            // The link names it too.
            ("Issue", if url.is_none() { issue.short_id.clone() } else { String::new() }),
            ("Where", issue.culprit.clone()),
            ("Level", issue.level.to_string()),
            ("Events", format!("{}{users}", words::count(issue.count))),
            ("First seen", issue.first_seen.strftime(time)),
            ("Last seen", issue.last_seen.strftime(time)),
            ("Release", issue.release.clone().unwrap_or_default()),
            ("Environment", issue.environment.clone().unwrap_or_default()),
        ];
        let facts = facts.into_iter().map(|(name, value)| (name, one_line(&value, LINE)));
        let is_shown = |c: &char| *c == '\n' || *c == '\t' || !c.is_control();
        Self {
            error: one_line(&issue.title, LINE),
            facts: facts.filter(|(_, value)| !value.is_empty()).collect(),
            frames: issue.frames.iter().take(FRAMES).map(|frame| one_line(frame, LINE)).collect(),
            link: url.map(|url| (one_line(&issue.short_id, 100), url)),
            note: draft.note.trim().chars().filter(is_shown).collect(),
        }
    }
}
