//! How much of what is secret is filtered, and how much of what is not: a corpus of both, in every part of an event.
//!
//! `secrets.tsv` and `harmless.txt` are made up; no line ever opened anything. Figures are printed with `--nocapture`.

#![expect(clippy::unwrap_used, clippy::string_slice, reason = "it is a test")]

mod places;

use errtrack_core::{Event, sanitize::Sanitizer};
use places::{PLACES, Place};
use std::collections::BTreeMap;

/// A line of `secrets.tsv`.
struct Secret {
    kind: &'static str,
    /// Its key, where it does not say by itself what it is.
    key: Option<&'static str>,
    text: String,
    /// What must not be left of it.
    core: String,
}

fn secrets() -> Vec<Secret> {
    let lines = include_str!("secrets.tsv").lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let [kind, how, key, text, core] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
            let key = (how == "keyed").then_some(key);
            Secret { kind, key, text: text.replace("\\n", "\n"), core: core.to_owned() }
        })
        .collect()
}

fn sanitized(mut event: Event) -> String {
    Sanitizer::default().sanitize(&mut event);
    serde_json::to_string(&event).unwrap()
}

/// A text as it stands in JSON, without the quotes around it.
fn in_json(text: &str) -> String {
    let quoted = serde_json::to_string(text).unwrap();
    quoted[1..quoted.len() - 1].to_owned()
}

#[test]
fn secrets_are_filtered_wherever_they_stand() {
    let secrets = secrets();
    let kinds: BTreeMap<_, _> = secrets.iter().map(|secret| (secret.kind, ())).collect();
    assert!(secrets.len() >= 300 && kinds.len() >= 25 && PLACES.len() >= 10);
    let (mut all, mut left) = (0_u32, Vec::new());
    for secret in &secrets {
        for Place { name, put } in PLACES {
            let Some(event) = put(secret.key, &secret.text) else { continue };
            all += 1;
            // Twice in JSON where a body holds JSON.
            let core = in_json(&secret.core);
            let stored = sanitized(event);
            if stored.contains(&core) || stored.contains(&in_json(&core)) {
                left.push(format!("{} in {name}: {} {}", secret.kind, secret.key.unwrap_or_default(), secret.text));
            }
        }
    }
    let caught = 100.0 * (1.0 - left.len() as f64 / f64::from(all));
    println!(
        "{} secrets of {} kinds in {} places: {caught:.2} % of {all} filtered",
        secrets.len(),
        kinds.len(),
        PLACES.len()
    );
    println!("{}", left.join("\n"));
    assert!(caught >= 99.5, "{caught:.2} % caught; left:\n{}", left.join("\n"));
}

#[test]
fn what_only_looks_like_a_secret_is_left_alone() {
    let (mut all, mut spoilt) = (0_u32, Vec::new());
    for text in include_str!("harmless.txt").lines() {
        for Place { name, put } in PLACES.iter().filter(|place| place.takes_prose()) {
            let Some(event) = put(None, text) else { continue };
            all += 1;
            let before = serde_json::to_string(&event).unwrap();
            let after = sanitized(event);
            if after != before {
                spoilt.push(format!("in {name}: {text}\n  {after}"));
            }
        }
    }
    assert!(all >= 1000);
    let share = 100.0 * spoilt.len() as f64 / f64::from(all);
    println!("{share:.2} % of {all} harmless texts spoilt");
    assert!(share <= 0.5, "{share:.2} % spoilt:\n{}", spoilt.join("\n"));
}
