//! What is done to a report before it is stored, on one core, with what SDKs really sent: parse, cut, sanitize, fingerprint.
//!
//! `prepare [ROUNDS]`: a table. The ceiling is what `serde_json` takes for a tree of the same bytes.
#![expect(clippy::print_stdout, clippy::cast_precision_loss, reason = "a program that prints figures")]

use anyhow::Result;
use errtrack_benches::median;
use errtrack_core::{
    Event, Formula, Preparer, ProjectId, Rule, Rules,
    grouping::{InApp, culprit, group},
    sanitize::Sanitizer,
};
use errtrack_fuzz::{Material, envelope};
use serde_json::{Value, json};
use std::{hint::black_box, time::Instant};

/// Times the calls of a function, one for each entry; what it needs is made before. Microseconds per entry, the median.
fn measure<T, R>(rounds: usize, make: impl Fn() -> Vec<T>, mut call: impl FnMut(T) -> R) -> f64 {
    let round = |_| {
        let entries = make();
        let mut results = Vec::with_capacity(entries.len());
        let start = Instant::now();
        for entry in entries {
            results.push(black_box(call(entry)));
        }
        start.elapsed().as_secs_f64() * 1e6 / results.len() as f64
    };
    median((0..rounds).map(round).collect())
}

/// Rules that have to look at all of an event, and then do not apply.
fn rules() -> Result<Vec<(&'static str, Rules)>> {
    let ten = |rule: fn(usize) -> Rule| Rules::new((0..10).map(rule).collect());
    Ok(vec![
        ("10 by type, globs", ten(|n| Rule::new().ty(format!("*::Nothing{n}")))?),
        ("10 by message, globs", ten(|n| Rule::new().message(format!("*nothing {n} timed out*")))?),
        ("10 by message, expressions", ten(|n| Rule::new().message(format!(r"re:nothing {n} took \d+ ms")))?),
        ("10 by path, globs", ten(|n| Rule::new().path(format!("*/nothing{n}/*.rs")))?),
        ("10 by function, expressions", ten(|n| Rule::new().function(format!("re:^nothing_{n}::")))?),
    ])
}

fn main() -> Result<()> {
    let rounds: usize = std::env::args().nth(1).map_or(Ok(200), |text| text.parse())?;
    let bodies = Material::read()?.envelopes;
    // Those that hold an event, once each.
    let mut bodies: Vec<_> = bodies.into_iter().filter(|body| envelope(body).len() == 1).collect();
    bodies.sort();
    bodies.dedup();
    let events: Vec<Event> = bodies.iter().flat_map(|body| envelope(body)).collect();
    let bytes = bodies.iter().map(Vec::len).sum::<usize>() as f64 / bodies.len() as f64;
    let texts: Vec<_> = events.iter().map(serde_json::to_vec).collect::<Result<_, _>>()?;
    println!("{} recorded envelopes with an event, {bytes:.0} bytes each, {rounds} rounds\n", bodies.len());

    let same = || events.clone();
    let ceiling = measure(rounds, || texts.clone(), |text| serde_json::from_slice::<Value>(&text));
    let parse = measure(rounds, || bodies.clone(), |body| envelope(&body));
    let preparer = Preparer::default();
    let prepare = measure(rounds, same, |event| preparer.prepare(ProjectId(1), event, Formula::Ours));
    let (in_app, sanitizer) = (InApp::default(), Sanitizer::default());
    let marked = || {
        let mut events = events.clone();
        events.iter_mut().for_each(|event| in_app.mark(event));
        events
    };
    let mark = measure(rounds, same, |mut event| {
        in_app.mark(&mut event);
        event
    });
    let sanitize = measure(rounds, marked, |mut event| {
        sanitizer.sanitize(&mut event);
        event
    });
    let grouped = measure(rounds, marked, |event| (group(&event), culprit(&event), event));
    let write = measure(rounds, same, |event| (serde_json::to_vec(&event), event));
    let rest = prepare - mark - sanitize - grouped - write;

    let whole = parse + prepare;
    let mut table = Vec::new();
    println!("| step | µs/event | share | events/s | MB/s | of the ceiling |\n|---|---|---|---|---|---|");
    for (step, micros) in [
        ("ceiling: `serde_json` into a tree", ceiling),
        ("parse the envelope", parse),
        ("mark what is in-app", mark),
        ("sanitize", sanitize),
        ("fingerprint and culprit", grouped),
        ("write as JSON", write),
        ("limits and the rest", rest),
        ("all of it", whole),
    ] {
        let (share, rate) = (100.0 * micros / whole, 1e6 / micros);
        let ratio = ceiling / micros;
        println!("| {step} | {micros:.1} | {share:.0} % | {rate:.0} | {:.0} | {ratio:.2} |", bytes / micros);
        table.push(json!({ "step": step, "us": micros, "share": share, "ceiling": ratio }));
    }
    println!("\n| rules, none of which applies | ns/event |\n|---|---|");
    for (what, rules) in rules()? {
        let nanos = 1e3 * measure(rounds, marked, |event| (rules.first(&event), event));
        println!("| {what} | {nanos:.0} |");
        table.push(json!({ "rules": what, "ns": nanos }));
    }
    std::fs::create_dir_all("target/bench")?;
    std::fs::write("target/bench/prepare.json", serde_json::to_vec_pretty(&table)?)?;
    Ok(())
}
