//! The request that was served, and the same as a curl command.

use super::field::{self, Field};
use crate::pages::text::{self, Rich};
use errtrack_core::Request;
use serde_json::Value;

/// The request, ready to be shown.
#[derive(Debug)]
pub(in crate::pages) struct RequestView {
    pub(in crate::pages) method: String,
    pub(in crate::pages) url: Rich,
    /// `500 in 248 ms`.
    pub(in crate::pages) answer: Option<String>,
    pub(in crate::pages) headers: Vec<Field>,
    pub(in crate::pages) cookies: Vec<Field>,
    pub(in crate::pages) body: Option<Field>,
    pub(in crate::pages) env: Vec<Field>,
    pub(in crate::pages) curl: String,
}

impl RequestView {
    pub(super) fn new(request: &Request) -> Self {
        let method = request.method.as_deref().unwrap_or("GET");
        let url = whole_url(request);
        Self {
            method: text::line(method, 20),
            url: text::rich(&text::line(&url, 2_000)),
            answer: answer(request),
            headers: field::of_texts(&request.headers),
            cookies: match &request.cookies {
                Value::Null => Vec::new(),
                Value::Object(map) => field::of_map(map),
                other => vec![Field::new("cookies", &field::written(other))],
            },
            body: request.data.as_ref().map(|data| Field::new("Body", &field::written(data))),
            env: field::of_texts(&request.env),
            curl: text::block(&curl(request, method, &url), 20_000),
        }
    }
}

fn whole_url(request: &Request) -> String {
    let url = request.url.as_deref().unwrap_or("/");
    match request.query_string.as_deref().filter(|query| !query.is_empty() && !url.contains('?')) {
        Some(query) => format!("{url}?{query}"),
        None => url.to_owned(),
    }
}

fn answer(request: &Request) -> Option<String> {
    let took = request.duration_ms.map(|ms| match ms {
        ..10.0 => format!("{ms:.1} ms"),
        10.0..1_000.0 => format!("{ms:.0} ms"),
        _ => format!("{:.2} s", ms / 1_000.0),
    });
    match (request.status, took) {
        (Some(status), Some(took)) => Some(format!("answered {status} in {took}")),
        (Some(status), None) => Some(format!("answered {status}")),
        (None, took) => took.map(|took| format!("took {took}")),
    }
}

/// A command that sends the same request, as far as it was kept; filtered values are named so.
fn curl(request: &Request, method: &str, url: &str) -> String {
    /// Set by curl itself, or wrong for another connection.
    const OWN: [&str; 6] = ["host", "content-length", "connection", "accept-encoding", "transfer-encoding", "cookie2"];
    let mut command = format!("curl -X {} {}", quote(method), quote(url));
    for (name, value) in &request.headers {
        if !OWN.contains(&name.to_ascii_lowercase().as_str()) {
            command.push_str(&format!(" \\\n  -H {}", quote(&format!("{name}: {value}"))));
        }
    }
    if let Some(data) = &request.data {
        let body = match data {
            Value::String(text) => text.clone(),
            data => data.to_string(),
        };
        command.push_str(&format!(" \\\n  --data-raw {}", quote(&body)));
    }
    command
}

/// A word for a POSIX shell; nothing within single quotes has a meaning.
fn quote(word: &str) -> String {
    let word = text::pasteable(word);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) && !word.starts_with('-') {
        return word;
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_command_cannot_be_broken_out_of() {
        let request = Request {
            url: Some("https://shop.example.com/a b'; rm -rf ~".into()),
            query_string: Some("q=$(id)".into()),
            method: Some("POST".into()),
            headers: [
                ("authorization".to_owned(), "Bearer [Filtered: token]".to_owned()),
                ("content-length".into(), "12".into()),
                ("x-request-id".into(), "7c1e44b0".into()),
            ]
            .into(),
            data: Some(json!({ "card": "[Filtered]", "note": "it's" })),
            ..Request::default()
        };
        insta::assert_snapshot!(RequestView::new(&request).curl, @r#"
        curl -X POST 'https://shop.example.com/a b'\''; rm -rf ~?q=$(id)' \
          -H 'authorization: Bearer FILTERED' \
          -H 'x-request-id: 7c1e44b0' \
          --data-raw '{"card":"FILTERED","note":"it'\''s"}'
        "#);
    }
}
