//! Reads conditions: a scanner over characters, and one function for each part of the sentence.

use super::{Bound, Condition, Filter, FilterKey, Metric, Operator, Window, WindowChoice};
use crate::Level;
use std::{fmt, str::FromStr};

/// Characters of a condition; more is refused before it is read.
const LONGEST: usize = 2_000;
/// The largest number: beyond it not each integer is one.
const LARGEST: f64 = 9_007_199_254_740_992.0;
/// Characters of what was found that an error repeats.
const FOUND: usize = 40;

const METRICS: &str = "error_count, new_issue_count, regression_count, user_count, error_rate or p95_ms";
const OPERATORS: &str = ">, >=, < or <=";
const NUMBER: &str = "a number or threshold";
const WINDOW: &str = "a window like 5m, 5 minutes, 1h or 1d, or time_window";
const UNIT: &str = "minutes, hours or days (m, h or d)";
const RANGE: &str = "a window from 1 minute to 30 days";
const VALUE: &str = "a word or a text in double quotes";
const LEVELS: &str = "fatal, error, warning, info or debug";

/// Why a text is no condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: expected {expected}, found {found}")]
pub struct InvalidCondition {
    column: usize,
    expected: String,
    found: String,
}

impl InvalidCondition {
    /// Where it goes wrong, in characters from 1.
    #[must_use]
    pub const fn column(&self) -> usize {
        self.column
    }

    /// What could stand there.
    #[must_use]
    pub fn expected(&self) -> &str {
        &self.expected
    }
}

impl FromStr for Condition {
    type Err = InvalidCondition;

    fn from_str(text: &str) -> Result<Self, InvalidCondition> {
        let tokens = scan(text)?;
        Parser { tokens: &tokens, next: 0, end: text.chars().count() + 1 }.condition()
    }
}

/// Reads a window by itself, as a rule's `time_window` has it: `5m`, `5 minutes`, `1h`, `1d`.
///
/// # Errors
/// It is none, or shorter than a minute or longer than thirty days; with the column, and what was expected.
pub fn parse_window(text: &str) -> Result<Window, InvalidCondition> {
    let tokens = scan(text)?;
    let mut parser = Parser { tokens: &tokens, next: 0, end: text.chars().count() + 1 };
    let window = parser.window()?;
    match parser.peek() {
        None => Ok(window),
        Some(_) => Err(parser.expected("nothing more")),
    }
}

/// Reads filters by themselves, as a rule with a trigger has them: `release = 1.2 and tag.team = payments`.
pub(in crate::alert) fn parse_filters(text: &str) -> Result<Vec<Filter>, InvalidCondition> {
    let tokens = scan(text)?;
    let mut parser = Parser { tokens: &tokens, next: 0, end: text.chars().count() + 1 };
    parser.filters(&FilterKey::OF_TRIGGERS, "an event")
}

/// Whether a character can stand in a value without quotes.
pub(super) fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.' | ':' | '/' | '@' | '+')
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Quoted(String),
    Sign(&'static str),
    /// Anything else.
    Other(char),
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(text) if text.chars().count() <= FOUND => f.write_str(text),
            Self::Word(text) => write!(f, "{}…", text.chars().take(FOUND).collect::<String>()),
            Self::Quoted(_) => f.write_str("a text in quotes"),
            Self::Sign(sign) => f.write_str(sign),
            Self::Other(letter) => write!(f, "{letter:?}"),
        }
    }
}

/// The tokens of a text, each with its column.
fn scan(text: &str) -> Result<Vec<(usize, Token)>, InvalidCondition> {
    let invalid = |column, expected: &str, found: &str| InvalidCondition {
        column,
        expected: expected.into(),
        found: found.into(),
    };
    if text.chars().nth(LONGEST).is_some() {
        return Err(invalid(LONGEST + 1, "2000 characters at most", "more"));
    }
    let mut tokens = Vec::new();
    let mut letters = (1..).zip(text.chars()).peekable();
    while let Some((column, letter)) = letters.next() {
        let token = match letter {
            letter if letter.is_whitespace() => continue,
            '>' | '<' => {
                let equal = letters.next_if(|(_, next)| *next == '=').is_some();
                Token::Sign(match (letter, equal) {
                    ('>', true) => ">=",
                    ('>', false) => ">",
                    (_, true) => "<=",
                    (_, false) => "<",
                })
            }
            '=' => Token::Sign("="),
            '"' => {
                let mut value = String::new();
                loop {
                    match letters.next() {
                        Some((_, '"')) => break,
                        Some((at, '\\')) => match letters.next() {
                            Some((_, escaped @ ('"' | '\\'))) => value.push(escaped),
                            Some(_) => return Err(invalid(at, "\\\" or \\\\ in quotes", "another backslash")),
                            None => return Err(invalid(at + 1, "the end of the quotes", "the end")),
                        },
                        Some((_, letter)) => value.push(letter),
                        None => return Err(invalid(column, "the end of these quotes", "none")),
                    }
                }
                Token::Quoted(value)
            }
            letter if is_word(letter) => {
                let mut word = String::from(letter);
                while let Some((_, letter)) = letters.next_if(|(_, next)| is_word(*next)) {
                    word.push(letter);
                }
                Token::Word(word)
            }
            letter => Token::Other(letter),
        };
        tokens.push((column, token));
    }
    Ok(tokens)
}

struct Parser<'a> {
    tokens: &'a [(usize, Token)],
    next: usize,
    /// The column after the last.
    end: usize,
}

impl Parser<'_> {
    fn condition(mut self) -> Result<Condition, InvalidCondition> {
        let metric = self.named(&Metric::ALL, Metric::as_str, METRICS)?;
        let operator = self.operator()?;
        let bound = self.bound()?;
        self.keyword("in", "in")?;
        let window =
            if self.takes("time_window") { WindowChoice::TimeWindow } else { WindowChoice::Of(self.window()?) };
        let mut filters = Vec::new();
        if self.peek().is_some() {
            self.keyword("where", "where or the end")?;
            filters = self.filters(metric.narrows_to(), metric.as_str())?;
        }
        Ok(Condition { metric, operator, bound, window, filters })
    }

    fn operator(&mut self) -> Result<Operator, InvalidCondition> {
        let sign = match self.peek() {
            Some(Token::Sign(sign)) => *sign,
            _ => "",
        };
        let operator = Operator::ALL.into_iter().find(|operator| operator.as_str() == sign);
        operator.inspect(|_| self.next += 1).ok_or_else(|| self.expected(OPERATORS))
    }

    fn bound(&mut self) -> Result<Bound, InvalidCondition> {
        if self.takes("threshold") {
            return Ok(Bound::Threshold);
        }
        let number = self.word().and_then(number);
        let number = number.ok_or_else(|| self.expected(NUMBER))?;
        self.next += 1;
        Ok(Bound::Number(number))
    }

    /// `5m` in one word, or `5 minutes` in two.
    fn window(&mut self) -> Result<Window, InvalidCondition> {
        let word = self.word().ok_or_else(|| self.expected(WINDOW))?;
        let digits: String = word.chars().take_while(char::is_ascii_digit).collect();
        let unit: String = word.chars().skip(digits.len()).collect();
        if digits.is_empty() {
            return Err(self.expected(WINDOW));
        }
        let (start, unit) = match unit.as_str() {
            "" => {
                self.next += 1;
                (self.next - 1, self.word().unwrap_or_default().to_owned())
            }
            _ => (self.next, unit),
        };
        let Some(minutes) = minutes(&unit) else { return Err(self.expected(UNIT)) };
        let window = digits.parse::<u32>().ok().and_then(|n| n.checked_mul(minutes)).and_then(Window::of_minutes);
        let Some(window) = window else {
            self.next = start;
            return Err(self.expected(RANGE));
        };
        self.next += 1;
        Ok(window)
    }

    /// All that follow, one at least.
    fn filters(&mut self, keys: &[FilterKey], what: &str) -> Result<Vec<Filter>, InvalidCondition> {
        let mut filters = vec![self.filter(keys, what, &[])?];
        while self.peek().is_some() {
            self.keyword("and", "and or the end")?;
            filters.push(self.filter(keys, what, &filters)?);
        }
        Ok(filters)
    }

    fn filter(&mut self, keys: &[FilterKey], what: &str, before: &[Filter]) -> Result<Filter, InvalidCondition> {
        let at = self.next;
        let tag = if keys.contains(&FilterKey::Tag) { self.tag() } else { None };
        let key = match &tag {
            Some(_) => FilterKey::Tag,
            None => {
                let names: Vec<&str> = keys.iter().map(|key| key.as_str()).collect();
                let only = format!("{}, which {what} can be narrowed to", list(&names));
                self.named(keys, FilterKey::as_str, &only)?
            }
        };
        let tag = tag.unwrap_or_default();
        if before.iter().any(|filter| filter.key == key && filter.tag == tag) {
            self.next = at;
            return Err(self.expected("each key once"));
        }
        match self.peek() {
            Some(Token::Sign("=")) => self.next += 1,
            _ => return Err(self.expected("=")),
        }
        let value = match self.peek() {
            Some(Token::Word(value) | Token::Quoted(value)) => value.clone(),
            _ => return Err(self.expected(VALUE)),
        };
        if key == FilterKey::Level && value.parse::<Level>().is_err() {
            return Err(self.expected(LEVELS));
        }
        self.next += 1;
        Ok(Filter { key, tag, value })
    }

    /// `tag.team`, or `tag."my team"`. Goes past it.
    fn tag(&mut self) -> Option<String> {
        const PREFIX: usize = "tag.".len();
        let word = self.word()?;
        let name = word.get(..PREFIX).filter(|start| start.eq_ignore_ascii_case("tag.")).and(word.get(PREFIX..))?;
        if !name.is_empty() {
            let name = name.to_owned();
            self.next += 1;
            return Some(name);
        }
        let name = match self.tokens.get(self.next + 1) {
            Some((_, Token::Quoted(name))) if !name.is_empty() => name.clone(),
            _ => return None,
        };
        self.next += 2;
        Some(name)
    }

    /// One of some, by its name.
    fn named<T: Copy>(&mut self, all: &[T], name: fn(T) -> &'static str, what: &str) -> Result<T, InvalidCondition> {
        let word = self.word().unwrap_or_default();
        let found = all.iter().copied().find(|one| name(*one).eq_ignore_ascii_case(word));
        found.inspect(|_| self.next += 1).ok_or_else(|| self.expected(what))
    }

    fn keyword(&mut self, word: &str, what: &str) -> Result<(), InvalidCondition> {
        if self.takes(word) { Ok(()) } else { Err(self.expected(what)) }
    }

    /// Goes past a word if it stands there.
    fn takes(&mut self, word: &str) -> bool {
        let is_there = self.word().is_some_and(|next| next.eq_ignore_ascii_case(word));
        self.next += usize::from(is_there);
        is_there
    }

    fn word(&self) -> Option<&str> {
        match self.peek() {
            Some(Token::Word(word)) => Some(word),
            _ => None,
        }
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(_, token)| token)
    }

    fn expected(&self, what: &str) -> InvalidCondition {
        let (column, found) = match self.tokens.get(self.next) {
            Some((column, token)) => (*column, token.to_string()),
            None => (self.end, "the end".to_owned()),
        };
        InvalidCondition { column, expected: what.to_owned(), found }
    }
}

/// Digits, with a point between them or not.
fn number(word: &str) -> Option<f64> {
    let is_plain = word.chars().all(|letter| letter.is_ascii_digit() || letter == '.');
    let has_digits = word.starts_with(|letter: char| letter.is_ascii_digit()) && !word.ends_with('.');
    let number = word.parse::<f64>().ok().filter(|_| is_plain && has_digits);
    number.filter(|number| *number <= LARGEST)
}

/// How many minutes a unit has.
fn minutes(unit: &str) -> Option<u32> {
    match unit.to_ascii_lowercase().as_str() {
        "m" | "min" | "mins" | "minute" | "minutes" => Some(1),
        "h" | "hour" | "hours" => Some(60),
        "d" | "day" | "days" => Some(1_440),
        _ => None,
    }
}

/// `a, b or c`
fn list(words: &[&str]) -> String {
    match words.split_last() {
        Some((last, before)) if !before.is_empty() => format!("{} or {last}", before.join(", ")),
        _ => words.concat(),
    }
}
