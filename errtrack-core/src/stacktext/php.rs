//! PHP: uncaught exceptions, `getTraceAsString`, and the lines of Monolog.

use super::{CHAIN, apart_by, exception, frame, lines, number};
use crate::{Exception, Frame};

pub(super) fn parse(text: &str) -> Vec<Exception> {
    if !text.contains("#0 ") {
        return Vec::new();
    }
    let mut chain: Vec<Exception> = Vec::new();
    let mut thrown: Option<Thrown<'_>> = None;
    let mut calls: Vec<Call<'_>> = Vec::new();
    for line in lines(text) {
        let line = line.trim();
        if let Some(call) = call(line) {
            calls.push(call);
        } else if let Some(found) = Thrown::read(line) {
            // The cause is printed before what it led to, which begins with `Next`.
            close(&mut chain, thrown.take(), std::mem::take(&mut calls));
            if chain.len() >= CHAIN {
                return chain;
            }
            thrown = Some(found);
        }
    }
    close(&mut chain, thrown, calls);
    chain
}

/// What was thrown, and where.
struct Thrown<'a> {
    ty: &'a str,
    value: &'a str,
    file: &'a str,
    line: u32,
}

impl<'a> Thrown<'a> {
    /// `PHP Fatal error:  Uncaught Shop\CartError: no card in /srv/Cart.php:12`, `Next …`, and Monolog's
    /// `…(Shop\\CartError(code: 0): no card at /srv/Cart.php:12)`.
    fn read(line: &'a str) -> Option<Self> {
        let monolog = line.split_once("[object] (").map(|(_, rest)| rest);
        let line = monolog.or_else(|| line.strip_prefix("[previous exception] [object] (")).unwrap_or(line);
        let line = line.split_once("Uncaught ").map_or(line, |(_, rest)| rest);
        let line = line.strip_prefix("Next ").unwrap_or(line).trim_end_matches(')');
        let (head, place) = line.rsplit_once(" in /").or_else(|| line.rsplit_once(" at /")).map_or_else(
            || line.rsplit_once(" in ").filter(|(_, place)| place.get(1..3) == Some(":\\")),
            |(head, place)| line.get(line.len() - place.len() - 1..).map(|place| (head, place)),
        )?;
        let (file, number_of_line) = place.rsplit_once(':')?;
        let (ty, value) = head.split_once(": ").unwrap_or((head, ""));
        let ty = ty.split("(code").next()?;
        let is_class = !ty.is_empty() && ty.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '\\' | '@'));
        // Behind the code stands the message: `RuntimeException(code: 0): no card`.
        let value =
            if head.contains("(code: ") { head.split_once("): ").map_or("", |(_, value)| value) } else { value };
        is_class.then_some(())?;
        Some(Self { ty, value, file, line: number(number_of_line)? })
    }
}

/// `#0 /srv/Main.php(8): Shop\Cart->pay('x')`: who was called, and from where.
struct Call<'a> {
    function: &'a str,
    place: Option<(&'a str, u32)>,
}

fn call(line: &str) -> Option<Call<'_>> {
    let (index, rest) = line.strip_prefix('#')?.split_once(' ')?;
    number(index)?;
    if rest.trim() == "{main}" {
        return Some(Call { function: "{main}", place: None });
    }
    let (place, function) = rest.split_once(": ")?;
    let function = function.split('(').next()?.trim();
    let place = match place.strip_suffix(')').and_then(|rest| rest.rsplit_once('(')) {
        Some((file, line)) => Some((file, number(line)?)),
        None if place == "[internal function]" => None,
        None => return None,
    };
    (!function.is_empty()).then_some(Call { function, place })
}

/// A line of a trace tells from where a function was called; a frame tells where in a function something happened. So each
/// function goes with the place of the line above it.
fn close(chain: &mut Vec<Exception>, thrown: Option<Thrown<'_>>, calls: Vec<Call<'_>>) {
    if calls.is_empty() {
        return;
    }
    let mut place = thrown.as_ref().map(|thrown| (thrown.file, thrown.line));
    let mut frames = Vec::with_capacity(calls.len());
    for (index, call) in calls.into_iter().enumerate() {
        // What PHP's own functions call was called from no file.
        let is_internal = index > 0 && place.is_none();
        let at = place.map_or_else(Frame::default, |(file, line)| frame(file, Some(line), None));
        if place.is_some() || call.function != "{main}" {
            frames.push(Frame { in_app: is_internal.then_some(false), ..with_function(at, call.function) });
        }
        place = call.place;
    }
    if let Some((file, line)) = place {
        frames.push(frame(file, Some(line), None));
    }
    frames.reverse();
    let (module, ty) = thrown.as_ref().map_or((None, None), |thrown| apart_by(thrown.ty, "\\"));
    let mut found = exception(ty, thrown.map(|thrown| thrown.value), frames);
    found.module = module.map(str::to_owned);
    chain.push(found);
}

/// `Shop\Cart->pay` and `Shop\Cart::pay` are `pay` of `Shop\Cart`.
fn with_function(frame: Frame, function: &str) -> Frame {
    let (module, name) = match function.split_once("->").or_else(|| function.rsplit_once("::")) {
        Some((module, name)) => (Some(module.to_owned()), name),
        None => (None, function),
    };
    Frame { module, function: Some(name.to_owned()), ..frame }
}
