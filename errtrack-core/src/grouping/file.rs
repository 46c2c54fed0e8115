//! Names of files without what a build or a deploy puts into them.

use super::language::Language;
use crate::Frame;

/// File names that say nothing without the folder above.
const GENERIC: [&str; 12] =
    ["index", "main", "mod", "lib", "__init__", "__main__", "page", "route", "layout", "handler", "app", "server"];

/// A name that is the same in every build and on every machine; empty where there is none.
pub(super) fn clean(frame: &Frame, language: Language) -> String {
    let raw = frame.filename.as_deref().or(frame.abs_path.as_deref()).unwrap_or_default();
    let path = without_origin(raw);
    if path.is_empty() || path.starts_with('<') || matches!(path, "?" | "native" | "[native code]") {
        return String::new();
    }
    let mut parts = path.rsplit(['/', '\\']).filter(|part| !part.is_empty() && *part != "." && *part != "..");
    let Some(last) = parts.next() else { return String::new() };
    let name = if language == Language::JavaScript { without_chunk_hash(last) } else { last.to_owned() };
    let stem = name.split('.').next().unwrap_or_default();
    match parts.next() {
        // A folder with digits may be a release; a module names the file better than any folder.
        Some(folder) if GENERIC.contains(&stem) && frame.module.is_none() && !has_digit(folder) => {
            format!("{folder}/{name}")
        }
        _ => name,
    }
}

/// The path as a person on call reads it: `assets/cart.js`.
pub(super) fn display(frame: &Frame, language: Language) -> String {
    let raw = frame.filename.as_deref().or(frame.abs_path.as_deref()).unwrap_or_default();
    let path = without_origin(raw);
    let is_local = path == raw && path.starts_with(['/', '\\']) || path.get(1..3) == Some(":\\");
    if is_local || path.contains("/node_modules/") {
        return clean(frame, language);
    }
    let path = path.trim_start_matches(['/', '.']);
    match path.rsplit_once('/') {
        Some((folder, name)) if language == Language::JavaScript => format!("{folder}/{}", without_chunk_hash(name)),
        None if language == Language::JavaScript => without_chunk_hash(path),
        _ => path.to_owned(),
    }
}

/// Without scheme, host, query and fragment: `https://cdn.example/a/b.js?v=3` is `/a/b.js`.
pub(super) fn without_origin(path: &str) -> &str {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    match path.split_once("://") {
        // `webpack://shop/./src/cart.js` and `app:///src/cart.js` have a name or nothing for a host.
        Some((_, rest)) => rest.find('/').and_then(|slash| rest.get(slash..)).unwrap_or(rest),
        None => path.strip_prefix("file:").unwrap_or(path),
    }
}

/// `main.3f2a9c.js` is `main.js`, `app-DkQ3x9.js` is `app.js`.
fn without_chunk_hash(name: &str) -> String {
    let Some((stem, extension)) = name.split_once('.') else { return name.to_owned() };
    let mut kept: Vec<&str> = vec![stem];
    let mut rest = extension.split('.').peekable();
    let mut last = "";
    while let Some(part) = rest.next() {
        match rest.peek() {
            Some(_) if is_hash(part) => {}
            Some(_) => kept.push(part),
            None => last = part,
        }
    }
    if let Some(first) = kept.first_mut() {
        for joint in ['-', '_', '~'] {
            if let Some((head, tail)) = first.rsplit_once(joint)
                && !head.is_empty()
                && is_hash(tail)
            {
                *first = head;
            }
        }
        if is_hash(first) && first.len() >= 8 && !first.contains(['-', '_']) {
            *first = "<hash>";
        }
    }
    kept.push(last);
    kept.join(".")
}

/// What bundlers append: hex from five digits, or six and more letters and digits in a mix that no person writes.
fn is_hash(part: &str) -> bool {
    let bytes = part.as_bytes();
    let digits = bytes.iter().filter(|b| b.is_ascii_digit()).count();
    let upper = bytes.iter().skip(1).filter(|b| b.is_ascii_uppercase()).count();
    let lower = bytes.iter().filter(|b| b.is_ascii_lowercase()).count();
    if !bytes.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_' || *b == b'-') {
        return false;
    }
    let hex = bytes.len() >= 5 && digits > 0 && bytes.iter().all(|b| b.is_ascii_hexdigit());
    let mixed = (6..=32).contains(&bytes.len()) && (digits > 0 && (upper > 0 || lower > 0) || upper > 1 && lower > 0);
    hex || mixed && !is_version_like(part)
}

/// `vendor2`, `es2015`, `angular17`: a word and a number behind it.
fn is_version_like(part: &str) -> bool {
    let stem = part.trim_end_matches(|c: char| c.is_ascii_digit());
    stem.len() >= 2 && stem.len() < part.len() && stem.bytes().all(|b| b.is_ascii_lowercase())
}

fn has_digit(part: &str) -> bool {
    part.bytes().any(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(filename: &str, language: Language) -> String {
        clean(&Frame { filename: Some(filename.into()), ..Frame::default() }, language)
    }

    #[test]
    fn chunk_hashes_origins_and_queries_are_dropped() {
        for (given, expected) in [
            ("https://cdn.example/assets/main.3f2a9c.js?v=3", "assets/main.js"),
            ("https://cdn.example/assets/cart-DkQ3x9.js", "cart.js"),
            ("https://cdn.example/static/js/2.8f3d1b7c.chunk.js", "2.chunk.js"),
            ("webpack:///./src/cart.js", "cart.js"),
            ("app:///src/cart.min.js#x", "cart.min.js"),
            ("vendor-react.js", "vendor-react.js"),
            ("polyfills-es2015.js", "polyfills-es2015.js"),
            ("8f3d1b7c9a.js", "<hash>.js"),
            ("<anonymous>", ""),
        ] {
            assert_eq!(cleaned(given, Language::JavaScript), expected, "{given}");
        }
    }

    #[test]
    fn folders_of_a_deploy_do_not_count() {
        let a = cleaned("/srv/releases/20260101/shop/cart.py", Language::Python);
        let b = cleaned("/srv/releases/20260202/shop/cart.py", Language::Python);
        assert_eq!((a.as_str(), a == b), ("cart.py", true));
        assert_eq!(cleaned("/srv/releases/20260101/index.js", Language::JavaScript), "index.js");
        assert_eq!(cleaned(r"C:\app\src\orders\mod.rs", Language::Rust), "orders/mod.rs");
    }
}
