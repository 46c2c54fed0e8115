//! What is installed and not written for the program, by language: by folders, and by packages where no file is known.

use crate::{
    Frame,
    grouping::{crates, function::rust_crate, language::Language, runtime::path},
    symbols::{Origin, origin},
};

const PYTHON: [&str; 4] = ["site-packages", "dist-packages", "var/runtime", "opt/python"];

/// What bundlers and engines bring, and what extensions put into a page.
const JAVASCRIPT: [&str; 19] = [
    "node_modules",
    "node:",
    "webpack/bootstrap",
    "webpack/runtime",
    "webpack:///~/",
    "chrome-extension://",
    "moz-extension://",
    "ms-browser-extension://",
    "safari-extension://",
    "safari-web-extension://",
    "webkit-masked-url://",
    "<anonymous>",
    "[native code]",
    ".pnp.cjs",
    "InternalBytecode.js",
    "//deno.land/std",
    "//jsr.io/@std",
    "ext:deno_",
    "ext:core/",
];

/// Hosts that serve the scripts of others.
const CDNS: [&str; 9] = [
    "cdn.jsdelivr.net",
    "unpkg.com",
    "esm.sh",
    "cdnjs.cloudflare.com",
    "ajax.googleapis.com",
    "code.jquery.com",
    "www.googletagmanager.com",
    "www.google-analytics.com",
    "connect.facebook.net",
];

const JAVA: [&str; 66] = [
    "java.",
    "javax.",
    "jakarta.",
    "jdk.",
    "sun.",
    "com.sun.",
    "oracle.",
    "kotlin.",
    "kotlinx.",
    "scala.",
    "groovy.",
    "clojure.",
    "android.",
    "androidx.",
    "com.android.",
    "dalvik.",
    "libcore.",
    "org.springframework.",
    "org.apache.",
    "org.hibernate.",
    "org.jboss.",
    "org.wildfly.",
    "org.eclipse.jetty.",
    "org.glassfish.",
    "org.codehaus.",
    "org.aspectj.",
    "org.slf4j.",
    "org.postgresql.",
    "org.mariadb.",
    "org.mybatis.",
    "org.jooq.",
    "org.flywaydb.",
    "org.quartz.",
    "org.junit.",
    "org.mockito.",
    "org.jetbrains.",
    "io.netty.",
    "io.undertow.",
    "io.vertx.",
    "io.micronaut.",
    "io.quarkus.",
    "io.ktor.",
    "io.grpc.",
    "io.reactivex.",
    "io.lettuce.",
    "io.micrometer.",
    "io.opentelemetry.",
    "reactor.",
    "rx.",
    "akka.",
    "play.",
    "feign.",
    "graphql.",
    "okhttp3.",
    "okio.",
    "retrofit2.",
    "net.bytebuddy.",
    "ch.qos.logback.",
    "com.zaxxer.",
    "com.fasterxml.",
    "com.google.",
    "com.mysql.",
    "com.mongodb.",
    "com.netflix.",
    "com.amazonaws.",
    "software.amazon.",
];

/// The first folders of Go's standard library. A program's packages begin with the name of its module.
const GO: [&str; 41] = [
    "archive",
    "bufio",
    "bytes",
    "cmp",
    "compress",
    "container",
    "context",
    "crypto",
    "database",
    "debug",
    "embed",
    "encoding",
    "errors",
    "expvar",
    "flag",
    "fmt",
    "hash",
    "html",
    "image",
    "internal",
    "io",
    "iter",
    "log",
    "maps",
    "math",
    "mime",
    "net",
    "os",
    "path",
    "reflect",
    "regexp",
    "runtime",
    "slices",
    "sort",
    "strconv",
    "strings",
    "sync",
    "syscall",
    "testing",
    "text",
    "time",
];

const RUBY: [&str; 4] = ["gems", "lib/ruby", "vendor/bundle", "usr/share/rubygems-integration"];

const PHP: [&str; 4] = ["vendor", "usr/share/php", "wp-includes", "wp-admin"];

const CSHARP: [&str; 32] = [
    "System.",
    "Microsoft.",
    "Internal.",
    "Interop.",
    "Mono.",
    "UnityEngine.",
    "UnityEditor.",
    "Newtonsoft.",
    "Npgsql.",
    "MySql.",
    "MySqlConnector.",
    "MongoDB.",
    "Oracle.",
    "StackExchange.",
    "Dapper.",
    "AutoMapper.",
    "MediatR.",
    "FluentValidation.",
    "Polly.",
    "Serilog.",
    "NLog.",
    "Hangfire.",
    "Quartz.",
    "MassTransit.",
    "RabbitMQ.",
    "Grpc.",
    "Google.",
    "Azure.",
    "Amazon.",
    "Swashbuckle.",
    "Xunit.",
    "NUnit.",
];

/// Applications of OTP and packages, as Elixir names them beside the place.
const ELIXIR: [&str; 62] = [
    "elixir",
    "stdlib",
    "kernel",
    "erts",
    "compiler",
    "crypto",
    "ssl",
    "public_key",
    "inets",
    "mnesia",
    "logger",
    "mix",
    "iex",
    "eex",
    "ex_unit",
    "phoenix",
    "phoenix_html",
    "phoenix_live_view",
    "phoenix_live_dashboard",
    "phoenix_pubsub",
    "phoenix_ecto",
    "phoenix_template",
    "plug",
    "plug_cowboy",
    "plug_crypto",
    "cowboy",
    "cowlib",
    "ranch",
    "bandit",
    "thousand_island",
    "websock_adapter",
    "ecto",
    "ecto_sql",
    "postgrex",
    "myxql",
    "db_connection",
    "decimal",
    "jason",
    "poison",
    "telemetry",
    "oban",
    "broadway",
    "gen_stage",
    "absinthe",
    "dataloader",
    "tesla",
    "hackney",
    "finch",
    "mint",
    "req",
    "httpoison",
    "nimble_pool",
    "nimble_options",
    "swoosh",
    "bamboo",
    "gettext",
    "timex",
    "redix",
    "quantum",
    "ex_aws",
    "guardian",
    "sentry",
];

/// Whether a frame lies where the language keeps what was installed; `has_files` if the program's own frames on this stack
/// have files.
pub(super) fn is_library(frame: &Frame, language: Language, has_files: bool) -> bool {
    let path = path(frame);
    let module = frame.module.as_deref().unwrap_or_default();
    let holds = |marks: &[&str]| marks.iter().any(|mark| path.contains(mark));
    let lies = |folders: &[&str]| folders.iter().any(|folders| within(path, folders));
    let begins = |packages: &[&str]| packages.iter().any(|package| module.starts_with(package));
    match language {
        Language::Rust => is_rust(frame, has_files),
        Language::Python => lies(&PYTHON) || path.contains("\\Lib\\") || is_python_std(path),
        Language::JavaScript => holds(&JAVASCRIPT) || path.starts_with("internal/") || is_of_cdn(path),
        Language::Java => begins(&JAVA),
        Language::Go => lies(&["pkg/mod", "vendor"]) || path.contains("@v") || is_go_std(path),
        Language::Ruby => lies(&RUBY) || path.starts_with("<internal:"),
        Language::Php => lies(&PHP) || path.starts_with("phar:"),
        Language::CSharp => begins(&CSHARP),
        Language::Elixir => {
            within(path, "deps") || frame.package.as_deref().is_some_and(|package| ELIXIR.contains(&package))
        }
        Language::Other => holds(&["/usr/lib/", "/usr/include/", "/System/Library/"]),
    }
}

/// A Rust frame is known by its file, else by its crate.
fn is_rust(frame: &Frame, has_files: bool) -> bool {
    let path = path(frame);
    if path.ends_with(".rs") {
        return origin(path) != Origin::Program;
    }
    let name = frame.function.as_deref().and_then(rust_crate);
    name.is_some_and(|name| has_files || crates::is_library(name))
}

/// Whether a path goes through folders, one after the other and apart by `/`; in the path by `\\` too.
fn within(path: &str, folders: &str) -> bool {
    let mut rest = path.as_bytes();
    let alike = |(byte, wanted): (&u8, u8)| *byte == wanted || *byte == b'\\' && wanted == b'/';
    loop {
        let is_apart = matches!(rest.get(folders.len()), Some(b'/' | b'\\'));
        if is_apart && rest.iter().zip(folders.bytes()).all(alike) {
            return true;
        }
        let Some(end) = rest.iter().position(|byte| matches!(byte, b'/' | b'\\')) else { return false };
        rest = rest.get(end + 1..).unwrap_or_default();
    }
}

/// `/usr/lib/python3.11/threading.py`, `/usr/lib/pypy3.10/threading.py`, and what the interpreter itself holds.
fn is_python_std(path: &str) -> bool {
    let behind =
        |folder| path.split_once(folder).is_some_and(|(_, rest)| rest.starts_with(|c: char| c.is_ascii_digit()));
    behind("/lib/python") || behind("/lib/pypy") || path.starts_with("<frozen ") || path.ends_with(" internals>")
}

fn is_of_cdn(path: &str) -> bool {
    let host = path.split_once("://").and_then(|(_, rest)| rest.split('/').next());
    host.is_some_and(|host| CDNS.contains(&host))
}

/// A file of `GOROOT`, wherever that is; with `-trimpath` the path begins below it.
fn is_go_std(path: &str) -> bool {
    let is_std = |path: &str| path.split(['/', '\\']).next().is_some_and(|first| GO.contains(&first));
    if is_std(path) {
        return true;
    }
    // `/usr/local/go/src/`, `/usr/lib/go-1.22/src/`, `…/go/1.22.0/x64/src/`, `…/libexec/src/`.
    let Some((root, below)) = path.split_once("/src/").or_else(|| path.split_once("\\src\\")) else { return false };
    let mut folders = root.rsplit(['/', '\\']);
    let last = folders.next().unwrap_or_default();
    let is_root = last.eq_ignore_ascii_case("go") || last.starts_with("go-") || last.starts_with("go1");
    (is_root || matches!(last, "x64" | "arm64" | "libexec")) && is_std(below)
}
