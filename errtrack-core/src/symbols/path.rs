//! Where a source file comes from, by its path as the compiler wrote it down.

/// Folders in which a package keeps its sources.
const ROOTS: [&str; 4] = ["src", "tests", "examples", "benches"];

/// To whom a file belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin<'a> {
    /// The standard library: its crate.
    Std(&'a str),
    /// A dependency from a registry, a git checkout or a folder of vendored packages: its package, without the version.
    Library(&'a str),
    /// Anything else: the program, and the crates of its workspace.
    Program,
}

/// Finds out whose file it is. Understands the paths of Linux, macOS and Windows, also without the folders that
/// `--remap-path-prefix` and `trim-paths` take away.
pub(crate) fn origin(path: &str) -> Origin<'_> {
    let mut parts = path.split(['/', '\\']).filter(|part| !part.is_empty()).peekable();
    let (mut before, mut last) = ("", "");
    let first = parts.peek().copied().unwrap_or_default();
    // Whether the path was cut down to the package: `serde-1.0.228/src/de.rs`.
    let cut = !path.starts_with(['/', '\\', '.']) && !first.contains(':');
    if cut && let Some(name) = unversioned(first) {
        return Origin::Library(name);
    }
    while let Some(part) = parts.next() {
        let next = parts.peek().copied();
        match part {
            "library" if last == "rust" || before == "rustc" || (last.len() == 40 && is_hex(last)) => {
                return Origin::Std(next.unwrap_or("std"));
            }
            "src" if last == "registry" => {
                return Origin::Library(parts.nth(1).map_or("", |name| unversioned(name).unwrap_or(name)));
            }
            "checkouts" if last == "git" => return Origin::Library(next.map_or("", without_hash)),
            _ => {}
        }
        // `cargo vendor`, and what Nix and Bazel make of it: `vendor/serde`, `cargo-vendor-dir/serde-1.0.228`.
        let vendored = last == "vendor" || last.contains("vendor") && unversioned(part).is_some();
        if vendored && next.is_some() {
            return Origin::Library(unversioned(part).unwrap_or(part));
        }
        (before, last) = (last, part);
    }
    Origin::Program
}

/// The part of a path that is the same on every machine. For libraries from the folder on that names them, for the program
/// from its `root`, or where that is not known from the last `src`, `tests`, `examples` or `benches` on.
pub(crate) fn shorten(path: &str, root: Option<&str>) -> String {
    let library = origin(path) != Origin::Program;
    if !library
        && let Some(relative) = root.and_then(|root| path.strip_prefix(root))
        && relative.starts_with(['/', '\\'])
    {
        return relative.trim_start_matches(['/', '\\']).replace('\\', "/");
    }
    let parts: Vec<&str> = path.split(['/', '\\']).collect();
    let at = parts.iter().rposition(|part| ROOTS.contains(part));
    match at.and_then(|at| parts.get(at.saturating_sub(usize::from(library))..)) {
        Some(tail) if !tail.is_empty() => tail.join("/"),
        _ => parts.last().copied().unwrap_or(path).to_owned(),
    }
}

/// The module that a file holds: `tokio::runtime::task`, `crate::orders::pay`. The folder in which a program was built says
/// nothing of its name, so that is `crate`.
pub(crate) fn module(path: &str) -> Option<String> {
    let stem = path.strip_suffix(".rs")?;
    let parts: Vec<&str> = stem.split(['/', '\\']).collect();
    let root = parts.iter().rposition(|part| ROOTS.contains(part))?;
    let mut module = match origin(path) {
        Origin::Std(name) | Origin::Library(name) if !name.is_empty() => name.replace('-', "_"),
        _ => "crate".to_owned(),
    };
    for part in parts.get(root + 1..)?.iter().filter(|part| !matches!(**part, "lib" | "main" | "mod")) {
        module.push_str("::");
        module.push_str(&part.replace('-', "_"));
    }
    Some(module)
}

/// `serde_json` of `serde_json-1.0.149`.
fn unversioned(folder: &str) -> Option<&str> {
    folder.match_indices('-').find_map(|(dash, _)| {
        let (name, version) = (folder.get(..dash)?, folder.get(dash + 1..)?);
        let mut numbers = version.split('.');
        let digits = |text: Option<&str>| text.is_some_and(|t| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit()));
        let starts = |text: Option<&str>| text.is_some_and(|t| t.starts_with(|c: char| c.is_ascii_digit()));
        (!name.is_empty() && digits(numbers.next()) && digits(numbers.next()) && starts(numbers.next())).then_some(name)
    })
}

/// `sqlx` of `sqlx-0123456789abcdef`.
fn without_hash(folder: &str) -> &str {
    match folder.rsplit_once('-') {
        Some((name, hash)) if hash.len() == 16 && is_hex(hash) => name,
        _ => folder,
    }
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_known_by_where_cargo_keeps_them() {
        for (path, expected) in [
            ("/home/ana/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/tokio-1.54.1/src/task.rs", "tokio"),
            (
                r"C:\Users\ana\.cargo\registry\src\index.crates.io-1949cf8c6b5b557f\serde_json-1.0.149\src\de.rs",
                "serde_json",
            ),
            ("/Users/ana/.cargo/git/checkouts/sqlx-0123456789abcdef/9f3c2a1/sqlx-core/src/pool.rs", "sqlx"),
            ("/srv/shop/vendor/reqwest/src/client.rs", "reqwest"),
            ("/build/cargo-vendor-dir/tower-http-0.7.1/src/lib.rs", "tower-http"),
            ("hyper-1.8.1/src/proto/h1/mod.rs", "hyper"),
        ] {
            assert_eq!(origin(path), Origin::Library(expected), "{path}");
        }
        for (path, expected) in [
            ("/rustc/59807616e1fa2540724bfbac14d7976d7e4a3860/library/core/src/result.rs", "core"),
            (
                "/Users/ana/.rustup/toolchains/stable-aarch64-apple-darwin/lib/rustlib/src/rust/library/std/src/rt.rs",
                "std",
            ),
        ] {
            assert_eq!(origin(path), Origin::Std(expected), "{path}");
        }
    }

    #[test]
    fn everything_else_is_the_program() {
        for path in [
            "/home/ana/shop/src/main.rs",
            "/home/ana/shop/crates/orders/src/pay.rs",
            "/build/shop-1.4.2/src/main.rs", // a release that was unpacked to be built
            "src/main.rs",
            "crates/orders/src/pay.rs",
            "/Users/ana/library/src/main.rs",
            "/srv/registry/server/src/main.rs",
            r"C:\work\shop\src\main.rs",
            "/srv/vendor.rs",
            "",
        ] {
            assert_eq!(origin(path), Origin::Program, "{path}");
        }
    }

    #[test]
    fn paths_are_the_same_on_every_machine() {
        for (path, expected) in [
            ("/home/ana/shop/src/orders/pay.rs", "src/orders/pay.rs"),
            ("/ci/.cargo/registry/src/index/tokio-1.54.1/src/task.rs", "tokio-1.54.1/src/task.rs"),
            ("src/main.rs", "src/main.rs"),
            (
                "/rustc/59807616e1fa2540724bfbac14d7976d7e4a3860/library/core/src/ops/function.rs",
                "core/src/ops/function.rs",
            ),
            ("/opt/main.rs", "main.rs"),
        ] {
            assert_eq!(shorten(path, None), expected, "{path}");
        }
        assert_eq!(shorten("/ci/shop/crates/pay/src/lib.rs", Some("/ci/shop")), "crates/pay/src/lib.rs");
        assert_eq!(shorten(r"C:\shop\crates\pay\src\lib.rs", Some(r"C:\shop")), "crates/pay/src/lib.rs");
        assert_eq!(shorten("/ci/shop-old/src/lib.rs", Some("/ci/shop")), "src/lib.rs");
    }

    #[test]
    fn a_file_is_a_module() {
        for (path, expected) in [
            (
                "/x/.cargo/registry/src/index/futures-util-0.3.34/src/future/future/map.rs",
                "futures_util::future::future::map",
            ),
            ("/rustc/59807616e1fa2540724bfbac14d7976d7e4a3860/library/core/src/result.rs", "core::result"),
            ("/home/ana/shop/crates/orders/src/pay/mod.rs", "crate::pay"),
            ("/home/ana/shop/src/main.rs", "crate"),
        ] {
            assert_eq!(module(path).as_deref(), Some(expected), "{path}");
        }
        assert_eq!(module("./csu/libc-start.c"), None);
    }
}
