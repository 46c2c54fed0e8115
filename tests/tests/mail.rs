//! Mails as a server that somebody else has written gets them: of everything that is told, by each way, on both databases.

use anyhow::{Context, Result, ensure};
use errtrack::{
    SqlStore, Timestamp, Tracker,
    store::{LeaseStore, OutboxState},
};
use errtrack_tests::{Client, Database, Mail, MailServer, Server, Way, on_both, skip};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use tokio::{process::Command, time::timeout};
use uuid::Uuid;

on_both!(
    a_mail_of_each_kind_arrives_by_each_way_and_can_be_read_on_a_phone
    what_cannot_be_sent_safely_is_not_sent_and_says_why
);

/// Where the dashboard is, seen from outside.
const PUBLIC: &str = "https://errors.example.com/ops";
/// Whom a channel tells if nobody says otherwise.
const TEAM: &str = "team@example.com";
/// The channels, and how each of them reaches the server.
const WAYS: [(&str, Way); 3] = [("email", Way::StartTls), ("plain", Way::Plain), ("tls", Way::Tls)];

/// A server with mail, and somebody who uses it.
struct Desk {
    client: Client,
    key: String,
    /// Asks the alert rules by a clock of the test's own; nobody else does.
    tracker: Tracker,
    at: Timestamp,
    _server: Server,
}

impl Desk {
    async fn start(database: &Database, mail: &MailServer) -> Result<Self> {
        let store = SqlStore::open(&database.url).await?;
        let builder = Tracker::builder().project("default").alert_emails([TEAM]).store(store.clone());
        // Before anybody else can ask for it.
        ensure!(store.lease("alerts", Uuid::new_v4(), Duration::from_secs(3_600)).await?);
        let tracker = builder.build().await?;
        let (url, certificate) = (mail.url(Way::StartTls), mail.certificate());
        let mut tries = 0;
        let server = loop {
            // Somebody else may take it before the server does.
            let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port().to_string();
            let variables = [
                ("DATABASE_URL", database.url.as_str()),
                ("PORT", &port),
                ("PUBLIC_URL", PUBLIC),
                ("SMTP_URL", &url),
                ("SMTP_FROM", "Errors <errors@example.com>"),
                ("ALERT_EMAILS", TEAM),
                ("ALLOWED_TARGETS", "localhost"),
                ("SSL_CERT_FILE", certificate.to_str().context("a path of letters")?),
            ];
            tries += 1;
            match Server::start(database.folder.path(), &variables).await {
                Err(error) if tries < 3 => eprintln!("{error}"),
                started => break started?,
            }
        };
        let dsn = server.banner.lines().find_map(|line| line.trim().strip_prefix("DSN ")).context("a DSN")?;
        let key = dsn.trim().split(['/', '@']).nth(2).context("a key")?.to_owned();
        // All that happens is dated so, as half of it happens later.
        let at = Timestamp::now().minus(Duration::from_secs(1_200));
        let client = server.client().header("content-type", "application/json");
        Ok(Self { client, key, tracker, at, _server: server })
    }

    async fn ask(&mut self, method: &str, path: &str, body: &Value) -> Result<Value> {
        let answer = self.client.send(method.parse()?, path, body.to_string()).await?;
        ensure!(answer.status.is_success(), "{method} {path} {body}: {} {}", answer.status, answer.text());
        Ok(answer.json()["data"].take())
    }

    async fn channel(&mut self, name: &str, url: &str) -> Result<()> {
        let config = json!({"smtp_url": url, "from_email": "Errors <errors@example.com>", "to": TEAM});
        let body = json!({"type": "email", "config": config});
        self.ask("PUT", &format!("/api/settings/integrations/{name}"), &body).await.map(drop)
    }

    /// Makes a rule that tells somebody of its own by every channel.
    async fn rule(&mut self, name: &str, channels: &[&str], mut rule: Value) -> Result<()> {
        rule["name"] = name.into();
        rule["notifications"] = json!(channels);
        rule["recipients"] = json!([format!("{name}@example.com")]);
        self.ask("POST", "/api/alerts/rules", &rule).await.map(drop)
    }

    /// Reports an event as an SDK does.
    async fn report(&mut self, event: Value) -> Result<()> {
        let path = format!("/api/1/envelope/?sentry_key={}", self.key);
        let answer = self.client.post(&path, format!("{{}}\n{{\"type\":\"event\"}}\n{event}\n")).await?;
        ensure!(answer.status.is_success(), "{}: {}", answer.status, answer.text());
        Ok(())
    }

    /// Waits until an issue has had so many events: while the database is slow, what was reported waits outside of it.
    async fn has(&mut self, issue: &str, events: u64) -> Result<()> {
        let start = Instant::now();
        loop {
            let answer = self.client.get(&format!("/api/errors/{issue}")).await?;
            if answer.json()["data"]["count"] == events {
                return Ok(());
            }
            ensure!(start.elapsed() < Duration::from_secs(60), "{issue} needs {events} events: {}", answer.text());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Lets the rules decide, so many minutes after it all happened.
    async fn decide(&self, minutes: u64) -> Result<()> {
        self.tracker.evaluate_alerts(self.at.plus(Duration::from_secs(minutes * 60))).await?;
        Ok(())
    }
}

fn payment(at: Timestamp, release: &str) -> Value {
    let frame = |function: &str, file: &str, line: u32, own: bool| json!({"function": function, "filename": file, "lineno": line, "in_app": own});
    let frames = json!([
        frame("tokio::runtime::park", "tokio/src/park.rs", 1, false),
        frame("shop::checkout", "src/checkout.rs", 40, true),
        frame("shop::pay", "src/pay.rs", 17, true),
    ]);
    let exception =
        json!({"type": "PaymentError", "value": "card <declined> & more", "stacktrace": {"frames": frames}});
    json!({
        "event_id": Uuid::new_v4().simple().to_string(), "timestamp": at, "level": "error", "release": release,
        "environment": "production", "user": {"id": "u1"}, "exception": {"values": [exception]},
    })
}

fn other(at: Timestamp, ty: &str, level: &str, value: &str) -> Value {
    json!({
        "event_id": Uuid::new_v4().simple().to_string(), "timestamp": at, "level": level,
        "exception": {"values": [{"type": ty, "value": value}]},
    })
}

async fn a_mail_of_each_kind_arrives_by_each_way_and_can_be_read_on_a_phone(database: Database) -> Result<()> {
    let Some(mail) = MailServer::start().await? else { return Ok(()) };
    let mut desk = Desk::start(&database, &mail).await?;
    let channels = WAYS.map(|(name, _)| name);
    for (name, way) in &WAYS[1..] {
        desk.channel(name, &mail.url(*way)).await?;
    }
    for trigger in ["new_issue", "regression", "milestone", "spike", "unignored", "new_in_release"] {
        desk.rule(trigger, &channels, json!({"trigger": trigger})).await?;
    }
    desk.rule("digest", &channels, json!({"trigger": "new_issue", "digest": "5m"})).await?;
    let condition = json!({"condition": "error_count >= 3 in 5m where level = fatal"});
    desk.rule("condition", &channels, condition).await?;

    let at = desk.at;
    desk.report(payment(at, "shop@1.0.0")).await?;
    desk.has("DEFAULT-1", 1).await?;
    desk.decide(0).await?;
    desk.ask("PUT", "/api/errors/DEFAULT-1/resolve", &json!({})).await?;
    desk.report(payment(at, "shop@1.0.0")).await?;
    desk.has("DEFAULT-1", 2).await?;
    desk.decide(0).await?;
    for _ in 2..10 {
        desk.report(payment(at, "shop@1.1.0")).await?;
    }
    desk.has("DEFAULT-1", 10).await?;
    desk.decide(0).await?;
    desk.ask("PUT", "/api/errors/DEFAULT-1/ignore", &json!({"until_count": 12})).await?;
    for _ in 10..12 {
        desk.report(payment(at, "shop@1.1.0")).await?;
    }
    desk.has("DEFAULT-1", 12).await?;
    desk.decide(0).await?;
    for hours in 1..100 {
        desk.report(other(at.minus(Duration::from_secs(hours * 3_600)), "SlowQuery", "warning", "it took long"))
            .await?;
    }
    for _ in 0..90 {
        desk.report(other(at, "SlowQuery", "warning", "it took long")).await?;
    }
    for _ in 0..3 {
        desk.report(other(at, "OutOfMemory", "fatal", &format!("{}/<script>", "x".repeat(400)))).await?;
    }
    desk.has("DEFAULT-2", 189).await?;
    desk.has("DEFAULT-3", 3).await?;
    desk.decide(0).await?;
    desk.decide(10).await?;
    let incident = json!({"title": "Checkout is down", "severity": "high", "channels": channels});
    let incident = desk.ask("POST", "/api/alerts/incidents", &incident).await?;
    let incident = format!("incidents/{}", incident["id"].as_str().context("an id")?);
    desk.ask("PUT", &format!("/api/alerts/{incident}"), &json!({"status": "identified"})).await?;
    for name in channels {
        let tested = desk.ask("POST", &format!("/api/settings/integrations/{name}/test"), &json!({})).await?;
        ensure!(tested["delivered"] == true, "{tested}");
    }
    let invited = json!({"email": "jun@example.com", "role": "viewer"});
    let invited = desk.ask("POST", "/api/settings/team/invite", &invited).await?;

    let issue = "issues/DEFAULT-1";
    let told = "[default] ";
    // Whom it is to, what the subject says, which page it leads to, and what else stands in it.
    let expected: [(&str, &str, &str, &[&str]); 12] = [
        (
            "new_issue",
            "New issue: PaymentError: card <declined> & more",
            issue,
            &["Events: 1, 1 user", "Release: shop@1.0.0", "Environment: production", "Level: error"],
        ),
        (
            "regression",
            "Regression: PaymentError",
            issue,
            &["Events: 2, 1 user", "It was resolved, and happened again."],
        ),
        ("new_in_release", "New in shop@1.1.0: PaymentError", issue, &["Release: shop@1.1.0"]),
        ("milestone", "10 events: PaymentError", issue, &["Events: 10, 1 user"]),
        ("unignored", "No longer ignored: PaymentError", issue, &["Events: 12"]),
        ("spike", "Spike: SlowQuery: it took long", "issues/DEFAULT-2", &["90 events this hour", "Level: warning"]),
        (
            "condition",
            "condition",
            "alerts",
            &["error_count >= 3 in 5m where level = fatal", "Measured: 3 (threshold 3)"],
        ),
        ("condition", "Recovered: condition", "alerts", &["Measured: 0 (threshold 3)"]),
        ("digest", "3 notifications in one", "", &["New: DEFAULT-1 PaymentError", "/issues/DEFAULT-3"]),
        ("team", "Incident investigating: Checkout is down", &incident, &["Severity: high"]),
        ("team", "Incident identified: Checkout is down", &incident, &["Status: identified"]),
        ("team", "This channel works", "", &["Sent by"]),
    ];
    let mut pages = Vec::new();
    for (whom, subject, path, needles) in expected {
        let to = format!("{whom}@example.com");
        // What is not about a project is about the program.
        let is_it = |mail: &Mail| {
            let whole = [told, "[errtrack] "].map(|about| format!("{about}{subject}"));
            mail.to == [to.as_str()] && whole.iter().any(|whole| mail.subject.starts_with(whole))
        };
        let mails = mail.wait_for(subject, WAYS.len(), is_it).await?;
        let ways: BTreeSet<Way> = mails.iter().map(|mail| mail.way).collect();
        assert_eq!((mails.len(), ways), (WAYS.len(), WAYS.map(|(_, way)| way).into()), "{subject}: once by each");
        for mail in &mails {
            look(mail, &to)?;
            let link = if path.is_empty() { PUBLIC.to_owned() } else { format!("{PUBLIC}/{path}") };
            for needle in needles.iter().copied().chain([link.as_str()]) {
                ensure!(mail.text.contains(needle), "{needle} is not in {}", mail.text);
                let (html, needle) = (words(&mail.html), needle.replace('&', "&amp;").replace('>', "&gt;"));
                ensure!(html.contains(&needle), "{needle} is not in {html}");
            }
            if path == issue {
                ensure!(
                    mail.text.contains("\n  at shop::pay (src/pay.rs:17)\n  at shop::checkout (src/checkout.rs:40)\n")
                );
                ensure!(!mail.text.contains("tokio::runtime"), "frames of one's own: {}", mail.text);
            }
        }
        pages.extend(mails.into_iter().find(|mail| mail.way == Way::Tls));
    }
    let of_issue = |mail: &Mail| mail.text.contains("Issue: DEFAULT-1\n");
    let threads: BTreeSet<String> =
        mail.mails().iter().filter(|mail| of_issue(mail)).map(|mail| mail.header("references").to_owned()).collect();
    assert_eq!(threads.len(), 1, "what is about one issue stands together: {threads:?}");

    // Whom the program itself names hears of new issues and regressions, by the channel that it names.
    for what in ["New issue: PaymentError", "Regression: PaymentError"] {
        let is_it = |mail: &Mail| mail.to == [TEAM] && mail.subject.contains(what);
        let mails = mail.wait_for(what, 1, is_it).await?;
        assert_eq!(mails.iter().map(|mail| mail.way).collect::<Vec<_>>(), [Way::StartTls], "{what}");
    }
    let invitation = mail.wait_for("invitations", 1, |mail| mail.to == ["jun@example.com"]).await?.remove(0);
    look(&invitation, "jun@example.com")?;
    let link = invited["invite_url"].as_str().context("a link")?;
    ensure!(link.starts_with(&format!("{PUBLIC}/")) && invitation.text.contains(link), "{}", invitation.text);
    ensure!(invitation.html.contains(&format!("href=\"{link}\"")), "{}", invitation.html);
    let keys: BTreeSet<String> = mail.mails().iter().map(|mail| mail.header("message-id").to_owned()).collect();
    assert_eq!(keys.len(), mail.mails().len(), "each has a name of its own");
    assert!(mail.logins().iter().all(|login| login.ok && login.secure == (login.way != Way::Plain)));

    pages.push(invitation);
    pages.extend(mail.mails().into_iter().filter(|mail| mail.way == Way::Tls && mail.subject.contains("OutOfMemory")));
    read_on_a_phone(database.folder.path(), &pages).await
}

/// What every mail must be, whatever it says.
fn look(mail: &Mail, to: &str) -> Result<()> {
    assert_eq!((mail.secure, mail.user.as_deref()), (mail.way != Way::Plain, Some("errtrack")));
    assert_eq!((mail.from.as_str(), mail.to.as_slice()), ("errors@example.com", [to.to_owned()].as_slice()));
    assert_eq!((mail.header("from"), mail.header("to")), ("Errors <errors@example.com>", to));
    let id = mail.header("message-id");
    let key = id.strip_prefix('<').and_then(|id| id.strip_suffix("@example.com>")).context("a name")?;
    assert_eq!(mail.header("x-errtrack-delivery"), key.parse::<Uuid>()?.to_string());
    assert_eq!(mail.header("auto-submitted"), "auto-generated");
    assert_eq!(mail.parts, ["multipart/alternative", "text/plain", "text/html"], "the best stands last");
    ensure!(mail.header("date").ends_with("+0000"), "{}", mail.header("date"));
    assert_eq!(mail.header("in-reply-to"), mail.header("references"));
    let is_about_one = mail.text.contains("\nIssue: ");
    assert_eq!(mail.header("references").starts_with("<issue-"), is_about_one, "{}", mail.text);
    let links = mail.html.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap_or_default());
    for link in links {
        ensure!(link == PUBLIC || link.starts_with(&format!("{PUBLIC}/")), "{link} leads elsewhere");
    }
    Ok(())
}

/// HTML without its tags, but with where it leads.
fn words(html: &str) -> String {
    let mut words = String::new();
    for part in html.split('<') {
        let (tag, text) = part.split_once('>').unwrap_or(("", part));
        words.push_str(tag.split("href=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default());
        words.push_str(text);
    }
    words
}

/// Shows mails in Chromium, as wide as a phone is.
async fn read_on_a_phone(folder: &Path, mails: &[Mail]) -> Result<()> {
    let chromium = std::env::var_os("CHROMIUM").map_or_else(|| "/usr/bin/chromium".into(), PathBuf::from);
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser");
    if !chromium.exists() || !program.join("node_modules/playwright-core").exists() {
        return skip("Chromium and node packages (npm ci --prefix tests/browser)");
    }
    let pages = folder.join("mails");
    fs::create_dir_all(&pages)?;
    for (number, mail) in mails.iter().enumerate() {
        fs::write(pages.join(format!("{number:02}.html")), &mail.html)?;
    }
    let mut node = Command::new("node");
    node.arg("mails.mjs").arg(&pages).current_dir(program).env("CHROMIUM", chromium).kill_on_drop(true);
    let status = timeout(Duration::from_secs(120), node.status()).await.context("the browser took too long")??;
    ensure!(status.success(), "what it saw stands above");
    Ok(())
}

async fn what_cannot_be_sent_safely_is_not_sent_and_says_why(database: Database) -> Result<()> {
    let Some(mail) = MailServer::start().await? else { return Ok(()) };
    let mut desk = Desk::start(&database, &mail).await?;
    // Its name, its address, and what it must say went wrong.
    let channels = [
        ("password", mail.url_with(Way::StartTls, "wrong", "?tls=required"), "535"),
        ("stranger", mail.url(Way::Stranger), "certificate"),
        ("no-tls", mail.url_with(Way::Plain, "wrong", "?tls=required"), "STARTTLS"),
    ];
    for (name, url, why) in &channels {
        desk.channel(name, url).await?;
        let tested = desk.ask("POST", &format!("/api/settings/integrations/{name}/test"), &json!({})).await?;
        let error = tested["error"].as_str().context("an error")?;
        ensure!(tested["delivered"] == false && error.contains(why), "{name}: {tested}");
    }
    let names = channels.each_ref().map(|(name, ..)| *name);
    desk.rule("new_issue", &names, json!({"trigger": "new_issue"})).await?;
    desk.report(payment(desk.at, "shop@1.0.0")).await?;
    desk.has("DEFAULT-1", 1).await?;
    desk.decide(0).await?;
    for (name, _, why) in &channels {
        let path = format!("/api/settings/deliveries?channel={name}");
        let start = Instant::now();
        let delivery = loop {
            let delivery = desk.ask("GET", &path, &json!({})).await?["deliveries"][0].take();
            if delivery["error"].is_string() {
                break delivery;
            }
            ensure!(start.elapsed() < Duration::from_secs(60), "{name}: {delivery}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        let error = delivery["error"].as_str().context("an error")?;
        ensure!(error.contains(why) && !error.contains("wrong"), "{name}: {delivery}");
        // A password does not become right by itself; the others may be repaired.
        let state = if *name == "password" { OutboxState::Failed } else { OutboxState::Waiting };
        assert_eq!(delivery["state"], state.as_str(), "{delivery}");
    }
    let told = mail.wait_for("mails to the team", 1, |_| true).await?;
    assert!(told.iter().all(|mail| mail.way == Way::StartTls && mail.to == [TEAM]), "{told:?}");
    let wrong: Vec<_> = mail.logins().into_iter().filter(|login| !login.ok).collect();
    assert!(!wrong.is_empty() && wrong.iter().all(|login| login.way == Way::StartTls && login.secure), "{wrong:?}");
    assert!(mail.logins().iter().all(|login| login.way == Way::StartTls), "no password goes to who cannot be trusted");
    Ok(())
}
