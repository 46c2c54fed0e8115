//! Each service gets exactly what it documents.

use super::{receiver::Receiver, *};
use crate::sign;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};

const KEY: &str = "0192f0c4-0000-7000-8000-000000000001";

/// Sends one and answers what came.
async fn sent(
    kind: Kind,
    field: &str,
    path: &str,
    more: &[(&str, &str)],
    notification: Notification,
) -> receiver::Received {
    let receiver = Receiver::start(&[(200, vec![], "ok")]).await;
    let url = format!("{}{path}", receiver.url);
    let settings: Vec<(&str, &str)> = more.iter().copied().chain([(field, url.as_str())]).collect();
    send(&channel(kind, &settings), notification).await.unwrap();
    assert_eq!(receiver.one().method, "POST");
    receiver.one()
}

fn lengths(value: &Value, at: &str, found: &mut Vec<(String, usize)>) {
    match value {
        Value::String(text) => found.push((at.to_owned(), text.chars().count())),
        Value::Array(list) => list.iter().for_each(|value| lengths(value, at, found)),
        Value::Object(object) => object.iter().for_each(|(name, value)| lengths(value, &format!("{at}/{name}"), found)),
        _ => {}
    }
}

/// No text is longer than its service takes.
fn assert_fits(value: &Value, limits: &[(&str, usize)]) {
    let mut found = Vec::new();
    lengths(value, "", &mut found);
    for (at, length) in found {
        let limit = limits.iter().find(|(end, _)| at.ends_with(end)).map_or(usize::MAX, |(_, limit)| *limit);
        assert!(length <= limit, "{at}: {length}");
    }
}

#[tokio::test]
async fn slack_gets_blocks() {
    let settings = [("channel", "#alerts")];
    let received = sent(Kind::Slack, "webhook_url", "/services/T0/B0/x", &settings, told(Trigger::NewIssue)).await;
    assert_eq!((received.path.as_str(), received.header("content-type")), ("/services/T0/B0/x", "application/json"));
    assert_eq!(received.header("idempotency-key"), KEY);
    insta::assert_json_snapshot!("slack", received.json());
    for notification in Trigger::ALL.map(told).into_iter().chain([hostile()]) {
        let message = sent(Kind::Slack, "webhook_url", "/", &settings, notification).await.json();
        assert_fits(&message["blocks"], &[("header/text/text", 150), ("fields/text", 2_000), ("text/text", 3_000)]);
        assert!(message["blocks"].as_array().unwrap().len() <= 50);
        for block in message["blocks"].as_array().unwrap().iter().filter(|block| block["type"] == "section") {
            let text = block.to_string();
            assert!(!text.contains("<script") && !text.contains("<!"), "nothing is markup that is not ours: {text}");
        }
    }
}

#[tokio::test]
async fn discord_gets_an_embed_that_mentions_nobody() {
    let received = sent(Kind::Discord, "webhook_url", "/api/webhooks/1/x", &[], told(Trigger::Regression)).await;
    insta::assert_json_snapshot!("discord", received.json());
    for notification in Trigger::ALL.map(told).into_iter().chain([hostile()]) {
        let message = sent(Kind::Discord, "webhook_url", "/", &[], notification).await.json();
        let limits = [
            ("embeds/title", 256),
            ("description", 4_096),
            ("fields/name", 256),
            ("fields/value", 1_024),
            ("content", 2_000),
        ];
        assert_fits(&message, &limits);
        assert_eq!(message["allowed_mentions"], json!({"parse": []}));
    }
}

#[tokio::test]
async fn mattermost_gets_an_attachment() {
    let settings = [("channel", "#alerts")];
    let received = sent(Kind::Mattermost, "webhook_url", "/hooks/x", &settings, told(Trigger::Digest)).await;
    insta::assert_json_snapshot!("mattermost", received.json());
    let message = sent(Kind::Mattermost, "webhook_url", "/", &[], hostile()).await.json();
    assert!(message.get("channel").is_none());
    assert!(!message["attachments"][0]["text"].as_str().unwrap().contains("<script>alert(\"1\")</script> & 'x' ```"));
}

#[tokio::test]
async fn telegram_gets_html_of_its_own_kind() {
    let settings = [("bot_token", "123:ABC_d-e"), ("chat_id", "-100123")];
    let received = sent(Kind::Telegram, "api_url", "", &settings, told(Trigger::Rule)).await;
    assert_eq!(received.path, "/bot123:ABC_d-e/sendMessage");
    insta::assert_json_snapshot!("telegram", received.json());
    for notification in Trigger::ALL.map(told).into_iter().chain([hostile()]) {
        let message = sent(Kind::Telegram, "api_url", "", &settings, notification).await.json();
        let text = message["text"].as_str().unwrap();
        assert!(text.chars().count() <= 4_096 && message["chat_id"] == "-100123");
        for tag in text.split('<').skip(1) {
            let tag = tag.split(['>', ' ']).next().unwrap().trim_start_matches('/');
            assert!(["b", "code", "pre", "a"].contains(&tag), "{tag} in {text}");
        }
    }
}

#[tokio::test]
async fn a_webhook_is_signed_and_says_all() {
    let notification = told(Trigger::Spike);
    let received = sent(Kind::Webhook, "url", "/in?a=b", &[("secret", "s3cret")], notification.clone()).await;
    assert_eq!(received.path, "/in?a=b");
    assert_eq!(received.header("x-errtrack-signature"), sign("s3cret", received.body.as_bytes()));
    assert_eq!((received.header("x-errtrack-event"), received.header("x-errtrack-delivery")), ("spike", KEY));
    insta::assert_json_snapshot!("webhook", received.json());
    let read: Notification = serde_json::from_value(received.json()["notification"].clone()).unwrap();
    assert_eq!(read, notification, "nothing is lost on the way");
    let unsigned = sent(Kind::Webhook, "url", "/", &[], notification).await;
    assert!(unsigned.headers.get("x-errtrack-signature").is_none());
}

#[tokio::test]
async fn a_webhook_says_what_its_template_says() {
    let template = r#"{"text": "{{ subject }}", "level": {{ json notification.issue.level }}, "n": {{ notification.issue.count }}}"#;
    let settings = [("template", template), ("secret", "k")];
    let received = sent(Kind::Webhook, "url", "/", &settings, told(Trigger::NewIssue)).await;
    let text = "[shop] New issue: PaymentError: card <declined> & retried";
    assert_eq!(received.json(), json!({"text": text, "level": "error", "n": 1234}));
    assert_eq!(received.header("x-errtrack-signature"), sign("k", received.body.as_bytes()));
    assert!(sent(Kind::Webhook, "url", "/", &settings, hostile()).await.json()["text"].is_string());
}

#[tokio::test]
async fn sms_are_sent_to_each_number_as_a_form() {
    let receiver = Receiver::start(&[(201, vec![], "{\"sid\":\"SM1\"}")]).await;
    let url = format!("{}/2010-04-01/Accounts/AC1/Messages.json", receiver.url);
    let settings =
        [("url", url.as_str()), ("from", "+15005550006"), ("to", "+491, +492"), ("user", "AC1"), ("token", "t:k")];
    send(&channel(Kind::Sms, &settings), hostile()).await.unwrap();
    let seen = receiver.seen();
    assert_eq!(seen.len(), 2);
    for (received, to) in seen.iter().zip(["+491", "+492"]) {
        assert_eq!(received.header("content-type"), "application/x-www-form-urlencoded");
        assert_eq!(received.header("authorization"), format!("Basic {}", STANDARD.encode("AC1:t:k")));
        let form: BTreeMap<String, String> =
            url::form_urlencoded::parse(received.body.as_bytes()).into_owned().collect();
        assert_eq!(form.keys().collect::<Vec<_>>(), ["Body", "From", "To"]);
        assert_eq!((form["To"].as_str(), form["From"].as_str()), (to, "+15005550006"));
        let body = &form["Body"];
        assert!(
            body.chars().count() <= 300 && body.contains("https://errors.example.com/issues/") && !body.contains('\n'),
            "{body}"
        );
    }
}

#[tokio::test]
async fn who_had_a_text_message_does_not_get_it_again_when_another_number_failed() {
    let receiver = Receiver::start(&[(201, vec![], ""), (500, vec![], ""), (201, vec![], "")]).await;
    let settings = [("url", receiver.url.as_str()), ("from", "+1"), ("to", "+491,+492"), ("user", "u"), ("token", "t")];
    let channel = channel(Kind::Sms, &settings);
    assert!(!send(&channel, told(Trigger::Test)).await.unwrap_err().permanent);
    send(&channel, told(Trigger::Test)).await.unwrap();
    let to = |received: &receiver::Received| received.body.split('&').next().unwrap().to_owned();
    assert_eq!(receiver.seen().iter().map(to).collect::<Vec<_>>(), ["To=%2B491", "To=%2B492", "To=%2B492"]);
}

#[tokio::test]
async fn postmark_gets_a_mail() {
    let settings = [
        ("postmark_token", "server-token"),
        ("from_email", "Errors <errors@example.com>"),
        ("to", "a@example.com,b@example.com"),
    ];
    let received = sent(Kind::Email, "postmark_url", "", &settings, told(Trigger::Milestone)).await;
    assert_eq!((received.path.as_str(), received.header("accept")), ("/email", "application/json"));
    assert_eq!(received.header("x-postmark-server-token"), "server-token");
    let mail = received.json();
    let html = mail["HtmlBody"].as_str().unwrap();
    assert!(html.starts_with("<!DOCTYPE html>") && html.contains("card &lt;declined&gt; &amp; retried"), "{html}");
    assert!(mail["TextBody"].as_str().unwrap().contains("Events: 1,234, 17 users"));
    let shown: BTreeMap<&str, &Value> = mail
        .as_object()
        .unwrap()
        .iter()
        .filter(|(name, _)| !name.ends_with("Body"))
        .map(|(name, value)| (name.as_str(), value))
        .collect();
    insta::assert_json_snapshot!("postmark", shown);
}

#[tokio::test]
async fn answers_say_whether_and_when_to_try_again() {
    let slow = || vec![("retry-after", "7")];
    let cases = [
        ((429, slow(), "slow down"), (false, Some(7), "answered 429: slow down")),
        ((503, slow(), "<html>busy</html>"), (false, Some(7), "answered 503")),
        ((500, vec![], "oops\r\nmore"), (false, None, "answered 500: oops more")),
        ((408, vec![], ""), (false, None, "answered 408")),
        ((404, vec![], "no_service"), (true, None, "answered 404: no_service")),
        ((400, vec![], "invalid_payload"), (true, None, "answered 400: invalid_payload")),
        (
            (302, vec![("location", "http://169.254.169.254/")], ""),
            (true, None, "answered 302: redirects are not followed"),
        ),
    ];
    for (answer, (permanent, retry_after, message)) in cases {
        let receiver = Receiver::start(&[answer]).await;
        let error =
            send(&channel(Kind::Slack, &[("webhook_url", &receiver.url)]), told(Trigger::Test)).await.unwrap_err();
        let expected =
            NotifyError { message: message.into(), retry_after: retry_after.map(Duration::from_secs), permanent };
        assert_eq!(error, expected);
        assert_eq!(receiver.seen().len(), 1);
    }
}

#[tokio::test]
async fn telegram_says_in_its_answer_how_long_it_wants_to_be_left_alone() {
    let body = r#"{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 30","parameters":{"retry_after":30}}"#;
    let receiver = Receiver::start(&[(429, vec![], body)]).await;
    let settings = [("bot_token", "1:a"), ("chat_id", "1"), ("api_url", receiver.url.as_str())];
    let error = send(&channel(Kind::Telegram, &settings), told(Trigger::Test)).await.unwrap_err();
    assert_eq!((error.permanent, error.retry_after), (false, Some(Duration::from_secs(31))));
}

#[tokio::test]
async fn what_is_private_is_not_reached_and_secrets_stay_out_of_errors() {
    let receiver = Receiver::start(&[(200, vec![], "")]).await;
    let set = Channel::new("t", Kind::Telegram)
        .set("bot_token", "123:SECRET")
        .set("chat_id", "1")
        .set("api_url", &receiver.url);
    let closed = Surroundings { allowed: AllowedTargets::default(), ..surroundings() };
    let error = send(&set.build(&closed).unwrap(), told(Trigger::Test)).await.unwrap_err();
    assert!(
        error.permanent && error.message.contains("ALLOWED_TARGETS") && !error.message.contains("SECRET"),
        "{error}"
    );
    assert_eq!(receiver.seen().len(), 0);
    assert!(!format!("{set:?}").contains("SECRET"));
    let gone = "http://127.0.0.1:1/".to_owned();
    let error = send(&channel(Kind::Slack, &[("webhook_url", &gone)]), told(Trigger::Test)).await.unwrap_err();
    assert!(!error.permanent, "{error}");
}

/// A kind, its settings, and what is wrong.
type Case<'a> = (Kind, &'a [(&'a str, &'a str)], &'a str);

#[tokio::test]
async fn wrong_settings_are_refused_by_name() {
    let cases: [Case<'_>; 10] = [
        (Kind::Slack, &[], "webhook_url: is needed"),
        (Kind::Slack, &[("webhook_url", "hooks.slack.com/x")], "webhook_url: must be a URL"),
        (Kind::Slack, &[("webhook_url", "https://a:b@hooks.slack.com/x")], "webhook_url: must be a URL"),
        (Kind::Telegram, &[("bot_token", "../x"), ("chat_id", "1")], "bot_token: must be"),
        (Kind::Webhook, &[("url", "https://a.example"), ("template", "{{")], "template: "),
        (Kind::Email, &[("from_email", "nobody"), ("smtp_url", "smtp://a")], "from_email: must be"),
        (Kind::Email, &[("from_email", "a@b.example")], "smtp_url: is needed"),
        (
            Kind::Email,
            &[("from_email", "a@b.example"), ("smtp_url", "smtp://a?tls=maybe")],
            "smtp_url: must be without tls",
        ),
        (
            Kind::Email,
            &[("from_email", "a@b.example"), ("smtp_url", "smtp://a"), ("to", "x, y@z")],
            "to: `x` is no address",
        ),
        (
            Kind::Email,
            &[("from_email", "a@b.example"), ("smtp_url", "smtp://a"), ("postmark_token", "x")],
            "postmark_token: ",
        ),
    ];
    for (kind, settings, why) in cases {
        let channel = settings.iter().fold(Channel::new("x", kind), |channel, (name, value)| channel.set(name, *value));
        let error = channel.build(&surroundings()).err().unwrap().to_string();
        assert!(error.starts_with(why), "{error}");
    }
}
