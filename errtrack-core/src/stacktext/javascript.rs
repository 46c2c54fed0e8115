//! JavaScript stacks: of V8 (Chrome, Node, Deno), SpiderMonkey (Firefox), JavaScriptCore (Safari, Bun) and Hermes.
//!
//! No standard says how `Error.stack` looks; these are the forms in use.

use super::{exception, frame, headline, lines, location, names_an_error};
use crate::{Exception, Frame};

pub(super) fn parse(text: &str) -> Vec<Exception> {
    let mut frames: Vec<Frame> = Vec::new();
    let mut head: Option<(&str, &str)> = None;
    for line in lines(text) {
        let line = line.trim();
        if let Some(found) = v8(line).or_else(|| gecko(line)) {
            frames.push(found);
        } else if line.starts_with("Caused by:") || line.starts_with("[cause]:") || line.starts_with("Component Stack")
        {
            break;
        } else if frames.is_empty() && head.is_none() {
            head = headline(line).filter(|(ty, value)| names_an_error(ty) || !value.is_empty() && is_class(ty));
        }
    }
    if frames.is_empty() {
        return Vec::new();
    }
    frames.reverse();
    vec![exception(head.map(|(ty, _)| ty), head.map(|(_, value)| value), frames)]
}

/// One capitalised word that ends like an error is one; `Warning: x` is not.
fn is_class(ty: &str) -> bool {
    ty.starts_with(|c: char| c.is_ascii_uppercase())
        && ty.chars().filter(|c| c.is_ascii_uppercase()).count() > 1
        && !ty.contains('.')
}

/// `at pay (cart.js:3:7)`, `at Database.connect(db.js:45)`, `at cart.js:3:7`, `at async pay (…)`, `at eval (eval at …)`.
fn v8(line: &str) -> Option<Frame> {
    let rest = line.strip_prefix("at ")?.trim();
    if let Some(open) = rest.find('(')
        && let (Some(function), Some(place)) = (rest.get(..open), rest.get(open + 1..))
    {
        let function = function.trim();
        let place = place.trim_end_matches(')');
        // Hermes compiles ahead, and tells where in the bundle.
        let place = place.strip_prefix("address at ").unwrap_or(place);
        // In `eval at run (a.js:1:2), <anonymous>:3:4` the place of the eval is what a person can open.
        let place = match place.strip_prefix("eval at ") {
            Some(evaluated) => {
                evaluated.rsplit_once('(').map_or(evaluated, |(_, inner)| inner.split(')').next().unwrap_or_default())
            }
            None => place,
        };
        if place == "native" || place == "<anonymous>" {
            return Some(Frame { function: named(function), ..frame(place, None, None) });
        }
        let (file, line, column) = location(place)?;
        return Some(Frame { function: named(function), ..frame(clean(file), Some(line), column) });
    }
    let rest = rest.strip_prefix("async ").unwrap_or(rest);
    let (file, line, column) = location(rest)?;
    (!file.contains(' ') || file.starts_with('/') || file.contains("://"))
        .then(|| frame(clean(file), Some(line), column))
}

/// `pay@https://shop.example/cart.js:3:7`, `@cart.js:3:7`, and JavaScriptCore's `pay@[native code]`.
fn gecko(line: &str) -> Option<Frame> {
    let Some((function, place)) = line.split_once('@') else { return nameless(line) };
    let is_code = matches!(function, "global code" | "eval code" | "module code");
    if function.contains(' ') && !function.starts_with("async") && !is_code || function.len() > 400 {
        return None;
    }
    if place == "[native code]" {
        return Some(Frame { function: named(function), ..frame(place, None, None) });
    }
    // `cart.js line 3 > eval:1:1` names the file that evaluated.
    let (file, line, column) = match place.split_once(" line ") {
        Some((file, rest)) => {
            let digits = rest.split(' ').next().unwrap_or_default();
            (file, super::number(digits)?, None)
        }
        None => location(place)?,
    };
    let is_file = file.contains(['/', '.', '\\']) || file.starts_with('<');
    is_file.then(|| Frame { function: named(function), ..frame(clean(file), Some(line), column) })
}

/// JavaScriptCore's functions without a name: `https://shop.example/cart.js:3:7`.
fn nameless(line: &str) -> Option<Frame> {
    let (file, line, column) = location(line)?;
    (column.is_some() && file.contains("://") && !file.contains(char::is_whitespace))
        .then(|| frame(clean(file), Some(line), column))
}

fn named(function: &str) -> Option<String> {
    (!function.is_empty()).then(|| function.to_owned())
}

fn clean(file: &str) -> &str {
    file.strip_prefix("file://").unwrap_or(file)
}
