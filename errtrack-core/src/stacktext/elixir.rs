//! Elixir: what `Exception.format` writes, also in the reports of processes that ended.

use super::{CHAIN, apart, exception, frame, lines, number};
use crate::{Exception, Frame};

pub(super) fn parse(text: &str) -> Vec<Exception> {
    if !text.contains(".ex") && !text.contains(".erl") {
        return Vec::new();
    }
    let mut chain: Vec<Exception> = Vec::new();
    let mut head: Option<(&str, String)> = None;
    let mut frames: Vec<Frame> = Vec::new();
    for line in lines(text) {
        let text = line.trim();
        if let Some((ty, value)) = text.split_once("** (").and_then(|(_, rest)| rest.split_once(") ")) {
            close(&mut chain, head.take(), std::mem::take(&mut frames));
            if chain.len() >= CHAIN {
                return chain;
            }
            head = Some((ty, value.to_owned()));
        } else if let Some(found) = place(text) {
            frames.push(found);
        } else if let Some((_, value)) = head.as_mut().filter(|_| frames.is_empty())
            && value.len() < super::VALUE
            && !text.is_empty()
        {
            value.push('\n');
            value.push_str(text);
        } else if text.starts_with("Last message") || text.starts_with("State:") {
            break;
        }
    }
    close(&mut chain, head, frames);
    // An exit is printed before the error that led to it.
    chain.reverse();
    chain
}

fn close(chain: &mut Vec<Exception>, head: Option<(&str, String)>, mut frames: Vec<Frame>) {
    // An exit says no more than what led to it, and has no frames.
    if frames.is_empty() {
        return;
    }
    frames.reverse();
    let (module, ty) = head.as_ref().map_or((None, None), |(ty, _)| (apart(ty).0, Some(apart(ty).1)));
    let mut found = exception(ty, head.as_ref().map(|(_, value)| value.as_str()), frames);
    found.module = module.map(str::to_owned);
    chain.push(found);
}

/// `(shop 0.1.0) lib/shop/cart.ex:12: Shop.Cart.pay/1`.
fn place(line: &str) -> Option<Frame> {
    let (package, rest) = match line.strip_prefix('(') {
        Some(rest) => {
            let (package, rest) = rest.split_once(") ")?;
            (package.split(' ').next(), rest)
        }
        None => (None, line),
    };
    let (at, function) = rest.split_once(": ")?;
    let (file, line) = at.rsplit_once(':')?;
    let line = number(line)?;
    if ![".ex", ".exs", ".erl", ".eex", ".heex"].iter().any(|end| file.ends_with(end)) {
        return None;
    }
    let (module, name) = called(function);
    Some(Frame {
        module: module.map(str::to_owned),
        function: (!name.is_empty()).then(|| name.to_owned()),
        package: package.map(str::to_owned),
        ..frame(file, Some(line), None)
    })
}

/// `Shop.Cart.pay/1` is `pay/1` of `Shop.Cart`; `anonymous fn/2 in Shop.Cart.pay/1` and `:timer.tc/1` likewise.
fn called(function: &str) -> (Option<&str>, &str) {
    let function = function.rsplit_once(" in ").map_or(function, |(_, outer)| outer);
    let function = function.trim_start_matches(':');
    // Names that the compiler made are quoted, and may hold dots.
    let end = function.find('"').unwrap_or(function.len());
    match function.get(..end).and_then(|head| head.rfind('.')) {
        Some(dot) => (function.get(..dot), function.get(dot + 1..).unwrap_or_default()),
        None => (None, function),
    }
}
