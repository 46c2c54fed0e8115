//! The issue as Markdown, for a ticket or a coding agent.

use super::{crumbs, stack};
use crate::pages::text;
use errtrack_core::{Event, Issue};

/// Characters of the stack in it; a ticket is no log.
const STACK: usize = 6_000;
/// Entries of what happened before.
const CRUMBS: usize = 10;

pub(super) fn of(issue: &Issue, event: Option<&Event>, url: &str) -> String {
    let mut out = format!("# {}: {}\n\n", issue.short_id(), text::line(&title(issue), 200));
    let time = "%Y-%m-%d %H:%M:%S UTC";
    let mut fact = |name: &str, value: &str| {
        if !value.is_empty() {
            out.push_str(&format!("- {name}: {value}\n"));
        }
    };
    fact("Link", url);
    fact("Level", issue.level.as_str());
    fact("Where", &text::line(&issue.culprit, 200));
    fact("First seen", &issue.first_seen.strftime(time));
    fact("Last seen", &issue.last_seen.strftime(time));
    let (events, users) = (text::counted(issue.count, "event"), text::counted(issue.user_count, "user"));
    fact("How often", &format!("{events}, {users}"));
    fact("Release", &text::line(issue.last_release.as_deref().unwrap_or_default(), 80));
    fact("Environment", &text::line(issue.environment.as_deref().unwrap_or_default(), 80));
    let Some(event) = event else { return out };
    let raw = stack::raw(event);
    let raw = if raw.trim().is_empty() { event.stack_trace.clone().unwrap_or_default() } else { raw };
    if !raw.trim().is_empty() {
        section(&mut out, "Stack trace", &text::block(raw.trim_end(), STACK));
    }
    if !event.breadcrumbs.is_empty() {
        let skipped = event.breadcrumbs.len().saturating_sub(CRUMBS);
        let lines: Vec<String> = event.breadcrumbs.iter().skip(skipped).map(crumbs::summary).collect();
        section(&mut out, "What happened before", &lines.join("\n"));
    }
    if let Some(request) = &event.request {
        let (method, url) = (request.method.as_deref().unwrap_or("GET"), request.url.as_deref().unwrap_or_default());
        section(&mut out, "Request", &text::line(&format!("{method} {url}"), 500));
    }
    out
}

fn title(issue: &Issue) -> String {
    let colon = if issue.ty.is_empty() || issue.value.is_empty() { "" } else { ": " };
    format!("{}{colon}{}", issue.ty, issue.value)
}

/// A heading and a fence longer than any run of backticks within.
fn section(out: &mut String, heading: &str, body: &str) {
    let longest = body.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    out.push_str(&format!("\n## {heading}\n\n{fence}\n{body}\n{fence}\n"));
}

#[cfg(test)]
mod tests {
    use crate::pages::samples;

    #[test]
    fn markdown_holds_what_a_ticket_needs() {
        let (issue, event) = (samples::issue(1), samples::event());
        insta::assert_snapshot!(super::of(
            &issue,
            Some(&event),
            "https://shop.example.com/errors/issues/CHECKOUT-API-1"
        ));
    }
}
