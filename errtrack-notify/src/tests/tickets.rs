//! Each service is asked exactly as it documents, and what it answers is understood.

use super::{
    issue,
    receiver::{Received, Receiver},
    surroundings,
};
use crate::{CreatedTicket, InvalidChannel, Settings, TicketDraft, TicketError, TicketKind, TicketService};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const TOKEN: &str = "secret-token-0123456789";
const MADE_BY_GITHUB: &str = r#"{"id":1,"number":12,"html_url":"https://github.com/acme/shop/issues/12","title":"x"}"#;
const MADE_BY_GITLAB: &str = r##"{"id":90,"iid":3,"web_url":"https://gitlab.com/acme/web/shop/-/issues/3",
    "references":{"short":"#3","relative":"#3","full":"acme/web/shop#3"}}"##;
const MADE_BY_JIRA: &str =
    r#"{"id":"10000","key":"SHOP-12","self":"https://acme.atlassian.net/rest/api/2/issue/10000"}"#;

fn settings(pairs: &[(&str, &str)]) -> Settings {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn of(kind: TicketKind, url: &str) -> Settings {
    match kind {
        TicketKind::GitHub => settings(&[("token", TOKEN), ("repository", "acme/shop"), ("api_url", url)]),
        TicketKind::GitLab => settings(&[("token", TOKEN), ("project", "acme/web/shop"), ("url", url)]),
        TicketKind::Jira => settings(&[("token", TOKEN), ("project", "SHOP"), ("url", url)]),
    }
}

fn service(kind: TicketKind, settings: &Settings) -> TicketService {
    TicketService::build(kind, settings, &surroundings()).unwrap()
}

fn draft() -> TicketDraft {
    TicketDraft {
        title: "PaymentError: card declined".into(),
        note: "Seen since the deploy.\n\n@ada, can you look?".into(),
        issue: issue(),
        dashboard: Some("https://errors.example.com/".into()),
    }
}

/// A text that means something to every service wherever it is put.
const HOSTILE: &str = "@everyone closes #1 GH-2 a/b#3 !4 `x` ``` {noformat} {NoFormat:title=x} [~admin] h1. <img src=x> \
                       [x](javascript:alert(1)) {code} &amp; */close* https://github.com/a/b/issues/1 \u{202e}dcba";

fn hostile() -> TicketDraft {
    let mut issue = issue();
    issue.title = format!("/close\r\n/assign @me\r\n{HOSTILE}");
    issue.culprit = format!("`{HOSTILE}`");
    issue.release = Some(format!("```\n{HOSTILE}"));
    issue.environment = Some("{noformat}".into());
    issue.frames = vec![HOSTILE.into(), "/close".into(), "``` ````".into(), "{".into(), "noformat}".into()];
    issue.path = "issues/\"><script>)".into();
    issue.short_id = "SHOP|x]-42".into();
    TicketDraft { title: format!("/close {HOSTILE}").repeat(9), note: String::new(), issue, ..draft() }
}

/// Makes a ticket at a service that answers so; answers what came and what it came to.
async fn create(
    kind: TicketKind,
    more: &[(&str, &str)],
    draft: &TicketDraft,
    answer: (u16, Vec<(&'static str, &'static str)>, &'static str),
) -> (Received, Result<CreatedTicket, TicketError>) {
    let receiver = Receiver::start(&[answer]).await;
    let mut all = of(kind, &receiver.url);
    all.extend(settings(more));
    let made = service(kind, &all).create(draft).await;
    (receiver.one(), made)
}

#[tokio::test]
async fn github_gets_an_issue_of_the_repository() {
    let more = [("labels", "bug, from errtrack,,")];
    let (received, made) = create(TicketKind::GitHub, &more, &draft(), (201, vec![], MADE_BY_GITHUB)).await;
    assert_eq!((received.method.as_str(), received.path.as_str()), ("POST", "/repos/acme/shop/issues"));
    assert_eq!(received.header("accept"), "application/vnd.github+json");
    assert_eq!(received.header("authorization"), format!("Bearer {TOKEN}"));
    assert_eq!(received.header("x-github-api-version"), "2022-11-28");
    assert_eq!(received.header("content-type"), "application/json");
    assert!(received.header("user-agent").starts_with("errtrack/"), "without one it answers 403");
    insta::assert_json_snapshot!("github", received.json());
    let made = made.unwrap();
    assert_eq!((made.key.as_str(), made.url.as_str()), ("acme/shop#12", "https://github.com/acme/shop/issues/12"));
    assert_eq!(made.title, "PaymentError: card declined");
    let plain = TicketDraft { note: String::new(), dashboard: None, ..draft() };
    let (received, _) = create(TicketKind::GitHub, &[], &plain, (201, vec![], MADE_BY_GITHUB)).await;
    let body = received.json();
    assert!(body.get("labels").is_none() && body["body"].as_str().unwrap().contains("- Issue: `SHOP-42`"), "{body}");
    assert!(!body["body"].as_str().unwrap().contains("errtrack]("), "{body}");
}

#[tokio::test]
async fn gitlab_gets_an_issue_of_the_project() {
    let more = [("labels", "bug,errtrack")];
    let (received, made) = create(TicketKind::GitLab, &more, &draft(), (201, vec![], MADE_BY_GITLAB)).await;
    assert_eq!(
        (received.method.as_str(), received.path.as_str()),
        ("POST", "/api/v4/projects/acme%2Fweb%2Fshop/issues")
    );
    assert_eq!(received.header("private-token"), TOKEN);
    assert_eq!(received.header("content-type"), "application/json");
    insta::assert_json_snapshot!("gitlab", received.json());
    let made = made.unwrap();
    let expected = ("acme/web/shop#3", "https://gitlab.com/acme/web/shop/-/issues/3");
    assert_eq!((made.key.as_str(), made.url.as_str()), expected);
    let (received, _) = create(TicketKind::GitLab, &[("project", "77")], &draft(), (201, vec![], MADE_BY_GITLAB)).await;
    assert_eq!(received.path, "/api/v4/projects/77/issues");
}

#[tokio::test]
async fn jira_gets_an_issue_of_the_project() {
    let more = [("labels", "errtrack, shop"), ("email", "ada@example.com"), ("issue_type", "Defect")];
    let (received, made) = create(TicketKind::Jira, &more, &draft(), (201, vec![], MADE_BY_JIRA)).await;
    assert_eq!((received.method.as_str(), received.path.as_str()), ("POST", "/rest/api/2/issue"));
    // ada@example.com:secret-token-0123456789
    let basic = "Basic YWRhQGV4YW1wbGUuY29tOnNlY3JldC10b2tlbi0wMTIzNDU2Nzg5";
    assert_eq!((received.header("authorization"), received.header("accept")), (basic, "application/json"));
    assert_eq!(received.header("content-type"), "application/json");
    insta::assert_json_snapshot!("jira", received.json());
    let made = made.unwrap();
    assert!(made.key == "SHOP-12" && made.url.ends_with("/browse/SHOP-12"), "{made:?}");
    // A personal access token of Data Center.
    let (received, _) = create(TicketKind::Jira, &[], &draft(), (201, vec![], MADE_BY_JIRA)).await;
    assert_eq!(received.header("authorization"), format!("Bearer {TOKEN}"));
    assert_eq!(received.json()["fields"]["issuetype"], json!({"name": "Bug"}));
    assert!(received.json()["fields"].get("labels").is_none());
}

/// What of a Markdown text is neither in a fence nor in a code span, and its lines as they begin.
fn outside_of_code(text: &str) -> String {
    let mut outside = String::new();
    let mut fence = None;
    for line in text.lines() {
        let ticks = line.len() - line.trim_start_matches('`').len();
        match fence {
            Some(open) if ticks >= open && ticks == line.trim_end().len() => fence = None,
            Some(_) => assert!(!line.starts_with('/'), "GitLab does that: {line}"),
            None if ticks >= 3 && ticks == line.len() => fence = Some(ticks),
            None => {
                let line: Vec<char> = line.chars().collect();
                // The end of code is the next run of just so many.
                let mut open: Option<usize> = None;
                for run in line.chunk_by(|a, b| (*a == '`') == (*b == '`')) {
                    match (run[0] == '`', open) {
                        (false, None) => outside.extend(run),
                        (true, None) => open = Some(run.len()),
                        (true, Some(ticks)) if ticks == run.len() => open = None,
                        (_, Some(_)) => {}
                    }
                }
                assert_eq!(open, None, "open code: {line:?}");
                outside.push('\n');
            }
        }
    }
    assert_eq!(fence, None, "every fence is closed");
    outside
}

#[tokio::test]
async fn nothing_of_an_event_is_markup_for_github_or_gitlab() {
    for (kind, answer, field) in
        [(TicketKind::GitHub, MADE_BY_GITHUB, "body"), (TicketKind::GitLab, MADE_BY_GITLAB, "description")]
    {
        let (received, made) = create(kind, &[], &hostile(), (201, vec![], answer)).await;
        let (json, made) = (received.json(), made.unwrap());
        let body = json[field].as_str().unwrap();
        let outside = outside_of_code(body);
        let expected = "**Error:** \n\n- Where: \n- Level: \n- Events: \n- First seen: \n- Last seen: \n- Release: \n\
                        - Environment: \n\n\n[ in errtrack](<https://errors.example.com/issues/%22%3E%3Cscript%3E%29>)\n";
        assert_eq!(outside, expected, "{body}");
        assert!(body.contains("@everyone closes #1") && !body.contains('\u{202e}'), "it is all there: {body}");
        let title = json["title"].as_str().unwrap();
        assert!(title.chars().count() == 255 && title == made.title && !title.contains('\n'), "{title}");
        if kind == TicketKind::GitLab {
            for reference in ["@everyone", "#1", "b#3", "!4", "[~admin", "://"] {
                assert!(!title.contains(reference), "{reference}: {title}");
            }
            assert!(title.contains("@\u{2060}everyone"), "{title}");
        }
    }
}

#[tokio::test]
async fn nothing_of_an_event_is_markup_for_jira() {
    let (received, _) = create(TicketKind::Jira, &[], &hostile(), (201, vec![], MADE_BY_JIRA)).await;
    let fields = &received.json()["fields"];
    let body = fields["description"].as_str().unwrap();
    let parts: Vec<&str> = body.split("{noformat}").collect();
    let [before, inside, after] = parts.as_slice() else { panic!("one block: {body}") };
    assert!(before.is_empty() && inside.contains("[~admin]") && inside.contains("{ noformat}"), "{body}");
    assert!(!inside.to_lowercase().contains("{noformat"), "{body}");
    assert_eq!(after.trim(), "[SHOPx-42 in errtrack|https://errors.example.com/issues/%22%3E%3Cscript%3E%29]");
    let title = fields["summary"].as_str().unwrap();
    assert!(title.chars().count() == 255 && !title.contains(['\n', '\r', '\u{202e}']), "{title}");
}

#[tokio::test]
async fn a_note_stays_within_its_quotation_and_within_the_limits() {
    let note = "/close\n```\n<!--\n{noformat}\n\0\u{1b}".to_owned() + &"long ".repeat(20_000);
    let draft = TicketDraft { note, ..hostile() };
    let (received, _) = create(TicketKind::GitLab, &[], &draft, (201, vec![], MADE_BY_GITLAB)).await;
    let body = received.json()["description"].as_str().unwrap().to_owned();
    let (before, quoted) = body.split_once("\n\n> /close\n").unwrap();
    assert!(quoted.lines().all(|line| line.starts_with("> ")) && !body.contains(['\0', '\u{1b}']), "{body}");
    outside_of_code(before);
    let (received, _) = create(TicketKind::Jira, &[], &draft, (201, vec![], MADE_BY_JIRA)).await;
    let body = received.json()["fields"]["description"].as_str().unwrap().to_owned();
    assert_eq!(body.chars().count(), 32_767);
    assert!(body.rfind("\n/close\n").unwrap() > body.find("in errtrack|").unwrap(), "last: {body}");
}

#[tokio::test]
async fn what_a_service_says_is_told_without_secrets() {
    let github =
        r#"{"message":"Validation Failed","errors":[{"resource":"Issue","field":"title","code":"missing_field"}]}"#;
    let jira = r#"{"errorMessages":[],"errors":{"issuetype":"The issue type selected is invalid."}}"#;
    let echo = r#"{"message":"bad header: Bearer secret-token-0123456789","error":"Basic YWRhQGV4YW1wbGUuY29tOnNlY3JldC10b2tlbi0wMTIzNDU2Nzg5"}"#;
    for (kind, status, answer, message) in [
        (TicketKind::GitHub, 401, r#"{"message":"Bad credentials"}"#, "answered 401: Bad credentials"),
        (TicketKind::GitHub, 404, r#"{"message":"Not Found","status":"404"}"#, "answered 404: Not Found"),
        (
            TicketKind::GitHub,
            410,
            r#"{"message":"Issues are disabled for this repo"}"#,
            "answered 410: Issues are disabled for this repo",
        ),
        (
            TicketKind::GitHub,
            422,
            github,
            "answered 422: Validation Failed; code: missing_field; field: title; resource: Issue",
        ),
        (TicketKind::GitLab, 401, r#"{"message":"401 Unauthorized"}"#, "answered 401: 401 Unauthorized"),
        (TicketKind::GitLab, 404, r#"{"message":"404 Project Not Found"}"#, "answered 404: 404 Project Not Found"),
        (TicketKind::GitLab, 400, r#"{"message":{"title":["is too long"]}}"#, "answered 400: title: is too long"),
        (
            TicketKind::GitLab,
            403,
            r#"{"error":"insufficient_scope","error_description":"more is needed"}"#,
            "answered 403: insufficient_scope; more is needed",
        ),
        (TicketKind::Jira, 400, jira, "answered 400: issuetype: The issue type selected is invalid."),
        (TicketKind::Jira, 404, r#"{"errorMessages":["No project"]}"#, "answered 404: No project"),
        (TicketKind::Jira, 401, "<html><title>Unauthorized (401)</title>", "answered 401"),
        (TicketKind::GitHub, 500, "", "answered 500"),
        (TicketKind::GitHub, 301, "{}", "answered 301: redirects are not followed; has it another name now?"),
        (TicketKind::Jira, 400, echo, "answered 400: bad header: Bearer ****; Basic ****"),
        (TicketKind::GitLab, 400, "raw secret-token-0123456789", "answered 400: raw ****"),
    ] {
        let more = if kind == TicketKind::Jira { vec![("email", "ada@example.com")] } else { vec![] };
        let (_, made) = create(kind, &more, &draft(), (status, vec![], answer)).await;
        let expected =
            TicketError { message: message.into(), is_too_slow: false, is_uncertain: false, retry_after: None };
        assert_eq!(made, Err(expected), "{kind} {status}");
    }
    let shown = format!("{:?}", service(TicketKind::GitHub, &of(TicketKind::GitHub, "http://127.0.0.1:9")));
    assert!(!shown.contains(TOKEN), "{shown}");
}

#[tokio::test]
async fn a_service_that_has_enough_says_for_how_long() {
    let again = r#"{"message":"API rate limit exceeded"}"#;
    for kind in TicketKind::ALL {
        let (_, made) = create(kind, &[], &draft(), (429, vec![("retry-after", "37")], again)).await;
        let error = made.unwrap_err();
        assert_eq!((error.retry_after, error.is_uncertain), (Some(Duration::from_secs(37)), false));
        assert_eq!(error.message, "answered 429: API rate limit exceeded");
    }
    let limit = vec![("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "99999999999")];
    let (_, made) = create(TicketKind::GitHub, &[], &draft(), (403, limit, again)).await;
    assert!(made.unwrap_err().retry_after.unwrap() > Duration::from_secs(1_000_000));
    let (_, made) = create(TicketKind::GitHub, &[], &draft(), (403, vec![], "{}")).await;
    assert_eq!(made.unwrap_err().retry_after, None);
}

#[tokio::test]
async fn what_may_have_been_made_is_told_apart() {
    // Nobody answers.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = of(TicketKind::GitHub, &format!("http://{}", listener.local_addr().unwrap()));
    let start = Instant::now();
    let slow =
        service(TicketKind::GitHub, &silent).patience(Duration::from_secs(1)).create(&draft()).await.unwrap_err();
    assert!(slow.is_too_slow && slow.is_uncertain && slow.message == "no answer within 1 s", "{slow:?}");
    assert!(start.elapsed() < Duration::from_secs(15));
    let check = service(TicketKind::GitHub, &silent).patience(Duration::from_secs(1)).check().await.unwrap_err();
    assert!(check.is_too_slow && !check.is_uncertain, "reading changes nothing: {check:?}");
    drop(listener);
    let nobody = service(TicketKind::GitHub, &silent).create(&draft()).await.unwrap_err();
    assert!(!nobody.is_uncertain && nobody.message.starts_with("no connection"), "{nobody:?}");
    for (status, body, uncertain) in [
        (504, "", true),
        (503, "", false),
        (201, "{}", true),
        (201, "<html>", true),
        (201, r#"{"number":1,"html_url":"javascript:alert(1)"}"#, true),
    ] {
        let (_, made) = create(TicketKind::GitHub, &[], &draft(), (status, vec![], body)).await;
        assert_eq!(made.unwrap_err().is_uncertain, uncertain, "{status} {body}");
    }
    let private = TicketService::build(TicketKind::GitHub, &silent, &crate::Surroundings::default()).unwrap();
    let error = private.create(&draft()).await.unwrap_err();
    assert_eq!(error.message, "its address is private: ALLOWED_TARGETS does not name it");
}

#[tokio::test]
async fn a_check_reads_what_proves_token_and_target() {
    let types = r#"{"key":"SHOP","issueTypes":[{"name":"Task","subtask":false},{"name":"Bug","subtask":true}]}"#;
    let bug = r#"{"key":"SHOP","issueTypes":[{"name":"bug","subtask":false}]}"#;
    let (ok, me) = (None, r#"{"accountId":"1"}"#);
    for (kind, answers, paths, error) in [
        (TicketKind::GitHub, vec![(200, r#"{"has_issues":true,"archived":false}"#)], vec!["/repos/acme/shop"], ok),
        (
            TicketKind::GitHub,
            vec![(200, r#"{"has_issues":false}"#)],
            vec!["/repos/acme/shop"],
            Some("issues are switched off in acme/shop"),
        ),
        (
            TicketKind::GitHub,
            vec![(200, r#"{"has_issues":true,"archived":true}"#)],
            vec!["/repos/acme/shop"],
            Some("acme/shop is archived"),
        ),
        (TicketKind::GitHub, vec![(200, "<html>")], vec!["/repos/acme/shop"], Some("answered, but not as GitHub does")),
        (
            TicketKind::GitHub,
            vec![(404, r#"{"message":"Not Found"}"#)],
            vec!["/repos/acme/shop"],
            Some("answered 404: Not Found"),
        ),
        (
            TicketKind::GitLab,
            vec![(200, r#"{"id":7,"issues_access_level":"enabled"}"#)],
            vec!["/api/v4/projects/acme%2Fweb%2Fshop"],
            ok,
        ),
        (
            TicketKind::GitLab,
            vec![(200, r#"{"id":7,"issues_access_level":"disabled"}"#)],
            vec!["/api/v4/projects/acme%2Fweb%2Fshop"],
            Some("issues are switched off in acme/web/shop"),
        ),
        (
            TicketKind::GitLab,
            vec![(200, "{}")],
            vec!["/api/v4/projects/acme%2Fweb%2Fshop"],
            Some("answered, but not as GitLab does"),
        ),
        (TicketKind::Jira, vec![(200, me), (200, bug)], vec!["/rest/api/2/myself", "/rest/api/2/project/SHOP"], ok),
        (
            TicketKind::Jira,
            vec![(200, me), (200, types)],
            vec!["/rest/api/2/myself", "/rest/api/2/project/SHOP"],
            Some("SHOP has no issues of the type Bug; these are: Task"),
        ),
        (TicketKind::Jira, vec![(401, "")], vec!["/rest/api/2/myself"], Some("answered 401")),
    ] {
        let answers: Vec<_> = answers.into_iter().map(|(status, body)| (status, vec![], body)).collect();
        let receiver = Receiver::start(&answers).await;
        let checked = service(kind, &of(kind, &receiver.url)).check().await;
        assert_eq!(checked.map_err(|error| error.message).err().as_deref(), error, "{kind} {paths:?}");
        let seen = receiver.seen();
        assert_eq!(seen.iter().map(|received| received.path.as_str()).collect::<Vec<_>>(), paths);
        assert!(seen.iter().all(|received| received.method == "GET" && received.body.is_empty()));
        let name = if kind == TicketKind::GitLab { "private-token" } else { "authorization" };
        assert!(seen.iter().all(|received| received.header(name).ends_with(TOKEN)));
    }
}

#[test]
fn a_wrong_setting_is_told_by_its_name() {
    let url = "https://example.com";
    for (kind, name, value, why) in [
        (TicketKind::GitHub, "token", "", "token: is needed: github_pat_…"),
        (TicketKind::GitHub, "token", "a b", "token: must be letters, digits and signs alone"),
        (TicketKind::GitHub, "repository", "shop", "repository: must be like acme/shop"),
        (TicketKind::GitHub, "repository", "acme/../x", "repository: must be like acme/shop"),
        (TicketKind::GitHub, "repository", "acme/..", "repository: must be like acme/shop"),
        (TicketKind::GitHub, "api_url", "ftp://x", "api_url: must be a URL"),
        (TicketKind::GitHub, "api_url", "https://x/?a", "api_url: must have neither"),
        (TicketKind::GitHub, "labels", &"x".repeat(51), "labels: `xxx"),
        (TicketKind::GitLab, "project", "shop", "project: must be like acme/shop, or the project's number"),
        (TicketKind::GitLab, "project", "acme//shop", "project: must be like"),
        (TicketKind::GitLab, "project", "acme/sh?op", "project: must be like"),
        (TicketKind::Jira, "url", "", "url: is needed: https://acme.atlassian.net"),
        (TicketKind::Jira, "project", "shop", "project: must be a key like SHOP"),
        (TicketKind::Jira, "email", "ada", "email: must be an address"),
        (TicketKind::Jira, "labels", "two words", "labels: `two words` has a space"),
    ] {
        let mut wrong = of(kind, url);
        wrong.insert(name.into(), value.into());
        let error: InvalidChannel = TicketService::build(kind, &wrong, &surroundings()).unwrap_err();
        assert!(error.to_string().starts_with(why), "{error}");
    }
    for kind in TicketKind::ALL {
        assert_eq!(kind.as_str().parse(), Ok(kind));
        assert!(kind.as_str().parse::<crate::Kind>().is_err(), "it is no channel");
        assert_eq!(kind.masked(&of(kind, url))["token"], "****6789");
        assert_eq!(kind.merged(Some(&of(kind, url)), &settings(&[("token", "****6789")]))["token"], TOKEN);
    }
}

#[test]
fn a_service_knows_its_own_tickets_by_their_addresses() {
    let key = |kind, settings: &Settings, url: &str| service(kind, settings).key_of(url);
    let github = settings(&[("token", "x"), ("repository", "acme/shop")]);
    let own = of(TicketKind::GitHub, "https://git.example.com/api/v3/");
    for (settings, url, expected) in [
        (&github, "https://github.com/Acme/shop/issues/12", Some("acme/shop#12")),
        (&github, "https://github.com/acme/shop/pull/12#x", Some("acme/shop#12")),
        (&github, "https://github.com/acme/other/issues/12", None),
        (&github, "https://git.example.com/acme/shop/issues/12", None),
        (&own, "https://git.example.com/acme/shop/issues/12", Some("acme/shop#12")),
        (&own, "https://github.com/acme/shop/issues/12", None),
        (&own, "nothing", None),
    ] {
        assert_eq!(key(TicketKind::GitHub, settings, url).as_deref(), expected, "{url}");
    }
    let gitlab = of(TicketKind::GitLab, "https://example.com/git");
    let numbered = settings(&[("token", "x"), ("project", "7")]);
    for (settings, url, expected) in [
        (&gitlab, "https://example.com/git/acme/web/shop/-/issues/3", Some("acme/web/shop#3")),
        (&gitlab, "https://example.com/git/acme/shop/-/issues/3", None),
        (&gitlab, "https://example.com/acme/web/shop/-/issues/3", None),
        (&numbered, "https://gitlab.com/acme/shop/-/issues/3", None),
    ] {
        assert_eq!(key(TicketKind::GitLab, settings, url).as_deref(), expected, "{url}");
    }
    let jira = of(TicketKind::Jira, "https://acme.atlassian.net");
    for (url, expected) in [
        ("https://acme.atlassian.net/browse/SHOP-1", Some("SHOP-1")),
        ("https://acme.atlassian.net/browse/SHOPPE-1", None),
        ("https://other.atlassian.net/browse/SHOP-1", None),
    ] {
        assert_eq!(key(TicketKind::Jira, &jira, url).as_deref(), expected, "{url}");
    }
}

/// What is sent is JSON of the shape that each documents, and nothing more.
#[tokio::test]
async fn no_field_is_sent_that_is_not_documented() {
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let (received, _) = create(TicketKind::GitHub, &[], &hostile(), (201, vec![], MADE_BY_GITHUB)).await;
    assert_eq!(names(&received.json()), ["body", "title"]);
    let (received, _) = create(TicketKind::GitLab, &[], &hostile(), (201, vec![], MADE_BY_GITLAB)).await;
    assert_eq!(names(&received.json()), ["description", "title"]);
    let (received, _) = create(TicketKind::Jira, &[], &hostile(), (201, vec![], MADE_BY_JIRA)).await;
    assert_eq!(names(&received.json()), ["fields"]);
    assert_eq!(names(&received.json()["fields"]), ["description", "issuetype", "project", "summary"]);
}
