//! A ticket in Markdown, as GitHub and GitLab read it.
//!
//! All that comes from an event stands in code, where there are no mentions, references, closing words and no other markup;
//! to escape what each service takes for a reference would need a list of all that it will ever take for one. No line begins
//! with it either: GitLab does what a line says that begins with a slash. What somebody adds stands in a quotation at the
//! end: it may use markup, but nothing that it leaves open reaches beyond it.

use super::text::Text;
use std::fmt::Write;

/// All of it.
pub(super) fn body(text: &Text) -> String {
    let mut body = String::new();
    if !text.error.is_empty() {
        let _ = writeln!(body, "**Error:** {}\n", code(&text.error));
    }
    for (name, value) in &text.facts {
        let _ = writeln!(body, "- {name}: {}", code(value));
    }
    if !text.frames.is_empty() {
        let frames: Vec<String> = text.frames.iter().map(|frame| format!("at {frame}")).collect();
        let frames = frames.join("\n");
        let fence = "`".repeat((longest_run(&frames) + 1).max(3));
        let _ = write!(body, "\n{fence}\n{frames}\n{fence}\n");
    }
    if let Some((name, url)) = &text.link {
        let _ = writeln!(body, "\n[{} in errtrack](<{url}>)", code(name));
    }
    if !text.note.is_empty() {
        body.push('\n');
        for line in text.note.lines() {
            let _ = writeln!(body, "> {line}");
        }
    }
    body
}

/// A line as code: between runs of backticks that it does not hold itself.
fn code(line: &str) -> String {
    let fence = "`".repeat(longest_run(line) + 1);
    // One space is taken away at both ends; and a backtick at an end would belong to the fence.
    let pad = if line.starts_with(['`', ' ']) || line.ends_with(['`', ' ']) { " " } else { "" };
    format!("{fence}{pad}{line}{pad}{fence}")
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}
