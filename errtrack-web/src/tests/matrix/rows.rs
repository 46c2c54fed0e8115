//! What each route needs, and how it is asked.

/// What somebody needs to be let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    Nothing,
    /// To be nobody who is known: others are led on.
    Strangers,
    Ingest,
    Read,
    Write,
    Admin,
    /// And sees all projects.
    AdminOfAll,
    /// An account of one's own.
    Account,
    /// The same, where a program asks.
    Member,
}

impl Needs {
    /// The permission that the description names.
    pub(super) fn described(self) -> &'static str {
        match self {
            Self::Nothing | Self::Strangers => "nothing",
            Self::Ingest => "ingest",
            Self::Read | Self::Account | Self::Member => "read",
            Self::Write => "write",
            Self::Admin | Self::AdminOfAll => "admin",
        }
    }
}

/// A question. In path and body, `ISSUE`, `EVENT`, `NUMBER`, `FINGERPRINT`, `PROJECT`, `SLUG`, `KEY`, `MEMBER`, `ALERT`,
/// `INCIDENT` (to which the issue is linked), `TICKET` (that the issue has), `INTEGRATION`, `DELIVERY` (that was given up), `DOOMED` (a project that may go)
/// stand for what is made for it,
/// `NEW` for what was never there.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    /// Not described in the document of the API.
    pub(super) is_page: bool,
    /// Who is not let in is told so, and not led to the sign-in page.
    pub(super) is_for_programs: bool,
    pub(super) needs: Needs,
    /// The status of who is let in.
    pub(super) status: u16,
    /// The status where it is about a foreign project; 0 if it is about none.
    pub(super) foreign: u16,
    pub(super) body: &'static str,
}

fn api(method: &'static str, path: &'static str, needs: Needs, status: u16) -> Row {
    Row { method, path, is_page: false, is_for_programs: true, needs, status, foreign: 0, body: "" }
}

fn page(method: &'static str, path: &'static str, needs: Needs, status: u16) -> Row {
    Row { is_page: true, is_for_programs: false, ..api(method, path, needs, status) }
}

impl Row {
    /// About something that belongs to a project: it is not there for who does not see that.
    fn scoped(self) -> Self {
        self.foreign(404)
    }

    fn by_programs(self) -> Self {
        Self { is_for_programs: true, ..self }
    }

    fn foreign(self, foreign: u16) -> Self {
        Self { foreign, ..self }
    }

    fn with(self, body: &'static str) -> Self {
        Self { body, ..self }
    }
}

const REPORT: &str = r#"{"message": "m", "source": "s", "project": "SLUG"}"#;
const APP_REPORT: &str = r#"{"appId": "SLUG", "errorCode": "c", "errorType": "t", "message": "m"}"#;
const APP_REPORTS: &str = r#"{"errors": [{"appId": "SLUG", "errorCode": "c", "errorType": "t", "message": "m"}]}"#;
const TRACKER_REPORT: &str = r#"{"project": "SLUG", "exception_type": "ENEW", "message": "m"}"#;
const MCP: &str = r#"{"jsonrpc": "2.0", "id": 1, "method": "ping"}"#;
const ALERT: &str = r#"{"name": "much", "condition": "error_count > 5 in 5m", "project": "SLUG"}"#;
const NEW_KEY: &str = r#"{"name": "k", "permissions": ["read"]}"#;
const NEW_MEMBER: &str = r#"{"email": "NEW@example.com", "role": "viewer"}"#;

pub(super) fn rows() -> Vec<Row> {
    use Needs::*;
    vec![
        api("GET", "/health", Nothing, 200),
        api("GET", "/metrics", Read, 200),
        api("POST", "/api/errors", Ingest, 201).foreign(403).with(REPORT),
        // Anybody may report to an app that is there; a key only to its own.
        api("POST", "/api/v1/errors", Nothing, 201).foreign(400).with(APP_REPORT),
        api("POST", "/api/v1/errors/batch", Nothing, 200).with(APP_REPORTS),
        api("POST", "/error-tracker/api/errors", Ingest, 201).foreign(403).with(TRACKER_REPORT),
        api("GET", "/error-tracker/api/errors", Read, 200),
        api("GET", "/error-tracker/api/errors/NUMBER", Read, 200).scoped(),
        api("POST", "/error-tracker/api/errors/NUMBER/resolve", Write, 200).scoped(),
        api("GET", "/error-tracker/api/projects", Read, 200),
        api("GET", "/error-tracker/health", Nothing, 200),
        api("GET", "/api/errors", Read, 200),
        api("POST", "/api/errors/merge", Write, 409).scoped().with(r#"{"ids": ["ISSUE", "ISSUE"]}"#),
        api("POST", "/api/errors/bulk", Write, 200).scoped().with(r#"{"ids": ["ISSUE"], "action": "resolve"}"#),
        api("GET", "/api/errors/ISSUE", Read, 200).scoped(),
        api("DELETE", "/api/errors/ISSUE", Write, 204).scoped(),
        api("PUT", "/api/errors/ISSUE/resolve", Write, 200).scoped(),
        api("PUT", "/api/errors/ISSUE/unresolve", Write, 200).scoped(),
        api("PUT", "/api/errors/ISSUE/ignore", Write, 200).scoped(),
        api("PUT", "/api/errors/ISSUE/assign", Write, 200).scoped().with(r#"{"assigned_to": null}"#),
        api("GET", "/api/errors/ISSUE/comments", Read, 200).scoped(),
        api("POST", "/api/errors/ISSUE/comments", Write, 201).scoped().with(r#"{"text": "seen"}"#),
        api("GET", "/api/errors/ISSUE/tickets", Read, 200).scoped(),
        api("POST", "/api/errors/ISSUE/tickets", Write, 201).scoped().with(r#"{"url": "https://example.com/NEW"}"#),
        api("DELETE", "/api/errors/ISSUE/tickets/TICKET", Write, 204).scoped(),
        api("GET", "/api/errors/ISSUE/events", Read, 200).scoped(),
        api("GET", "/api/errors/ISSUE/groups", Read, 200).scoped(),
        api("POST", "/api/errors/ISSUE/unmerge", Write, 409).scoped().with(r#"{"fingerprints": ["FINGERPRINT"]}"#),
        api("GET", "/api/events/EVENT", Read, 200).scoped(),
        api("PUT", "/api/events/EVENT/pin", Write, 200).scoped(),
        api("DELETE", "/api/events/EVENT/pin", Write, 200).scoped(),
        api("GET", "/api/stats", Read, 200),
        api("GET", "/api/live", Read, 200),
        api("GET", "/api/analytics/trends", Read, 200),
        api("GET", "/api/analytics/performance", Read, 200),
        api("GET", "/api/monitoring/balance", Read, 200),
        api("GET", "/api/monitoring/services", Read, 200),
        api("GET", "/api/monitoring/metrics", Read, 200),
        api("GET", "/api/monitoring/uptime", Read, 200),
        api("GET", "/api/alerts/rules", Read, 200),
        api("POST", "/api/alerts/rules", Write, 201).foreign(400).with(ALERT),
        api("POST", "/api/alerts/rules/preview", Write, 200).foreign(400).with(ALERT),
        api("GET", "/api/alerts/rules/ALERT", Read, 200).scoped(),
        api("PUT", "/api/alerts/rules/ALERT", Write, 200).scoped().with(r#"{"enabled": false}"#),
        api("DELETE", "/api/alerts/rules/ALERT", Write, 204).scoped(),
        api("GET", "/api/alerts/rules/ALERT/history", Read, 200).scoped(),
        api("GET", "/api/monitoring/history", Read, 200),
        api("GET", "/api/alerts/incidents", Read, 200),
        api("POST", "/api/alerts/incidents", Write, 201).scoped().with(r#"{"title": "slow", "project": "SLUG"}"#),
        api("GET", "/api/alerts/incidents/INCIDENT", Read, 200).scoped(),
        api("PUT", "/api/alerts/incidents/INCIDENT", Write, 200).scoped().with(r#"{"status": "identified"}"#),
        api("DELETE", "/api/alerts/incidents/INCIDENT", Write, 204).scoped(),
        api("GET", "/api/alerts/incidents/INCIDENT/timeline", Read, 200).scoped(),
        api("POST", "/api/alerts/incidents/INCIDENT/comments", Write, 201).scoped().with(r#"{"text": "seen"}"#),
        api("POST", "/api/alerts/incidents/INCIDENT/issues", Write, 200).scoped().with(r#"{"ids": ["ISSUE"]}"#),
        api("DELETE", "/api/alerts/incidents/INCIDENT/issues/ISSUE", Write, 200).scoped(),
        api("GET", "/api/settings/retention", AdminOfAll, 200),
        api("POST", "/api/settings/retention/preview", AdminOfAll, 200),
        api("POST", "/api/settings/retention/run", AdminOfAll, 200),
        api("GET", "/api/settings/set-aside", AdminOfAll, 200),
        api("GET", "/api/errors/ISSUE.md", Read, 200).scoped(),
        api("GET", "/api/users/NEW/export", Admin, 200),
        api("DELETE", "/api/users/NEW", Admin, 200),
        api("GET", "/api/settings/projects", Read, 200),
        api("POST", "/api/settings/projects", AdminOfAll, 201).with(r#"{"slug": "pNEW"}"#),
        api("PUT", "/api/settings/projects/PROJECT", Admin, 200).scoped().with(r#"{"platform": "rust"}"#),
        // One that is not there: the others are needed.
        api("DELETE", "/api/settings/projects/999999", AdminOfAll, 404),
        api("POST", "/api/settings/projects/PROJECT/keys", Admin, 201).scoped(),
        api("DELETE", "/api/settings/projects/PROJECT/keys/NEW", Admin, 404).scoped(),
        api("GET", "/api/settings/projects/PROJECT/retention", Read, 200).scoped(),
        api("PUT", "/api/settings/projects/PROJECT/retention", Admin, 200).scoped().with("{}"),
        api("GET", "/api/settings/projects/PROJECT/quota", Read, 200).scoped(),
        api("PUT", "/api/settings/projects/PROJECT/quota", Admin, 200).scoped().with("{}"),
        api("GET", "/api/settings/projects/PROJECT/rules", Read, 200).scoped(),
        api("PUT", "/api/settings/projects/PROJECT/rules", Write, 200).scoped().with(r#"{"rules": []}"#),
        api("POST", "/api/settings/projects/PROJECT/rules/preview", Write, 200).scoped().with(r#"{"rules": []}"#),
        api("GET", "/api/settings/projects/PROJECT/ownership", Read, 200).scoped(),
        api("PUT", "/api/settings/projects/PROJECT/ownership", Write, 200).scoped().with(r#"{"text": ""}"#),
        api("GET", "/api/settings/projects/PROJECT/sanitizer", Admin, 200).scoped(),
        api("PUT", "/api/settings/projects/PROJECT/sanitizer", Admin, 200).scoped().with("{}"),
        api("POST", "/api/settings/projects/PROJECT/sanitizer/preview", Admin, 200).scoped().with(r#"{"text": "x"}"#),
        api("DELETE", "/api/settings/projects/DOOMED", AdminOfAll, 204),
        api("GET", "/api/settings/api-keys", AdminOfAll, 200),
        api("POST", "/api/settings/api-keys", AdminOfAll, 201).with(NEW_KEY),
        api("DELETE", "/api/settings/api-keys/KEY", AdminOfAll, 204),
        api("GET", "/api/settings/team", AdminOfAll, 200),
        api("POST", "/api/settings/team/invite", AdminOfAll, 201).with(NEW_MEMBER),
        api("PUT", "/api/settings/team/MEMBER", AdminOfAll, 200).with(r#"{"role": "admin"}"#),
        api("DELETE", "/api/settings/team/MEMBER", AdminOfAll, 204),
        api("POST", "/api/settings/team/MEMBER/reset", AdminOfAll, 201),
        api("GET", "/api/settings/integrations", AdminOfAll, 200),
        api("PUT", "/api/settings/integrations/INTEGRATION", AdminOfAll, 200).with(r#"{"config": {}}"#),
        api("DELETE", "/api/settings/integrations/INTEGRATION", AdminOfAll, 204),
        api("POST", "/api/settings/integrations/INTEGRATION/test", AdminOfAll, 200),
        api("GET", "/api/settings/deliveries", AdminOfAll, 200),
        api("POST", "/api/settings/deliveries/DELIVERY/retry", AdminOfAll, 204),
        api("GET", "/api/push/subscriptions", Member, 200),
        // As long as no public URL is set.
        api("POST", "/api/push/subscriptions", Member, 409)
            .with(r#"{"endpoint": "https://push.example.com/NEW", "keys": {"p256dh": "x", "auth": "x"}}"#),
        api("DELETE", "/api/push/subscriptions/00000000-0000-0000-0000-000000000000", Member, 404),
        api("POST", "/api/push/subscriptions/00000000-0000-0000-0000-000000000000/test", Member, 404),
        api("GET", "/api/settings/audit", AdminOfAll, 200),
        page("GET", "/", Read, 303),
        page("GET", "/issues", Read, 200),
        page("POST", "/issues/bulk", Write, 303).with("id=ISSUE&status=resolved"),
        page("POST", "/issues/merge", Write, 409).scoped().with("id=ISSUE&id=ISSUE"),
        page("GET", "/issues/ISSUE", Read, 200).scoped(),
        page("POST", "/issues/ISSUE/resolve", Write, 303).scoped(),
        page("POST", "/issues/ISSUE/unresolve", Write, 303).scoped(),
        page("POST", "/issues/ISSUE/ignore", Write, 303).scoped(),
        page("POST", "/issues/ISSUE/assign", Write, 303).scoped(),
        page("POST", "/issues/ISSUE/comments", Write, 303).scoped().with("text=seen"),
        page("POST", "/issues/ISSUE/tickets", Write, 303).scoped().with("url=https%3A%2F%2Fexample.com%2FNEW"),
        page("POST", "/issues/ISSUE/tickets/TICKET/delete", Write, 303).scoped(),
        page("POST", "/issues/ISSUE/unmerge", Write, 409).scoped().with("fingerprint=FINGERPRINT"),
        page("POST", "/issues/ISSUE/delete", Write, 303).scoped(),
        page("POST", "/issues/ISSUE/events/EVENT/pin", Write, 303).scoped(),
        page("POST", "/issues/ISSUE/events/EVENT/unpin", Write, 303).scoped(),
        page("GET", "/incidents", Read, 200),
        page("POST", "/incidents", Write, 303).scoped().with("title=slow&project=SLUG"),
        page("GET", "/incidents/INCIDENT", Read, 200).scoped(),
        page("POST", "/incidents/INCIDENT", Write, 303).scoped().with("status=identified&note=seen"),
        page("POST", "/incidents/INCIDENT/comments", Write, 303).scoped().with("text=seen"),
        page("POST", "/incidents/INCIDENT/issues", Write, 303).scoped().with("issue=ISSUE"),
        page("POST", "/incidents/INCIDENT/issues/remove", Write, 303).scoped().with("issue=ISSUE"),
        page("POST", "/incidents/INCIDENT/delete", Write, 303).scoped(),
        page("GET", "/overview", Read, 200),
        page("GET", "/performance", Read, 200),
        page("GET", "/alerts", Read, 200),
        page("GET", "/alerts/new", Write, 200),
        page("POST", "/alerts", Write, 303)
            .foreign(404)
            .with("name=much&when=condition&condition=error_count+%3E+5+in+5m&project=PROJECT&do=save"),
        page("GET", "/alerts/ALERT", Read, 200).scoped(),
        page("POST", "/alerts/ALERT", Write, 303).scoped().with("name=much&when=new_issue&project=PROJECT&do=save"),
        page("POST", "/alerts/ALERT/switch", Write, 303).scoped().with("enabled=on"),
        page("POST", "/alerts/ALERT/delete", Write, 303).scoped(),
        page("GET", "/monitoring", Read, 200),
        page("POST", "/settings/projects/PROJECT/retention", Admin, 303).scoped().with("age_days=&events="),
        page("POST", "/settings/projects/PROJECT/quota", Admin, 303).scoped().with("events_per_month="),
        page("GET", "/settings/projects", Admin, 200),
        page("POST", "/settings/projects", AdminOfAll, 303).with("name=pNEW&slug=pNEW"),
        page("POST", "/settings/projects/PROJECT", Admin, 303).scoped().with("name=SLUG&slug=SLUG&platform="),
        page("POST", "/settings/projects/999999/delete", AdminOfAll, 404),
        page("POST", "/settings/projects/PROJECT/keys", Admin, 303).scoped(),
        page("POST", "/settings/projects/PROJECT/keys/remove", Admin, 303).scoped().with("public_key=NEW"),
        page("GET", "/settings/rules?project=SLUG", Read, 200).scoped(),
        page("POST", "/settings/rules", Write, 303).scoped().with("project=SLUG&do=save"),
        page("GET", "/settings/ownership?project=SLUG", Read, 200).scoped(),
        page("POST", "/settings/ownership", Write, 303).scoped().with("project=SLUG&text="),
        page("GET", "/settings/privacy?project=SLUG", Admin, 200).scoped(),
        page("POST", "/settings/privacy", Admin, 303).scoped().with("project=SLUG&do=save"),
        page("GET", "/settings/system", Read, 200),
        page("POST", "/settings/system/retention", AdminOfAll, 303),
        page("POST", "/settings/projects/DOOMED/delete", AdminOfAll, 303),
        page("GET", "/settings/integrations", AdminOfAll, 200),
        page("POST", "/settings/integrations", AdminOfAll, 303)
            .with("name=slack&type=slack&webhook_url=http://127.0.0.1:9/"),
        page("POST", "/settings/integrations/INTEGRATION/delete", AdminOfAll, 303),
        page("POST", "/settings/deliveries/DELIVERY/retry", AdminOfAll, 303),
        page("GET", "/settings/keys", AdminOfAll, 200),
        page("POST", "/settings/keys", AdminOfAll, 201).with("name=k&permission=read"),
        page("POST", "/settings/keys/KEY/revoke", AdminOfAll, 303),
        page("GET", "/settings/team", AdminOfAll, 200),
        page("POST", "/settings/team/invite", AdminOfAll, 201).with("email=NEW%40example.com&role=viewer"),
        page("POST", "/settings/team/MEMBER", AdminOfAll, 303).with("role=admin"),
        page("POST", "/settings/team/MEMBER/remove", AdminOfAll, 303),
        page("GET", "/settings/audit", AdminOfAll, 200),
        page("GET", "/settings/browsers", Account, 200),
        page("POST", "/settings/browsers/00000000-0000-0000-0000-000000000000/remove", Account, 404),
        page("GET", "/push/worker.js", Nothing, 200),
        page("GET", "/settings/account", Account, 200),
        page("POST", "/settings/account/name", Account, 303).with("name=Ana"),
        page("GET", "/invitation/NEW", Nothing, 404),
        page("POST", "/invitation/NEW", Nothing, 404).with("password=correct+horse&again=correct+horse"),
        page("GET", "/reset/NEW", Nothing, 404),
        page("POST", "/reset/NEW", Nothing, 404).with("password=correct+horse&again=correct+horse"),
        // Asked by programs, and so answered as the API is.
        page("POST", "/mcp", Read, 200).by_programs().with(MCP),
        page("GET", "/docs", Read, 200),
        page("GET", "/start?project=SLUG", Read, 200).scoped(),
        page("POST", "/start/test", Write, 303).scoped().with("project=SLUG"),
        page("GET", "/login", Strangers, 200),
        page("POST", "/login", Nothing, 401).with("email=NEW%40example.com&password=wrong"),
        page("POST", "/login/code", Nothing, 401).with("token=NEW&code=1"),
        // As long as no issuer is named.
        page("GET", "/login/oidc", Nothing, 404),
        page("GET", "/login/oidc/callback?code=NEW&state=NEW", Nothing, 404),
        page("GET", "/login/NEW", Nothing, 200),
        page("POST", "/login/NEW", Nothing, 401),
        page("POST", "/logout", Nothing, 303),
        page("POST", "/theme", Nothing, 303).with("theme=dark"),
        page("GET", "/assets/NEW/style.css", Nothing, 200),
    ]
}
