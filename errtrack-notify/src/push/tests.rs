//! What a page may send as its browser.

use super::{primitives::*, *};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use errtrack_core::AllowedTargets;

fn point() -> String {
    URL_SAFE_NO_PAD.encode(public_of(&new_signing_key().unwrap()).unwrap())
}

fn wrong(endpoint: &str, key: &str, secret: &str) -> &'static str {
    let none = AllowedTargets::default();
    new_subscription(Uuid::nil(), endpoint, key, secret, String::new(), &none).unwrap_err().field
}

const SECRET: &str = "BTBZMqHH6r4Tts7J_aSIgg";

#[test]
fn a_browser_is_taken_as_it_names_itself() {
    let (none, key) = (AllowedTargets::default(), point());
    for (key, secret) in [(key.clone(), SECRET.to_owned()), (format!("{key}="), format!("{SECRET}=="))] {
        let endpoint = "https://fcm.googleapis.com/fcm/send/abc:def?x=1";
        let browser = new_subscription(Uuid::nil(), endpoint, &key, &secret, "Here".into(), &none).unwrap();
        assert_eq!((browser.endpoint.as_str(), browser.key.len(), browser.secret.len()), (endpoint, 65, 16));
    }
}

#[test]
fn what_cannot_be_a_browser_is_refused_by_field() {
    let key = point();
    for endpoint in [
        "",
        "push",
        "http://push.example.com/a",
        "ftp://push.example.com/a",
        "https:///a",
        "https://user:secret@push.example.com/a",
        "https://push.example.com/ä",
        "https://push.example.com/a b",
        "https://127.0.0.1/a",
        "https://localhost:8080/a",
        "https://10.0.0.1/a",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/a",
        "https://[::ffff:10.0.0.1]/a",
        &format!("https://push.example.com/{}", "a".repeat(1_000)),
    ] {
        assert_eq!(wrong(endpoint, &key, SECRET), "endpoint", "{endpoint}");
    }
    let good = "https://push.example.com/a";
    for no_key in ["", "AAAA", &"A".repeat(87), key.trim_start_matches('B'), "ä", &format!("{key}{key}")] {
        assert_eq!(wrong(good, no_key, SECRET), "keys.p256dh", "{no_key}");
    }
    for no_secret in ["", "AAAA", SECRET.trim_start_matches('B'), "!!!!!!!!!!!!!!!!!!!!!!"] {
        assert_eq!(wrong(good, &key, no_secret), "keys.auth", "{no_secret}");
    }
    let allowed = AllowedTargets::new(["127.0.0.1"]).unwrap();
    let here = new_subscription(Uuid::nil(), "https://127.0.0.1:1/a", &key, SECRET, String::new(), &allowed);
    assert!(here.is_ok());
}

#[test]
fn browsers_have_names_that_people_know() {
    for (agent, name) in [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
            "Chrome on Windows",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
            "Safari on iPhone",
        ),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on macOS"),
        (
            "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36",
            "Chrome on Android",
        ),
        ("something\n else", "something else"),
    ] {
        assert_eq!(label(agent), name);
    }
}
