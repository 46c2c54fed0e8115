//! Which libraries frames belong to, for the line that stands for a run of them.

use crate::pages::text;
use errtrack_core::Frame;

/// `9 frames in axum, tower, hyper`.
pub(super) fn summary(frames: &[&Frame]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in frames.iter().filter_map(|frame| library(frame)) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let count = text::counted(i64::try_from(frames.len()).unwrap_or(i64::MAX), "frame");
    let listed = text::line(&names.iter().take(3).copied().collect::<Vec<_>>().join(", "), 120);
    match names.len() {
        0 => format!("{count} outside of your code"),
        1..=3 => format!("{count} in {listed}"),
        n => format!("{count} in {listed} and {} more", n - 3),
    }
}

/// The library of a frame by its path, else by its module or function.
fn library(frame: &Frame) -> Option<&str> {
    let path = frame.abs_path.as_deref().or(frame.filename.as_deref()).unwrap_or_default();
    for folder in ["/node_modules/", "/site-packages/", "/dist-packages/"] {
        if let Some((_, rest)) = path.rsplit_once(folder) {
            // `@scope/name` is one name.
            let slashes = if rest.starts_with('@') { 2 } else { 1 };
            let end = rest.match_indices('/').nth(slashes - 1).map_or(rest.len(), |(at, _)| at);
            return rest.get(..end);
        }
    }
    let name = frame.module.as_deref().filter(|m| !m.is_empty()).or(frame.function.as_deref())?;
    let name = name.trim_start_matches(['<', '&', '*', '(', '[']);
    let name = name.trim_start_matches("dyn ").trim_start_matches("impl ").trim_start_matches("mut ");
    let end = name.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '-').unwrap_or(name.len());
    let joined = name.get(end..).is_some_and(|rest| rest.starts_with("::") || rest.starts_with('.'));
    name.get(..end).filter(|crate_name| !crate_name.is_empty() && (joined || frame.module.is_some()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(function: &str, path: &str) -> Option<String> {
        let frame = Frame { function: Some(function.into()), abs_path: Some(path.into()), ..Frame::default() };
        library(&frame).map(str::to_owned)
    }

    #[test]
    fn libraries_are_named_by_path_or_function() {
        assert_eq!(of("<axum::Router as tower::Service>::call", "").as_deref(), Some("axum"));
        assert_eq!(of("core::ops::function::FnOnce::call_once", "").as_deref(), Some("core"));
        assert_eq!(of("run", "/app/node_modules/@sentry/node/x.js").as_deref(), Some("@sentry/node"));
        assert_eq!(of("get", "/usr/lib/site-packages/requests/api.py").as_deref(), Some("requests"));
        assert_eq!(of("main", ""), None);
    }
}
