//! Ruby: what an uncaught exception prints, `full_message`, `backtrace.join("\n")`, and the logs of Rails.

use super::{CHAIN, apart_by, exception, frame, lines, number};
use crate::{Exception, Frame};

pub(super) fn parse(text: &str) -> Vec<Exception> {
    if !text.contains(":in ") {
        return Vec::new();
    }
    let mut chain: Vec<Exception> = Vec::new();
    let mut head: Option<(&str, &str)> = None;
    let mut frames: Vec<Frame> = Vec::new();
    // Ruby 2.5 to 2.7 print the crash last on a terminal.
    let is_reversed = text.contains("Traceback (most recent call last)");
    for line in lines(text) {
        let text = line.trim();
        let text = text.split_once(": from ").filter(|(n, _)| number(n).is_some()).map_or(text, |(_, rest)| rest);
        let (found, message) = match place(text.strip_prefix("from ").unwrap_or(text)) {
            Some(found) => found,
            None => {
                if frames.is_empty() && head.is_none() {
                    head = above(text);
                }
                continue;
            }
        };
        if let Some((value, ty)) = message.and_then(named) {
            if !frames.is_empty() && !is_reversed {
                close(&mut chain, head.take(), std::mem::take(&mut frames));
                if chain.len() >= CHAIN {
                    break;
                }
            }
            head = Some((ty, value));
        }
        frames.push(found);
    }
    if is_reversed {
        frames.reverse();
    }
    close(&mut chain, head, frames);
    // An error is printed before its cause.
    chain.reverse();
    chain
}

fn close(chain: &mut Vec<Exception>, head: Option<(&str, &str)>, mut frames: Vec<Frame>) {
    if frames.is_empty() {
        return;
    }
    frames.reverse();
    let (module, ty) = head.map_or((None, None), |(ty, _)| apart_by(ty, "::"));
    let mut found = exception(ty, head.map(|(_, value)| value), frames);
    found.module = module.map(str::to_owned);
    chain.push(found);
}

/// ``/srv/cart.rb:12:in `pay'``, since Ruby 3.4 `/srv/cart.rb:12:in 'Cart#pay'`, and a message behind it.
fn place(text: &str) -> Option<(Frame, Option<&str>)> {
    let (at, rest) = text.split_once(":in ")?;
    let (file, line) = at.rsplit_once(':')?;
    let line = number(line)?;
    let rest = rest.strip_prefix(['`', '\''])?;
    let (function, rest) = rest.split_once('\'')?;
    if file.is_empty() || file.contains(' ') && !file.contains('/') || function.is_empty() {
        return None;
    }
    let (module, name) = match function.rsplit_once(['#', '.']) {
        Some((module, name)) if !module.is_empty() && !name.is_empty() && !module.contains(' ') => (Some(module), name),
        _ => (None, function),
    };
    let found =
        Frame { module: module.map(str::to_owned), function: Some(name.to_owned()), ..frame(file, Some(line), None) };
    Some((found, rest.strip_prefix(": ")))
}

/// `no card (CartError)`.
fn named(message: &str) -> Option<(&str, &str)> {
    let (value, ty) = message.strip_suffix(')')?.rsplit_once(" (")?;
    is_class(ty).then_some((value, ty))
}

/// The line above a backtrace: `CartError (no card):` of Rails, `CartError: no card` of others.
fn above(line: &str) -> Option<(&str, &str)> {
    let rails = line.strip_suffix("):").and_then(|rest| rest.split_once(" ("));
    let (ty, value) = rails.or_else(|| line.split_once(": "))?;
    is_class(ty).then_some((ty, value))
}

fn is_class(ty: &str) -> bool {
    ty.starts_with(|c: char| c.is_ascii_uppercase())
        && ty.len() <= 200
        && ty.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | ':'))
}
