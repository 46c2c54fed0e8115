use super::*;
use crate::{Event, Message};
use proptest::prelude::*;

/// One line per exception and frame, as a person would check it.
fn shape(text: &str) -> String {
    let mut out = String::new();
    for e in parse(text).unwrap_or_default() {
        let text = |s: &Option<String>| s.clone().unwrap_or("-".into());
        out.push_str(&format!("{} | {} | {}\n", text(&e.module), text(&e.ty), text(&e.value).replace('\n', "⏎")));
        for f in e.frames() {
            let line = f.lineno.map_or("-".into(), |n| n.to_string());
            let column = f.colno.map_or("-".into(), |n| n.to_string());
            let function = f.qualified_function().unwrap_or("-".into());
            out.push_str(&format!("  {function} @ {} {line}:{column}\n", text(&f.filename)));
        }
    }
    out
}

const CHAINED: &str = r#"some log line
Traceback (most recent call last):
  File "/srv/shop.py", line 10, in price
    return int(text)
           ^^^^^^^^^
ValueError: invalid literal: 'x'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/srv/main.py", line 3, in <module>
    main()
  File "/srv/shop.py", line 12, in total
    raise CartError("no price") from e
  [Previous line repeated 3 more times]
shop.errors.CartError: no price
second line
"#;

#[test]
fn python_chains_come_with_the_cause_first() {
    insta::assert_snapshot!(shape(CHAINED), @r"
    - | ValueError | invalid literal: 'x'
      price @ /srv/shop.py 10:-
    shop.errors | CartError | no price⏎second line
      <module> @ /srv/main.py 3:-
      total @ /srv/shop.py 12:-
    ");
    assert_eq!(parse(CHAINED).unwrap()[0].frames()[0].context_line.as_deref(), Some("return int(text)"));
    assert_eq!(innermost_place(CHAINED), Some(("/srv/shop.py".into(), 12)));
}

#[test]
fn javascript_of_all_engines() {
    let v8 = "TypeError: x is not a function\n    at Cart.pay (https://a.b/cart.js:3:7)\n    at async run (file:///srv/x.mjs:9:1)\n    at /srv/app.js:12:5\n    at new Promise (<anonymous>)";
    insta::assert_snapshot!(shape(v8), @r"
    - | TypeError | x is not a function
      new Promise @ <anonymous> -:-
      - @ /srv/app.js 12:5
      async run @ /srv/x.mjs 9:1
      Cart.pay @ https://a.b/cart.js 3:7
    ");
    let gecko = "pay@https://a.b/cart.js:3:7\n@https://a.b/main.js:1:1\nforEach@[native code]\n";
    insta::assert_snapshot!(shape(gecko), @r"
    - | - | -
      forEach @ [native code] -:-
      - @ https://a.b/main.js 1:1
      pay @ https://a.b/cart.js 3:7
    ");
    assert_eq!(innermost_place(gecko), Some(("https://a.b/cart.js".into(), 3)));
}

#[test]
fn javascript_without_columns_or_spaces() {
    insta::assert_snapshot!(shape("Error: Connection timeout\n at Database.connect(db.js:45)\n at main(app.js:12)"), @r"
    - | Error | Connection timeout
      main @ app.js 12:-
      Database.connect @ db.js 45:-
    ");
}

#[test]
fn rust_panics_with_their_message() {
    let text = "thread 'main' panicked at src/main.rs:2:5:\nindex out of bounds\nstack backtrace:\n   0: rust_begin_unwind\n             at /rustc/abc/library/std/src/panicking.rs:597:5\n   1: shop::pay\n             at ./src/pay.rs:12:9\n   2: shop::main\nnote: Some details are omitted";
    insta::assert_snapshot!(shape(text), @r"
    - | panic | index out of bounds
      shop::main @ - -:-
      shop::pay @ src/pay.rs 12:9
    ");
}

#[test]
fn java_causes_come_first() {
    let text = "Exception in thread \"main\" java.lang.IllegalStateException: no cart\n\tat com.shop.Cart.pay(Cart.java:12)\n\tat com.shop.Main.main(Main.kt:3)\n\tSuppressed: java.io.IOException: x\n\t\tat com.shop.X.y(X.java:1)\nCaused by: java.sql.SQLException: gone\n\tat com.shop.Db.get(Native Method)\n\t... 2 more";
    insta::assert_snapshot!(shape(text), @r"
    java.sql | SQLException | gone
      com.shop.Db.get @ - -:-
    java.lang | IllegalStateException | no cart
      com.shop.Main.main @ Main.kt 3:-
      com.shop.Cart.pay @ Cart.java 12:-
    ");
}

#[test]
fn text_that_is_no_trace_gives_nothing() {
    for text in ["", "it broke", "at", "at home: 12", "mail ana@example.com:25", "1: one\n2: two", "File \"x"] {
        assert_eq!(parse(text), None, "{text}");
    }
}

#[test]
fn an_explicit_message_stays_the_title() {
    let mut event = Event::new();
    event.message = Some(Message::new("Database connection failed"));
    event.stack_trace = Some("Error: Connection timeout\n at Database.connect(db.js:45)".into());
    fill_frames(&mut event);
    assert_eq!(event.title(), ("Error", "Database connection failed"));
    assert_eq!(event.exceptions[0].frames().len(), 1);

    event.exceptions.clear();
    event.stack_trace = Some("pay@cart.js:1:2".into());
    fill_frames(&mut event);
    assert!(event.exceptions.is_empty(), "no type, no exception");
}

#[test]
fn frames_go_to_the_exception_that_has_none_and_causes_before_it() {
    let mut event = Event::new();
    event.exceptions.push(Exception::new("CartError", "no price"));
    event.stack_trace = Some(CHAINED.into());
    fill_frames(&mut event);
    let types: Vec<_> = event.exceptions.iter().map(|e| e.ty.clone().unwrap()).collect();
    assert_eq!(types, ["ValueError", "CartError"]);
    assert_eq!(event.exceptions[1].frames().len(), 2);
    let filled = event.clone();
    fill_frames(&mut event);
    assert_eq!(event, filled);
}

/// What the readers look for, to be thrown together.
const SCRAPS: &str = "(Traceback \\(most recent call last\\):\n|  File \"|\", line |, in |1|:|\n|at |\\(|\\)|@|\\.js|\\.java|Caused by: |a::b| panicked at |'|0x|é| |eval at |\\| ){0,60}";

proptest! {
    #[test]
    fn python_takes_any_text(text in SCRAPS) {
        bounded(&text, &python::parse(&text))?;
    }

    #[test]
    fn javascript_takes_any_text(text in SCRAPS) {
        bounded(&text, &javascript::parse(&text))?;
    }

    #[test]
    fn rust_takes_any_text(text in SCRAPS) {
        bounded(&text, &rust::parse(&text))?;
    }

    #[test]
    fn java_takes_any_text(text in SCRAPS) {
        bounded(&text, &java::parse(&text))?;
    }

    #[test]
    fn all_take_arbitrary_text(text in "\\PC{0,200}") {
        let _ = (parse(&text), innermost_place(&text));
    }
}

fn bounded(text: &str, chain: &[Exception]) -> Result<(), TestCaseError> {
    prop_assert!(chain.len() <= CHAIN);
    let frames: usize = chain.iter().map(|e| e.frames().len()).sum();
    prop_assert!(frames <= text.lines().count());
    Ok(())
}
