//! Mails by SMTP.

use super::{
    smtp_server::{Safety, SmtpServer},
    *,
};
use crate::smtp::{Server, SmtpChannel};
use base64::{Engine, engine::general_purpose::STANDARD};
use lettre::transport::smtp::client::Certificate;

/// A channel that trusts the server's certificate.
fn mail(server: &SmtpServer, scheme: &str, tls: &str) -> Arc<dyn Notifier> {
    Arc::new(SmtpChannel {
        name: "email".into(),
        server: Server::read(&format!("{scheme}://me:p%40ss+w@localhost:{}{tls}", server.port)).unwrap(),
        from: "Errors <errors@example.com>".parse().unwrap(),
        to: vec!["ada@example.com".into(), "Grace <grace@example.com>".into()],
        dashboard: surroundings().dashboard,
        allowed: Some(surroundings().allowed),
        roots: vec![Certificate::from_pem(server.certificate.as_bytes()).unwrap()],
    })
}

#[tokio::test]
async fn a_mail_of_each_trigger_arrives_plain_and_over_tls() {
    for (safety, scheme, tls) in [
        (Safety::Plain, "smtp", ""),
        (Safety::StartTls, "smtp", "?tls=required"),
        (Safety::StartTls, "smtp", "?tls=opportunistic"),
        (Safety::Tls, "smtps", ""),
    ] {
        let server = SmtpServer::start(safety).await;
        let channel = mail(&server, scheme, tls);
        for trigger in Trigger::ALL {
            send(&channel, told(trigger)).await.unwrap();
        }
        let mails = server.mails();
        assert_eq!(mails.len(), Trigger::ALL.len());
        for mail in &mails {
            assert_eq!((mail.from.as_str(), mail.secure), ("errors@example.com", safety != Safety::Plain));
            assert_eq!(mail.to, ["ada@example.com", "grace@example.com"]);
            assert_eq!(mail.login.as_deref(), Some(STANDARD.encode("\0me\0p@ss+w").as_str()));
        }
    }
}

#[tokio::test]
async fn a_mail_has_the_headers_that_it_needs_and_both_bodies() {
    let server = SmtpServer::start(Safety::Plain).await;
    send(&mail(&server, "smtp", ""), told(Trigger::NewIssue)).await.unwrap();
    let mail = server.mails().remove(0);
    let header = |name| mail.header(name).unwrap_or_default();
    assert_eq!(header("Subject"), "[shop] New issue: PaymentError: card <declined> & retried");
    assert_eq!(header("From"), "Errors <errors@example.com>");
    assert_eq!(header("To"), "ada@example.com, Grace <grace@example.com>");
    assert_eq!(header("Message-ID"), "<0192f0c4000070008000000000000001@example.com>");
    assert_eq!(header("References"), "<issue-0192f0c4-1111-7222-8333-444455556666@example.com>");
    assert_eq!(header("Auto-Submitted"), "auto-generated");
    assert!(header("Content-Type").starts_with("multipart/alternative"));
    assert!(
        mail.data.contains("Content-Type: text/plain; charset=utf-8")
            && mail.data.contains("Content-Type: text/html; charset=utf-8")
    );
}

#[tokio::test]
async fn no_text_becomes_a_header_or_a_recipient() {
    let server = SmtpServer::start(Safety::Plain).await;
    send(&mail(&server, "smtp", ""), hostile()).await.unwrap();
    let mail = server.mails().remove(0);
    assert_eq!(mail.to, ["ada@example.com", "grace@example.com"]);
    assert!(mail.header("Bcc").is_none() && mail.header("References").is_none());
    assert!(mail.data.lines().all(|line| line.len() < 998), "no line is longer than a mail may have");
}

#[tokio::test]
async fn an_entry_may_say_to_whom() {
    let server = SmtpServer::start(Safety::Plain).await;
    let channel = mail(&server, "smtp", "");
    let mut entry = entry("email", told(Trigger::Test));
    entry.recipients = vec!["owner@example.com".into()];
    channel.notify(&Delivery::new(&entry)).await.unwrap();
    assert_eq!(server.mails()[0].to, ["owner@example.com"]);
    entry.recipients = vec!["no address".into()];
    assert!(channel.notify(&Delivery::new(&entry)).await.unwrap_err().permanent);
}

#[tokio::test]
async fn what_the_server_says_decides_whether_it_is_tried_again() {
    let server = SmtpServer::start(Safety::Plain).await;
    server.refuse(&["451 try later", "550 no such mailbox"]);
    let channel = mail(&server, "smtp", "");
    let busy = send(&channel, told(Trigger::Test)).await.unwrap_err();
    assert!(!busy.permanent && busy.message.contains("451"), "{busy}");
    let unknown = send(&channel, told(Trigger::Test)).await.unwrap_err();
    assert!(
        unknown.permanent && unknown.message.contains("550") && unknown.message.contains("no such mailbox"),
        "{unknown}"
    );
    send(&channel, told(Trigger::Test)).await.unwrap();
}

#[tokio::test]
async fn a_server_that_cannot_be_trusted_gets_no_mail() {
    let (trusted, other) = (SmtpServer::start(Safety::Plain).await, SmtpServer::start(Safety::StartTls).await);
    let error = send(&mail(&trusted, "smtp", "?tls=required"), told(Trigger::Test)).await.unwrap_err();
    assert!(trusted.mails().is_empty(), "it has no TLS: {error}");
    let mut stranger = other;
    stranger.certificate.clone_from(&trusted.certificate);
    let error = send(&mail(&stranger, "smtp", "?tls=required"), told(Trigger::Test)).await.unwrap_err();
    assert!(error.message.contains("certificate") && stranger.mails().is_empty(), "{error}");
}

#[tokio::test]
async fn a_private_server_is_reached_only_if_it_is_allowed_or_named_at_the_start() {
    let server = SmtpServer::start(Safety::Plain).await;
    let url = format!("smtp://127.0.0.1:{}", server.port);
    let set = Channel::new("email", Kind::Email)
        .set("smtp_url", url)
        .set("from_email", "a@example.com")
        .set("to", "b@example.com");
    let closed = Surroundings { allowed: AllowedTargets::default(), ..surroundings() };
    let error = send(&set.build(&closed).unwrap(), told(Trigger::Test)).await.unwrap_err();
    assert!(error.permanent && error.message.contains("ALLOWED_TARGETS"), "{error}");
    let trusted = Surroundings { trusted_mail: true, ..closed };
    send(&set.build(&trusted).unwrap(), told(Trigger::Test)).await.unwrap();
    assert_eq!(server.mails().len(), 1);
}
