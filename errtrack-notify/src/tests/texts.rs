//! What is told, in words.

use super::*;
use crate::{Words, html_mail};

const DASHBOARD: Option<&str> = Some("https://errors.example.com/");

#[test]
fn each_trigger_in_words() {
    let all: Vec<String> = Trigger::ALL
        .map(|trigger| {
            let words = Words::of(&told(trigger), DASHBOARD);
            format!("== {trigger}\nSubject: {}\n\n{}", words.subject, words.plain())
        })
        .into();
    insta::assert_snapshot!("plain", all.join("\n"));
}

#[test]
fn a_mail_in_html() {
    insta::assert_snapshot!("html_issue", html_mail(&Words::of(&told(Trigger::NewIssue), DASHBOARD)));
    insta::assert_snapshot!("html_digest", html_mail(&Words::of(&told(Trigger::Digest), DASHBOARD)));
    insta::assert_snapshot!("html_hostile", html_mail(&Words::of(&hostile(), DASHBOARD)));
}

#[test]
fn what_others_wrote_is_text_and_one_line() {
    let words = Words::of(&hostile(), DASHBOARD);
    let lines = [&words.subject, &words.headline, &words.title, &words.frames[0]];
    for line in lines.into_iter().chain(words.facts.iter().map(|(_, value)| value)) {
        assert!(!line.contains(['\r', '\n', '\u{202e}']) && line.chars().count() <= 400, "{line}");
    }
    assert!(words.subject.chars().count() <= 150);
    let html = html_mail(&words);
    assert!(!html.contains("<script") && html.contains("&lt;script&gt;"), "{html}");
    let link = html.split("href=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(link, "https://errors.example.com/issues/%22%3E%3Cscript%3E");
}

#[test]
fn without_an_address_there_are_no_links() {
    // An invitation brings its own.
    for trigger in Trigger::ALL.into_iter().filter(|trigger| *trigger != Trigger::Invitation) {
        let words = Words::of(&told(trigger), None);
        assert!(words.link.is_none() && !html_mail(&words).contains("href") && !words.plain().contains("http"));
    }
}

#[test]
fn a_notification_without_anything_can_be_told() {
    let words = Words::of(&Notification::default(), DASHBOARD);
    assert_eq!((words.subject.as_str(), words.title.as_str()), ("[errtrack] A rule", ""));
    assert!(html_mail(&words).contains("</html>"));
}
