//! C# and the other languages of .NET: what `Exception.ToString()` writes.

use super::{CHAIN, apart, exception, frame, headline, lines, number};
use crate::{Exception, Frame};

const END_OF_INNER: &str = "--- End of inner exception stack trace ---";

pub(super) fn parse(text: &str) -> Vec<Exception> {
    if !text.contains("at ") {
        return Vec::new();
    }
    let mut reader = Reader::default();
    for line in lines(text) {
        // An AggregateException ends with a list of its causes, of which the first was printed already.
        if line.trim_start().starts_with("---> (Inner Exception #") {
            break;
        }
        reader.line(line.trim());
        if reader.open.len() + reader.chain.len() >= CHAIN {
            break;
        }
    }
    while !reader.open.is_empty() {
        reader.close();
    }
    // Without a place in a file, or what only .NET writes, this is another language's.
    if reader.is_ours { reader.chain } else { Vec::new() }
}

#[derive(Default)]
struct Reader<'a> {
    /// Errors whose frames are still to come, the outermost first: a cause is printed within what it led to.
    open: Vec<(&'a str, String, Vec<Frame>)>,
    chain: Vec<Exception>,
    is_ours: bool,
}

impl<'a> Reader<'a> {
    fn line(&mut self, line: &'a str) {
        if let Some(call) = line.strip_prefix("at ") {
            let Some(found) = place(call) else { return };
            self.is_ours |= found.lineno.is_some();
            if let Some((.., frames)) = self.open.last_mut() {
                frames.push(found);
            } else {
                self.open.push(("", String::new(), vec![found]));
            }
        } else if line == END_OF_INNER {
            self.is_ours = true;
            self.close();
        } else if let Some(inner) = line.strip_prefix("---> ") {
            self.is_ours = true;
            self.begin(inner);
        } else if line.starts_with("--- End of stack trace from") {
            self.is_ours = true;
        } else if self.open.is_empty() && self.chain.is_empty() {
            let line = line
                .strip_prefix("Unhandled exception. ")
                .or_else(|| line.strip_prefix("Unhandled Exception: "))
                .unwrap_or(line);
            self.begin(line);
        } else if let Some((_, value, frames)) = self.open.last_mut()
            && frames.is_empty()
            && value.len() < super::VALUE
            && !line.is_empty()
        {
            value.push('\n');
            value.push_str(line);
        }
    }

    fn begin(&mut self, line: &'a str) {
        // A cause may stand on the line of what it led to.
        let (outer, inner) = line.split_once(" ---> ").map_or((line, None), |(outer, inner)| (outer, Some(inner)));
        if let Some((ty, value)) = headline(outer).filter(|(ty, _)| ty.contains('.') || ty.ends_with("Exception")) {
            self.open.push((ty, value.to_owned(), Vec::new()));
        }
        if let Some(inner) = inner {
            self.is_ours = true;
            if let Some((ty, value)) = headline(inner) {
                self.open.push((ty, value.to_owned(), Vec::new()));
            }
        }
    }

    fn close(&mut self) {
        let Some((qualified, value, mut frames)) = self.open.pop() else { return };
        frames.reverse();
        let (module, ty) = apart(qualified);
        let mut found = exception(
            (!ty.is_empty()).then_some(ty),
            Some(&value).filter(|v| !v.is_empty()).map(String::as_str),
            frames,
        );
        found.module = module.map(str::to_owned);
        self.chain.push(found);
    }
}

/// `Shop.Cart.Pay(Int32 n) in /srv/Cart.cs:line 12`, or without a place.
fn place(call: &str) -> Option<Frame> {
    let (call, at) = match call.rsplit_once(" in ") {
        Some((call, at)) => (call, at.rsplit_once(":line ")),
        None => (call, None),
    };
    let (path, arguments) = call.split_once('(')?;
    if !arguments.ends_with(')') || path.contains(' ') && !path.contains('<') {
        return None;
    }
    let (module, function) = method(path)?;
    let at = match at {
        Some((file, line)) => frame(file, Some(number(line.trim())?), None),
        None => Frame::default(),
    };
    Some(Frame { module: Some(module), function: Some(function), ..at })
}

/// Class and method. What the compiler makes of async methods and lambdas is called by the method that they stand in:
/// `Shop.Cart.<Pay>d__3.MoveNext` and `Shop.Cart.<>c__DisplayClass3_0.<Pay>b__0` are `Pay` of `Shop.Cart`.
fn method(path: &str) -> Option<(String, String)> {
    let made = path.rfind(".<").and_then(|at| {
        let name = path.get(at + 2..)?.split('>').next().filter(|name| !name.is_empty())?;
        Some((path.get(..at)?, name))
    });
    let (class, name) = match made {
        Some((class, name)) => (class.split(".<>c").next().unwrap_or(class), name),
        None => path.rsplit_once('.')?,
    };
    let class = class.trim_end_matches('.');
    (!class.is_empty() && !name.is_empty()).then(|| (class.to_owned(), name.to_owned()))
}
