//! Where the tests find a PostgreSQL server.

use std::io::Write;

/// A schema of its own on the server of `ERRTRACK_TEST_POSTGRES` (a superuser's URL), as a URL to open; `None`, and a line
/// that says so, if there is no server.
pub(crate) fn postgres() -> Option<String> {
    let Some(server) = std::env::var("ERRTRACK_TEST_POSTGRES").ok().filter(|url| !url.is_empty()) else {
        let test = std::thread::current().name().unwrap_or("a test").to_owned();
        let says = format!("skipped: {test} needs PostgreSQL (ERRTRACK_TEST_POSTGRES)");
        assert_ne!(std::env::var("ERRTRACK_REQUIRE_SERVICES").as_deref(), Ok("1"), "{says}");
        let _ = writeln!(std::io::stderr(), "{says}");
        return None;
    };
    let separator = if server.contains('?') { '&' } else { '?' };
    Some(format!("{server}{separator}schema=t_{}", uuid::Uuid::new_v4().simple()))
}
