//! Java and Kotlin traces, as `Throwable.printStackTrace` writes them.

use super::{CHAIN, apart, exception, headline, lines, number};
use crate::{Exception, Frame};

pub(super) fn parse(text: &str) -> Vec<Exception> {
    if !text.contains("at ") {
        return Vec::new();
    }
    let mut chain: Vec<Exception> = Vec::new();
    let mut head: Option<(&str, &str)> = None;
    let mut frames: Vec<Frame> = Vec::new();
    let mut skips = false;
    for line in lines(text) {
        let line = line.trim();
        if let Some(rest) = line.strip_prefix("at ") {
            if let Some(found) = place(rest).filter(|_| !skips) {
                frames.push(found);
            }
        } else if line.starts_with("Suppressed: ") {
            skips = true;
        } else if let Some(cause) = line.strip_prefix("Caused by: ") {
            close(&mut chain, head, std::mem::take(&mut frames));
            head = headline(cause);
            skips = false;
            if chain.len() >= CHAIN {
                return ordered(chain);
            }
        } else if frames.is_empty() && head.is_none_or(|(ty, _)| !ty.contains('.')) {
            let line = line
                .strip_prefix("Exception in thread ")
                .and_then(|rest| rest.split_once("\" "))
                .map_or(line, |(_, rest)| rest);
            head = headline(line).or(head);
        }
    }
    close(&mut chain, head, frames);
    ordered(chain)
}

/// The text has the outermost error first; the model has it last.
fn ordered(mut chain: Vec<Exception>) -> Vec<Exception> {
    chain.reverse();
    chain
}

fn close(chain: &mut Vec<Exception>, head: Option<(&str, &str)>, mut frames: Vec<Frame>) {
    if frames.is_empty() && chain.is_empty() {
        return;
    }
    frames.reverse();
    let (module, ty) = head.map_or((None, None), |(ty, _)| (apart(ty).0, Some(apart(ty).1)));
    let mut found = exception(ty, head.map(|(_, value)| value), frames);
    found.module = module.map(str::to_owned);
    chain.push(found);
}

/// `a.b.C.m(File.java:12)`, `a.b.C.m(Native Method)`, `app//a.b.C.m(Unknown Source)`.
fn place(rest: &str) -> Option<Frame> {
    let (function, place) = rest.split_once('(')?;
    let place = place.split(')').next().unwrap_or_default();
    let (file, line) = place.split_once(':').unwrap_or((place, ""));
    let is_java = [".java", ".kt", ".scala", ".groovy", ".clj"].iter().any(|end| file.ends_with(end));
    let is_known = is_java || matches!(file, "Native Method" | "Unknown Source");
    let function = function.rsplit('/').next().unwrap_or_default();
    let (class, method) = function.rsplit_once('.')?;
    is_known.then(|| Frame {
        module: Some(class.to_owned()),
        function: Some(method.to_owned()),
        filename: is_java.then(|| file.to_owned()),
        lineno: number(line),
        ..Frame::default()
    })
}
