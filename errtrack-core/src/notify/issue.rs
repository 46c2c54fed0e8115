//! What is told of an issue.

use super::IssueFacts;
use crate::{Event, Frame, Issue};

impl IssueFacts {
    /// What an issue says of itself; frames come [from an event](Self::with_frames).
    #[must_use]
    pub fn of(issue: &Issue) -> Self {
        Self {
            id: issue.uuid.to_string(),
            short_id: issue.short_id(),
            title: match (issue.ty.as_str(), issue.value.as_str()) {
                ("", text) | (text, "") => text.to_owned(),
                (ty, value) => format!("{ty}: {value}"),
            },
            culprit: issue.culprit.clone(),
            level: issue.level,
            count: issue.count,
            user_count: issue.user_count,
            environment: issue.environment.clone(),
            release: issue.last_release.clone(),
            first_seen: issue.first_seen,
            last_seen: issue.last_seen,
            frames: Vec::new(),
            path: format!("issues/{}", issue.short_id()),
            assigned_to: issue.assigned_to.clone(),
        }
    }

    /// The same with the first frames of the program itself, at most so many, the one that crashed first; any frames where it
    /// has none.
    #[must_use]
    pub fn with_frames(mut self, event: &Event, most: usize) -> Self {
        let stacks = event.exceptions.iter().rev().filter_map(|exception| exception.stacktrace.as_ref());
        let stack = stacks.clone().find(|stack| stack.frames.iter().any(is_own)).or(stacks.clone().next());
        // The crash stands last.
        let frames = stack.map(|stack| stack.frames.as_slice()).unwrap_or_default().iter().rev();
        let has_own = frames.clone().any(is_own);
        self.frames = frames.filter(|frame| !has_own || is_own(frame)).take(most).map(line).collect();
        self
    }
}

fn is_own(frame: &Frame) -> bool {
    frame.in_app == Some(true)
}

/// A frame in one line: `shop::pay (src/pay.rs:17)`.
fn line(frame: &Frame) -> String {
    let function = frame.function.as_deref().or(frame.module.as_deref()).unwrap_or("?");
    let place = frame.filename.as_deref().map(|file| match frame.lineno {
        Some(number) => format!(" ({file}:{number})"),
        None => format!(" ({file})"),
    });
    format!("{function}{}", place.unwrap_or_default())
}
