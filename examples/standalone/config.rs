//! The configuration: environment variables, and a `.env` file for what they leave open.
//!
//! A value that is wrong stops the start with one line that names the variable, the value and what would be right.

mod channels;

use errtrack::{
    notify::Channel,
    web::{AllowedTargets, InvalidOidc, Oidc, Origins, RateLimits, Redis, Target, TrustedProxies},
};
use std::{
    collections::HashMap,
    fmt, fs, io,
    net::IpAddr,
    path::{Path, PathBuf},
    time::Duration,
};

/// Everything that the standalone server can be told.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) host: IpAddr,
    pub(crate) port: u16,
    pub(crate) database: String,
    pub(crate) environment: String,
    pub(crate) api_key: Option<String>,
    pub(crate) admin: Option<Admin>,
    pub(crate) public_url: Option<String>,
    pub(crate) log_level: &'static str,
    pub(crate) retention: Duration,
    pub(crate) events_per_issue: u32,
    pub(crate) max_body: usize,
    pub(crate) allowed_origins: Origins,
    pub(crate) monitor: Vec<Target>,
    pub(crate) allowed_targets: AllowedTargets,
    pub(crate) channels: Vec<Channel>,
    pub(crate) rate_limits: RateLimits,
    pub(crate) trusted_proxies: TrustedProxies,
    pub(crate) redis: Option<Redis>,
    pub(crate) oidc: Option<Oidc>,
    /// Who gets a mail for every new issue and every regression.
    pub(crate) alert_emails: Vec<String>,
    /// Notifications that a channel gets within an hour.
    pub(crate) notifications_per_hour: u32,
}

/// The owner's account.
#[derive(Debug, PartialEq)]
pub(crate) struct Admin {
    pub(crate) email: String,
    pub(crate) password: String,
}

impl Config {
    /// Where the data is, for people: a path, or server and database without the password.
    pub(crate) fn data(&self) -> &str {
        match self.database.strip_prefix("sqlite://") {
            Some(path) => path,
            None => {
                let before = self.database.split('?').next().unwrap_or_default();
                let place = before.split_once("://").map_or(before, |(_, place)| place);
                place.rsplit('@').next().unwrap_or_default()
            }
        }
    }

    /// The key that opens everything while developing on this machine alone.
    pub(crate) fn development_key(&self) -> Option<&'static str> {
        (self.environment == "development" && self.host.is_loopback()).then_some("test-api-key")
    }

    /// The folder for what waits while the database is away: beside the SQLite file, else in `data`.
    pub(crate) fn spool(&self) -> PathBuf {
        let file = self.database.strip_prefix("sqlite://").map(|rest| rest.split('?').next().unwrap_or(rest));
        let beside = file.filter(|file| *file != ":memory:").and_then(|file| Path::new(file).parent());
        beside.unwrap_or(Path::new("data")).join("spool")
    }

    /// Reads the environment, and `.env` in the current folder.
    pub(crate) fn load() -> Result<Self, Wrong> {
        let mut variables = match fs::read_to_string(".env") {
            Ok(text) => dotenv(&text)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => HashMap::new(),
            Err(error) => return Err(Wrong::new(".env", "", format!("a file that can be read ({error})"))),
        };
        variables.extend(std::env::vars());
        Self::read(&variables)
    }

    /// Reads the variables of a map.
    pub(crate) fn read(variables: &HashMap<String, String>) -> Result<Self, Wrong> {
        let get = |name: &str| variables.get(name).map(|v| v.trim()).filter(|v| !v.is_empty());
        let admin = match (get("ADMIN_EMAIL"), get("ADMIN_PASSWORD")) {
            (None, None) => None,
            (Some(email), Some(password)) => {
                Some(Admin { email: email_address("ADMIN_EMAIL", email)?, password: password.to_owned() })
            }
            (Some(_), None) => return Err(Wrong::new("ADMIN_PASSWORD", "", "set, because ADMIN_EMAIL is")),
            (None, Some(_)) => return Err(Wrong::new("ADMIN_EMAIL", "", "set, because ADMIN_PASSWORD is")),
        };
        let allowed_targets = get("ALLOWED_TARGETS").map(allowed_targets).transpose()?.unwrap_or_default();
        Ok(Self {
            host: host(get("HOST").unwrap_or("127.0.0.1"))?,
            port: number("PORT", get("PORT"), 8080, 0..=u16::MAX)?,
            database: database(get("DATABASE_URL"), get("DATABASE_PATH"))?,
            environment: get("ENVIRONMENT").unwrap_or("development").to_owned(),
            api_key: get("API_KEY").map(str::to_owned),
            admin,
            public_url: get("PUBLIC_URL").map(public_url).transpose()?,
            log_level: log_level(get("LOG_LEVEL").unwrap_or("info"))?,
            retention: Duration::from_secs(number("RETENTION_DAYS", get("RETENTION_DAYS"), 90, 1..=36_500)? * 86_400),
            events_per_issue: number("EVENTS_PER_ISSUE", get("EVENTS_PER_ISSUE"), 100, 1..=1_000_000)?,
            max_body: number("MAX_BODY_BYTES", get("MAX_BODY_BYTES"), 256 << 10, 1024..=1 << 30)?,
            allowed_origins: origins(get("ALLOWED_ORIGINS").unwrap_or("*"))?,
            monitor: get("MONITOR_URLS").map(monitor).transpose()?.unwrap_or_default(),
            channels: channels::read(get, &allowed_targets)?,
            allowed_targets,
            rate_limits: rate_limits(get)?,
            trusted_proxies: trusted_proxies(get("TRUSTED_PROXIES"))?,
            redis: get("REDIS_URL").map(redis).transpose()?,
            oidc: oidc(get)?,
            alert_emails: get("ALERT_EMAILS").map(alert_emails).transpose()?.unwrap_or_default(),
            notifications_per_hour: number("MAIL_CAP_PER_HOUR", get("MAIL_CAP_PER_HOUR"), 60, 1..=100_000)?,
        })
    }
}

/// Services that can be watched.
const MOST_MONITORED: usize = 100;

/// Variables that are documented, but that nothing here reads yet.
/// A variable whose value is wrong.
#[derive(Debug, PartialEq)]
pub(crate) struct Wrong {
    name: String,
    value: String,
    right: String,
}

impl Wrong {
    fn new(name: &str, value: &str, right: impl Into<String>) -> Self {
        Self { name: name.into(), value: masked(name, value), right: right.into() }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, value, right } = self;
        if value.is_empty() {
            write!(f, "{name}: must be {right}")
        } else {
            write!(f, "{name}={value}: must be {right}")
        }
    }
}

/// A value without what is secret in it: all of a key or password, and the password in a URL.
fn masked(name: &str, value: &str) -> String {
    if ["KEY", "PASSWORD", "SECRET", "TOKEN", "SLACK"].iter().any(|secret| name.contains(secret)) && !value.is_empty() {
        return "****".into();
    }
    let Some((scheme, rest)) = value.split_once("://") else { return value.to_owned() };
    let authority = rest.split('/').next().unwrap_or(rest);
    match authority.rsplit_once('@').map(|(user, _)| user.split_once(':')) {
        Some(Some((user, password))) => {
            format!("{scheme}://{}", rest.replacen(&format!("{user}:{password}@"), &format!("{user}:****@"), 1))
        }
        _ => value.to_owned(),
    }
}

fn host(text: &str) -> Result<IpAddr, Wrong> {
    if text.eq_ignore_ascii_case("localhost") {
        return Ok(IpAddr::from([127, 0, 0, 1]));
    }
    text.parse().map_err(|_| Wrong::new("HOST", text, "an IP address to listen on: 127.0.0.1, 0.0.0.0, ::"))
}

fn number<T>(name: &str, text: Option<&str>, default: T, range: std::ops::RangeInclusive<T>) -> Result<T, Wrong>
where
    T: std::str::FromStr + PartialOrd + fmt::Display,
{
    let Some(text) = text else { return Ok(default) };
    text.parse()
        .ok()
        .filter(|n| range.contains(n))
        .ok_or_else(|| Wrong::new(name, text, format!("a whole number from {} to {}", range.start(), range.end())))
}

fn database(url: Option<&str>, path: Option<&str>) -> Result<String, Wrong> {
    match (url, path) {
        (Some(url), _) if url.starts_with("sqlite://") && url.len() > "sqlite://".len() => Ok(url.to_owned()),
        (Some(url), _)
            if ["postgres://", "postgresql://"].iter().any(|s| url.starts_with(s) && url.len() > s.len()) =>
        {
            Ok(url.to_owned())
        }
        (Some(url), _) => Err(Wrong::new(
            "DATABASE_URL",
            url,
            "sqlite:// and a path, or postgres:// and a database: sqlite://data/errtrack.db, \
             postgres://user:password@host/database",
        )),
        (None, Some(path)) => Ok(format!("sqlite://{path}")),
        (None, None) => Ok("sqlite://data/errtrack.db".into()),
    }
}

/// Addresses between commas.
fn alert_emails(text: &str) -> Result<Vec<String>, Wrong> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts.map(|part| email_address("ALERT_EMAILS", part)).collect()
}

fn email_address(name: &str, text: &str) -> Result<String, Wrong> {
    let whole = text.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty());
    if whole && !text.contains(char::is_whitespace) {
        return Ok(text.to_lowercase());
    }
    Err(Wrong::new(name, text, "an e-mail address: ana@example.com"))
}

fn public_url(text: &str) -> Result<String, Wrong> {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://")).unwrap_or_default();
    let host = rest.split('/').next().unwrap_or_default();
    if host.is_empty() || rest.contains(|c: char| c.is_whitespace() || "?#@".contains(c)) {
        return Err(Wrong::new(
            "PUBLIC_URL",
            text,
            "a URL without a query: https://errors.example.com, or with a path",
        ));
    }
    Ok(text.trim_end_matches('/').to_owned())
}

fn log_level(text: &str) -> Result<&'static str, Wrong> {
    ["error", "warn", "info", "debug"]
        .into_iter()
        .find(|level| *level == text)
        .ok_or_else(|| Wrong::new("LOG_LEVEL", text, "one of error, warn, info, debug"))
}

fn monitor(text: &str) -> Result<Vec<Target>, Wrong> {
    let targets: Result<Vec<Target>, _> = text.split(',').map(str::parse).collect();
    let targets = targets.map_err(|wrong| Wrong::new("MONITOR_URLS", text, format!("{wrong}, between commas")))?;
    if targets.len() > MOST_MONITORED {
        return Err(Wrong::new("MONITOR_URLS", text, format!("{MOST_MONITORED} services at most")));
    }
    Ok(targets)
}

fn allowed_targets(text: &str) -> Result<AllowedTargets, Wrong> {
    let what = "hosts, addresses or networks between commas: billing.internal, 10.1.0.0/16";
    AllowedTargets::new(text.split(',')).map_err(|_| Wrong::new("ALLOWED_TARGETS", text, what))
}

fn origins(text: &str) -> Result<Origins, Wrong> {
    if text == "*" {
        return Ok(Origins::Any);
    }
    let list: Vec<String> = text.split(',').map(|o| o.trim().trim_end_matches('/').to_owned()).collect();
    let right = |origin: &String| {
        let rest = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
        rest.is_some_and(|host| !host.is_empty() && !host.contains(['/', ' ']))
    };
    if list.iter().all(right) {
        return Ok(Origins::These(list));
    }
    Err(Wrong::new("ALLOWED_ORIGINS", text, "* or origins between commas: https://shop.example.com"))
}

fn rate_limits<'a>(get: impl Fn(&str) -> Option<&'a str>) -> Result<RateLimits, Wrong> {
    let mut limits = RateLimits::default();
    for (name, limit) in [
        ("RATE_LIMIT_INGEST", &mut limits.ingest),
        ("RATE_LIMIT_ANALYTICS", &mut limits.analytics),
        ("RATE_LIMIT_API", &mut limits.api),
        ("RATE_LIMIT_IP", &mut limits.address),
    ] {
        *limit = number(name, get(name), *limit, 0..=u32::MAX)?;
    }
    Ok(limits)
}

fn redis(url: &str) -> Result<Redis, Wrong> {
    let right = "redis://[user:password@]host[:port][/database], or rediss:// for TLS";
    Redis::new(url).map_err(|_| Wrong::new("REDIS_URL", url, right))
}

fn oidc<'a>(get: impl Fn(&str) -> Option<&'a str>) -> Result<Option<Oidc>, Wrong> {
    const NAMES: [&str; 3] = ["OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET"];
    let given = NAMES.map(&get);
    let [Some(issuer), Some(id), Some(secret)] = given else {
        let set = NAMES.iter().zip(given).find(|(_, value)| value.is_some());
        let missing = NAMES.iter().zip(given).find(|(_, value)| value.is_none());
        return match (set, missing) {
            (Some((set, _)), Some((name, _))) => Err(Wrong::new(name, "", format!("set, because {set} is"))),
            _ => Ok(None),
        };
    };
    let right = |error| match error {
        InvalidOidc::WithoutTls => "left out: https is not built into this program",
        _ => "a URL like https://accounts.example.com; http is for this machine alone",
    };
    Oidc::new(issuer, id, secret).map(Some).map_err(|error| Wrong::new("OIDC_ISSUER", issuer, right(error)))
}

fn trusted_proxies(text: Option<&str>) -> Result<TrustedProxies, Wrong> {
    let Some(text) = text else { return Ok(TrustedProxies::default()) };
    let right = "addresses or networks between commas: 10.0.0.0/8, ::1";
    TrustedProxies::new(text.split(',')).map_err(|_| Wrong::new("TRUSTED_PROXIES", text, right))
}

/// Reads `NAME=value` lines; `#` begins a comment, quotes around a value are taken off, `export ` before it is allowed.
fn dotenv(text: &str) -> Result<HashMap<String, String>, Wrong> {
    let mut variables = HashMap::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((name, value)) = line.strip_prefix("export ").unwrap_or(line).split_once('=') else {
            return Err(Wrong::new(".env", "", format!("lines of NAME=value; line {} is not", number + 1)));
        };
        let value = value.trim();
        let unquoted = ['"', '\''].into_iter().find_map(|q| value.strip_prefix(q)?.strip_suffix(q));
        let value = unquoted.unwrap_or_else(|| value.split(" #").next().unwrap_or(value).trim());
        variables.insert(name.trim().to_owned(), value.to_owned());
    }
    Ok(variables)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Config, String> {
        let variables = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Config::read(&variables).map_err(|wrong| wrong.to_string())
    }

    #[test]
    fn everything_has_a_default() {
        let config = read(&[]).unwrap();
        assert_eq!((config.port, config.database.as_str()), (8080, "sqlite://data/errtrack.db"));
        assert_eq!(config.development_key(), Some("test-api-key"));
    }

    #[test]
    fn the_development_key_is_for_this_machine_alone() {
        assert_eq!(read(&[("HOST", "0.0.0.0")]).unwrap().development_key(), None);
        assert_eq!(read(&[("ENVIRONMENT", "production")]).unwrap().development_key(), None);
    }

    #[test]
    fn a_wrong_value_is_named_with_what_would_be_right() {
        for (name, value, line) in [
            ("PORT", "http", "PORT=http: must be a whole number from 0 to 65535"),
            ("PORT", "70000", "PORT=70000: must be a whole number from 0 to 65535"),
            ("HOST", "my server", "HOST=my server: must be an IP address to listen on: 127.0.0.1, 0.0.0.0, ::"),
            ("LOG_LEVEL", "loud", "LOG_LEVEL=loud: must be one of error, warn, info, debug"),
            (
                "DATABASE_URL",
                "mysql://u:hunter2@db/x",
                "DATABASE_URL=mysql://u:****@db/x: must be sqlite:// and a path, or postgres:// and a database: \
                 sqlite://data/errtrack.db, postgres://user:password@host/database",
            ),
            ("ADMIN_PASSWORD", "hunter2", "ADMIN_EMAIL: must be set, because ADMIN_PASSWORD is"),
            ("RETENTION_DAYS", "-1", "RETENTION_DAYS=-1: must be a whole number from 1 to 36500"),
            (
                "PUBLIC_URL",
                "errors.example.com",
                "PUBLIC_URL=errors.example.com: must be a URL without a query: https://errors.example.com, or with a path",
            ),
            ("RATE_LIMIT_API", "many", "RATE_LIMIT_API=many: must be a whole number from 0 to 4294967295"),
            (
                "REDIS_URL",
                "http://u:hunter2@cache",
                "REDIS_URL=http://u:****@cache: must be redis://[user:password@]host[:port][/database], or rediss:// for TLS",
            ),
            (
                "TRUSTED_PROXIES",
                "10.0.0.0/8, proxy",
                "TRUSTED_PROXIES=10.0.0.0/8, proxy: must be addresses or networks between commas: 10.0.0.0/8, ::1",
            ),
            (
                "ALLOWED_ORIGINS",
                "shop",
                "ALLOWED_ORIGINS=shop: must be * or origins between commas: https://shop.example.com",
            ),
            (
                "ALLOWED_TARGETS",
                "10.0.0.0/40",
                "ALLOWED_TARGETS=10.0.0.0/40: must be hosts, addresses or networks between commas: billing.internal, 10.1.0.0/16",
            ),
            (
                "MONITOR_URLS",
                "shop=ftp://h",
                "MONITOR_URLS=shop=ftp://h: must be name=url with a url like http://host/path, https://host/path or \
                 tcp://host:port, between commas",
            ),
        ] {
            assert_eq!(read(&[(name, value)]).map(drop), Err(line.to_owned()));
        }
    }

    #[test]
    fn an_issuer_needs_all_three_and_its_secret_is_not_shown() {
        let all =
            [("OIDC_ISSUER", "https://id.example"), ("OIDC_CLIENT_ID", "errtrack"), ("OIDC_CLIENT_SECRET", "hunter2")];
        assert!(read(&all).unwrap().oidc.is_some());
        assert!(read(&[]).unwrap().oidc.is_none());
        for (given, line) in [
            (&all[..1], "OIDC_CLIENT_ID: must be set, because OIDC_ISSUER is"),
            (&all[..2], "OIDC_CLIENT_SECRET: must be set, because OIDC_ISSUER is"),
            (&all[2..], "OIDC_ISSUER: must be set, because OIDC_CLIENT_SECRET is"),
        ] {
            assert_eq!(read(given).map(drop), Err(line.to_owned()));
        }
        let wrong = [("OIDC_ISSUER", "http://id.example"), all[1], all[2]];
        let line = "OIDC_ISSUER=http://id.example: must be a URL like https://accounts.example.com; http is for this machine alone";
        assert_eq!(read(&wrong).map(drop), Err(line.to_owned()));
    }

    #[test]
    fn limits_are_those_of_the_library_unless_set_and_zero_is_none() {
        assert_eq!(read(&[]).unwrap().rate_limits, RateLimits::default());
        let all = ["INGEST", "ANALYTICS", "API", "IP"].map(|name| format!("RATE_LIMIT_{name}"));
        let none: Vec<_> = all.iter().map(|name| (name.as_str(), "0")).collect();
        assert_eq!(read(&none).unwrap().rate_limits, RateLimits::OFF);
    }

    #[test]
    fn where_the_data_is_holds_no_password() {
        for (url, shown) in [
            ("sqlite://data/errtrack.db", "data/errtrack.db"),
            ("postgres://app:hunter2@db:5432/errors?password=hunter2", "db:5432/errors"),
            ("postgresql://app:hun@ter2@db/errors", "db/errors"),
        ] {
            assert_eq!(read(&[("DATABASE_URL", url)]).unwrap().data(), shown);
        }
    }

    #[test]
    fn a_database_path_counts_where_there_is_no_url() {
        assert_eq!(read(&[("DATABASE_PATH", "./x.db")]).unwrap().database, "sqlite://./x.db");
        let both = [("DATABASE_PATH", "./x.db"), ("DATABASE_URL", "sqlite://y.db")];
        assert_eq!(read(&both).unwrap().database, "sqlite://y.db");
    }

    #[test]
    fn the_spool_lies_beside_the_database() {
        for (url, folder) in [
            ("sqlite://data/errtrack.db", "data/spool"),
            ("sqlite:///var/lib/errtrack/e.db?cache=shared", "/var/lib/errtrack/spool"),
            ("sqlite://e.db", "spool"),
            ("sqlite://:memory:", "data/spool"),
        ] {
            assert_eq!(read(&[("DATABASE_URL", url)]).unwrap().spool(), Path::new(folder), "{url}");
        }
    }

    #[test]
    fn a_file_of_variables_may_have_comments_and_quotes() {
        let read = dotenv("# mine\nexport PORT=9000 # not 80\n\nADMIN_PASSWORD=\"a # b\"\n").unwrap();
        assert_eq!(read["PORT"], "9000");
        assert_eq!(read["ADMIN_PASSWORD"], "a # b");
        assert_eq!(dotenv("PORT 9000").unwrap_err().to_string(), ".env: must be lines of NAME=value; line 1 is not");
    }
}
