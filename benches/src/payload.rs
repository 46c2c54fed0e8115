//! Events as a Python service sends them: some 4 KB, over 5,000 issues.

use errtrack_core::{
    Breadcrumb, Event, Exception, Formula, Frame, Occurrence, Preparer, ProjectId, Request, Stacktrace, Timestamp, User,
};
use serde_json::{Value, json};
use uuid::Uuid;

/// Issues over which the events are spread.
pub const ISSUES: usize = 5_000;

/// A Sentry envelope with one event, of the issue `n` modulo [`ISSUES`].
#[must_use]
pub fn envelope(n: usize) -> Vec<u8> {
    let id = Uuid::new_v4().simple();
    let event = event(n, &id.to_string()).to_string();
    format!("{{\"event_id\":\"{id}\"}}\n{{\"type\":\"event\"}}\n{event}\n").into_bytes()
}

/// The same event as it reaches a store.
#[must_use]
pub fn occurrence(preparer: &Preparer, n: usize) -> Occurrence {
    occurrence_at(preparer, ProjectId(1), n, ISSUES, Timestamp::now())
}

/// The same, of the issue `n` modulo `issues`, at another time.
#[must_use]
pub fn occurrence_at(preparer: &Preparer, project: ProjectId, n: usize, issues: usize, at: Timestamp) -> Occurrence {
    let mut event = Event { timestamp: at, received_at: at, ..Event::new() };
    let frame = |depth: usize| Frame {
        filename: Some(format!("shop/orders/module_{}.py", depth % 5)),
        abs_path: Some(format!("/srv/app/shop/orders/module_{}.py", depth % 5)),
        function: Some(if depth == 11 {
            format!("handle_{}", letters(n % issues))
        } else {
            format!("step_{}", letters(depth))
        }),
        module: Some(format!("shop.orders.module_{}", depth % 5)),
        lineno: u32::try_from(40 + depth).ok(),
        in_app: Some(depth > 4),
        pre_context: vec!["    def step(self, order):".into(), "        order.lock()".into()],
        context_line: Some("        return self.next(order)".into()),
        post_context: vec![String::new(), "    def next(self, order):".into()],
        ..Frame::default()
    };
    let mut exception = Exception::new("OutOfStock", format!("no stock for order {n} of customer {}", n * 7));
    exception.stacktrace = Some(Stacktrace { frames: (0..12).map(frame).collect() });
    event.exceptions.push(exception);
    event.platform = Some("python".into());
    event.environment = Some("production".into());
    event.release = Some(format!("shop@1.{}.0", n % 3));
    event.server_name = Some(format!("web-{}", n % 4));
    event.transaction = Some("/orders/{id}/pay".into());
    event.breadcrumbs = (0..5)
        .map(|b| Breadcrumb::new("SELECT id, total, state FROM orders WHERE id = %s").category("query").data("rows", b))
        .collect();
    event.request = Some(Request {
        url: Some(format!("https://shop.example.com/orders/{n}/pay")),
        method: Some("POST".into()),
        headers: [
            ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"),
            ("Accept", "*/*"),
        ]
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .into(),
        ..Request::default()
    });
    event.user = Some(User::id(format!("u{}", n % 2_000)));
    event.tags =
        [("region", "eu".to_owned()), ("tenant", format!("t{}", n % 20))].map(|(k, v)| (k.to_owned(), v)).into();
    preparer.prepare(project, event, Formula::Ours)
}

fn event(n: usize, id: &str) -> Value {
    let issue = n % ISSUES;
    let frame = |depth: usize| {
        json!({
            "filename": format!("shop/orders/module_{}.py", depth % 5),
            "abs_path": format!("/srv/app/shop/orders/module_{}.py", depth % 5),
            "function": if depth == 11 { format!("handle_{}", letters(issue)) } else { format!("step_{}", letters(depth)) },
            "module": format!("shop.orders.module_{}", depth % 5),
            "lineno": 40 + depth,
            "in_app": depth > 4,
            "pre_context": ["    def step(self, order):", "        order.lock()"],
            "context_line": "        return self.next(order)",
            "post_context": ["", "    def next(self, order):"],
        })
    };
    json!({
        "event_id": id,
        "level": "error",
        "platform": "python",
        "environment": "production",
        "release": format!("shop@1.{}.0", n % 3),
        "server_name": format!("web-{}", n % 4),
        "transaction": "/orders/{id}/pay",
        "exception": { "values": [{
            "type": "OutOfStock",
            "value": format!("no stock for order {n} of customer {}", n * 7),
            "mechanism": { "type": "django", "handled": false },
            "stacktrace": { "frames": (0..12).map(frame).collect::<Vec<_>>() },
        }]},
        "breadcrumbs": { "values": (0..5).map(|b| json!({
            "timestamp": "2026-11-20T22:41:07.123Z", "category": "query", "level": "info",
            "message": "SELECT id, total, state FROM orders WHERE id = %s", "data": { "rows": b },
        })).collect::<Vec<_>>() },
        "request": {
            "url": format!("https://shop.example.com/orders/{n}/pay"), "method": "POST",
            "headers": { "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
                         "Content-Type": "application/json", "Accept": "*/*" },
        },
        "user": { "id": format!("u{}", n % 2_000) },
        "tags": { "region": "eu", "tenant": format!("t{}", n % 20) },
        "sdk": { "name": "sentry.python", "version": "2.75.0" },
    })
}

/// A number in letters, which no grouping takes for a number.
#[must_use]
pub fn letters(mut number: usize) -> String {
    let mut text = String::new();
    loop {
        text.push(char::from(b'a' + u8::try_from(number % 26).unwrap_or(0)));
        number /= 26;
        if number == 0 {
            return text;
        }
    }
}
