//! Text from outside, made safe to look at: what is invisible or turns lines around is spelled out, what is long is cut.
//!
//! Escaping is the templates' work; this is about what escaping leaves.

/// A run of text, or a mark that stands for a filtered value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) text: String,
    pub(super) filtered: bool,
}

/// Text in which marks of filtered values are told from the rest.
pub(super) type Rich = Vec<Piece>;

/// Whether a character would be invisible, or change the order of what stands around it.
fn is_hidden(c: char) -> bool {
    // Left out: the joiners of emoji and Persian, and the marks that bidirectional text uses honestly.
    (c.is_control() && !matches!(c, '\n' | '\t' | '\r'))
        || matches!(c, '\u{200b}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
        || matches!(c, '\u{e0000}'..='\u{e007f}')
}

/// Spells out hidden characters as `\u{202E}`.
pub(super) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) {
            out.push_str(&format!("\\u{{{:04X}}}", u32::from(c)));
        } else if c != '\r' {
            out.push(c);
        }
    }
    out
}

/// The first `most` characters of a text.
pub(super) fn cut(text: &str, most: usize) -> String {
    let mut chars = text.chars();
    let mut out: String = chars.by_ref().take(most).collect();
    if chars.next().is_some() {
        out.push('…');
    }
    out
}

/// A text on one line, cut.
pub(super) fn line(text: &str, most: usize) -> String {
    let short = cut(text.trim(), most);
    visible(&short.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// A text of several lines, cut.
pub(super) fn block(text: &str, most: usize) -> String {
    visible(&cut(text, most))
}

/// Tells marks of filtered values (`[Filtered]`, `[Filtered: card number]`) from text.
pub(super) fn rich(text: &str) -> Rich {
    const OPEN: &str = "[Filtered";
    let plain = |text: &str| Piece { text: text.to_owned(), filtered: false };
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(OPEN) {
        let Some((kind, tail)) = after.split_once(']').filter(|(kind, _)| is_kind(kind)) else {
            pieces.push(plain(&format!("{before}{OPEN}")));
            rest = after;
            continue;
        };
        if !before.is_empty() {
            pieces.push(plain(before));
        }
        pieces.push(Piece { text: format!("filtered{kind}"), filtered: true });
        rest = tail;
    }
    if !rest.is_empty() {
        pieces.push(plain(rest));
    }
    pieces
}

/// Nothing, or a colon and a few words.
fn is_kind(kind: &str) -> bool {
    kind.is_empty() || (kind.starts_with(": ") && kind.len() < 80 && !kind.contains(['[', '\n', '"']))
}

/// The text with each mark replaced by a bare word, for what is to be pasted into a shell.
pub(super) fn pasteable(text: &str) -> String {
    rich(text).into_iter().map(|piece| if piece.filtered { "FILTERED".to_owned() } else { piece.text }).collect()
}

/// A whole number with commas: `1,204`.
pub(super) fn number(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut out = String::with_capacity(digits.len() + 8);
    if n < 0 {
        out.push('−');
    }
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A whole number that cannot be negative.
pub(super) fn count(n: u64) -> String {
    number(i64::try_from(n).unwrap_or(i64::MAX))
}

/// A number of bytes with the unit that fits: `412 MB`, `1.2 GB`. Thousands, as disks are sold.
pub(super) fn bytes(n: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    let mut tenths = u128::from(n) * 10;
    let mut unit = "B";
    for larger in UNITS {
        if tenths < 10_000 {
            break;
        }
        tenths /= 1_000;
        unit = larger;
    }
    // Below a hundred the tenths are worth showing, unless there are none.
    match (tenths / 10, tenths % 10) {
        (whole, tenth @ 1..) if unit != "B" && whole < 100 => format!("{whole}.{tenth} {unit}"),
        (whole, _) => format!("{whole} {unit}"),
    }
}

/// A number with its noun: `1 event`, `1,204 events`.
pub(super) fn counted(n: i64, noun: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{} {noun}{s}", number(n))
}

/// A path with a query, encoded.
pub(super) fn url(path: &str, parameters: &[(&str, &str)]) -> String {
    let mut out = path.to_owned();
    for (i, (name, value)) in parameters.iter().enumerate() {
        out.push(if i == 0 { '?' } else { '&' });
        out.push_str(name);
        out.push('=');
        encode(&mut out, value, b"/:");
    }
    out
}

/// One part of a path, encoded.
pub(super) fn path_part(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    encode(&mut out, value, b"");
    out
}

fn encode(out: &mut String, value: &str, plain: &[u8]) {
    for byte in value.bytes() {
        let unreserved = byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) || plain.contains(&byte);
        if unreserved { out.push(char::from(byte)) } else { out.push_str(&format!("%{byte:02X}")) }
    }
}

/// A message of the API as a sentence.
pub(super) fn sentence(message: &str) -> String {
    let mut chars = message.chars();
    let first = chars.next().map(char::to_uppercase).into_iter().flatten();
    let mut text: String = first.chain(chars).collect();
    if !text.ends_with('.') {
        text.push('.');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_spelled_out() {
        assert_eq!(visible("a\u{202e}gpj.exe\0\u{1b}[31m"), "a\\u{202E}gpj.exe\\u{0000}\\u{001B}[31m");
        assert_eq!(visible("👩\u{200d}💻 می\u{200c}خواهم\n\tx"), "👩\u{200d}💻 می\u{200c}خواهم\n\tx");
    }

    #[test]
    fn filtered_values_are_recognised() {
        let pieces = rich("theme=dark; session=[Filtered: session id]; x=[Filtered");
        let shown: Vec<_> = pieces.iter().map(|p| (p.text.as_str(), p.filtered)).collect();
        let expected = [("theme=dark; session=", false), ("filtered: session id", true), ("; x=[Filtered", false)];
        assert_eq!(shown, expected);
        assert_eq!(pasteable("Bearer [Filtered]"), "Bearer FILTERED");
    }

    #[test]
    fn numbers_have_commas() {
        assert_eq!([number(0), number(999), number(1204), number(-1_000_000)], ["0", "999", "1,204", "−1,000,000"]);
        assert_eq!([counted(1, "user"), counted(0, "user")], ["1 user", "0 users"]);
    }

    #[test]
    fn bytes_have_the_unit_that_fits() {
        let sizes = [0, 999, 1_000, 1_250, 99_900, 412_345_678, 53_000_000_000, u64::MAX].map(bytes);
        assert_eq!(sizes, ["0 B", "999 B", "1 kB", "1.2 kB", "99.9 kB", "412 MB", "53 GB", "18446 PB"]);
    }

    #[test]
    fn queries_are_encoded() {
        assert_eq!(url("/issues", &[("q", "is:unresolved \"a&b\"")]), "/issues?q=is:unresolved%20%22a%26b%22");
    }
}
