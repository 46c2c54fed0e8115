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
fn rust_errors_with_their_causes() {
    let anyhow = "Error: could not pay\n\nCaused by:\n    0: no card\n    1: connection refused (os error 111)\n\nStack backtrace:\n   0: anyhow::error::<impl anyhow::Error>::msg\n             at /root/.cargo/registry/src/index/anyhow-1.0.99/src/error.rs:10:5\n   1: shop::pay\n             at ./src/pay.rs:12:9\n   2: shop::main";
    insta::assert_snapshot!(shape(anyhow), @r"
    - | Error | connection refused (os error 111)
    - | Error | no card
    - | Error | could not pay
      shop::main @ - -:-
      shop::pay @ src/pay.rs 12:9
      anyhow::error::msg @ /root/.cargo/registry/src/index/anyhow-1.0.99/src/error.rs 10:5
    ");
    let eyre = "Error:\n   0: could not pay\n   1: no card\n\nLocation:\n   src/pay.rs:12\n\n  ━━━━━━━━━━━ SPANTRACE ━━━━━━━━━━━\n\n   0: shop::pay with id=3\n      at src/pay.rs:10\n\n  ━━━━━━━━━━━ BACKTRACE ━━━━━━━━━━━\n                  ⋮ 5 frames hidden ⋮\n   6: shop::pay::h0123456789abcdef\n      at /srv/shop/src/pay.rs:12\n   7: shop::main::h0123456789abcdef\n      at /srv/shop/src/main.rs:3\n";
    insta::assert_snapshot!(shape(eyre), @r"
    - | Error | no card
    - | Error | could not pay
      shop::main @ /srv/shop/src/main.rs 3:-
      shop::pay @ /srv/shop/src/pay.rs 12:-
    ");
}

#[test]
fn go_panics_and_errors_with_a_stack() {
    let panic = "panic: runtime error: index out of range [5] with length 3 [recovered]\n\tpanic: again\n\ngoroutine 7 [running]:\npanic({0x4a8e80?, 0xc00001c0a8?})\n\t/usr/local/go/src/runtime/panic.go:770 +0x132\ngithub.com/acme/shop/cart.(*Cart).Pay(0xc000012345, 0x5)\n\t/srv/shop/cart/cart.go:12 +0x1d\nmain.main.func1(...)\n\t/srv/shop/main.go:33\ncreated by main.main in goroutine 1\n\t/srv/shop/main.go:8 +0x45\n\ngoroutine 1 [chan receive]:\nmain.main()\n\t/srv/shop/main.go:40 +0x1\nexit status 2\n";
    insta::assert_snapshot!(shape(panic), @r"
    - | panic | runtime error: index out of range [5] with length 3
      main @ /srv/shop/main.go 8:-
      main.func1 @ /srv/shop/main.go 33:-
      github.com/acme/shop/cart.(*Cart).Pay @ /srv/shop/cart/cart.go 12:-
    ");
    let with_stack = "no card\nmain.pay\n\t/srv/shop/main.go:12\nmain.main\n\t/srv/shop/main.go:20\nruntime.main\n\t/usr/local/go/src/runtime/proc.go:271";
    insta::assert_snapshot!(shape(with_stack), @r"
    - | - | no card
      runtime.main @ /usr/local/go/src/runtime/proc.go 271:-
      main @ /srv/shop/main.go 20:-
      main.pay @ /srv/shop/main.go 12:-
    ");
    let dead = "fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 [chan receive]:\nmain.main()\n\t/srv/shop/main.go:5 +0x2f\n";
    insta::assert_snapshot!(shape(dead), @r"
    - | fatal error | all goroutines are asleep - deadlock!
      main @ /srv/shop/main.go 5:-
    ");
}

#[test]
fn ruby_of_all_versions() {
    let uncaught = "/srv/cart.rb:12:in `pay': no card (Shop::CartError)\n\tfrom /srv/cart.rb:20:in `block in total'\n\tfrom /srv/main.rb:3:in `<main>'\n/srv/disk.rb:5:in `read': gone (IOError)\n\tfrom /srv/cart.rb:11:in `pay'\n";
    insta::assert_snapshot!(shape(uncaught), @r"
    - | IOError | gone
      pay @ /srv/cart.rb 11:-
      read @ /srv/disk.rb 5:-
    Shop | CartError | no card
      <main> @ /srv/main.rb 3:-
      block in total @ /srv/cart.rb 20:-
      pay @ /srv/cart.rb 12:-
    ");
    let newer = "/srv/cart.rb:12:in 'Shop::Cart#pay': no card (Shop::CartError)\n\tfrom /srv/main.rb:3:in '<main>'\n";
    insta::assert_snapshot!(shape(newer), @r"
    Shop | CartError | no card
      <main> @ /srv/main.rb 3:-
      Shop::Cart::pay @ /srv/cart.rb 12:-
    ");
    let reversed = "Traceback (most recent call last):\n\t1: from /srv/main.rb:3:in `<main>'\n/srv/cart.rb:12:in `pay': no card (CartError)\n";
    insta::assert_snapshot!(shape(reversed), @r"
    - | CartError | no card
      <main> @ /srv/main.rb 3:-
      pay @ /srv/cart.rb 12:-
    ");
    let rails =
        "CartError (no card):\n\napp/models/cart.rb:12:in `pay'\napp/controllers/carts_controller.rb:5:in `create'\n";
    insta::assert_snapshot!(shape(rails), @r"
    - | CartError | no card
      create @ app/controllers/carts_controller.rb 5:-
      pay @ app/models/cart.rb 12:-
    ");
}

#[test]
fn php_calls_become_frames() {
    let uncaught = "PHP Fatal error:  Uncaught Shop\\DiskError: gone in /srv/Disk.php:5\nStack trace:\n#0 /srv/Cart.php(11): Shop\\Disk->read()\n#1 {main}\n\nNext Shop\\CartError: no card: 7 in /srv/Cart.php:12\nStack trace:\n#0 [internal function]: Shop\\Cart->{closure}('x')\n#1 /srv/main.php(8): array_map(Object(Closure), Array)\n#2 /srv/main.php(20): Shop\\Cart::pay()\n#3 {main}\n  thrown in /srv/Cart.php on line 12\n";
    insta::assert_snapshot!(shape(uncaught), @r"
    Shop | DiskError | gone
      {main} @ /srv/Cart.php 11:-
      Shop\Disk.read @ /srv/Disk.php 5:-
    Shop | CartError | no card: 7
      {main} @ /srv/main.php 20:-
      Shop\Cart.pay @ /srv/main.php 8:-
      array_map @ - -:-
      Shop\Cart.{closure} @ /srv/Cart.php 12:-
    ");
    let monolog = "[2026-11-21 10:00:00] app.ERROR: no card {\"exception\":\"[object] (Shop\\CartError(code: 0): no card at /srv/Cart.php:12)\n[stacktrace]\n#0 /srv/main.php(8): Shop\\Cart->pay()\n#1 {main}\n\"}";
    insta::assert_snapshot!(shape(monolog), @r"
    Shop | CartError | no card
      {main} @ /srv/main.php 8:-
      Shop\Cart.pay @ /srv/Cart.php 12:-
    ");
    insta::assert_snapshot!(shape("#0 /srv/main.php(8): pay()\n#1 {main}"), @r"
    - | - | -
      {main} @ /srv/main.php 8:-
      pay @ - -:-
    ");
}

#[test]
fn csharp_causes_stand_within() {
    let text = "Unhandled exception. Shop.CartException: no card\n ---> System.IO.IOException: gone\n   at Shop.Disk.Read(String path) in /srv/Disk.cs:line 5\n   at Shop.Cart.<>c__DisplayClass3_0.<Load>b__0(Int32 n) in /srv/Cart.cs:line 9\n   --- End of inner exception stack trace ---\n   at Shop.Cart.<Pay>d__3.MoveNext() in C:\\src\\Cart.cs:line 12\n--- End of stack trace from previous location ---\n   at System.Runtime.CompilerServices.TaskAwaiter.ThrowForNonSuccess(Task task)\n   at Shop.Program.Main(String[] args)\n";
    insta::assert_snapshot!(shape(text), @r"
    System.IO | IOException | gone
      Shop.Cart.Load @ /srv/Cart.cs 9:-
      Shop.Disk.Read @ /srv/Disk.cs 5:-
    Shop | CartException | no card
      Shop.Program.Main @ - -:-
      System.Runtime.CompilerServices.TaskAwaiter.ThrowForNonSuccess @ - -:-
      Shop.Cart.Pay @ C:\src\Cart.cs 12:-
    ");
    let aggregate = "System.AggregateException: One or more errors occurred. (no card)\n ---> System.Exception: no card\n   at Shop.Cart.Pay() in /srv/Cart.cs:line 12\n   --- End of inner exception stack trace ---\n   at Shop.Program.Main() in /srv/Program.cs:line 3\n ---> (Inner Exception #0) System.Exception: no card\n   at Shop.Cart.Pay() in /srv/Cart.cs:line 12<---\n";
    insta::assert_snapshot!(shape(aggregate), @r"
    System | Exception | no card
      Shop.Cart.Pay @ /srv/Cart.cs 12:-
    System | AggregateException | One or more errors occurred. (no card)
      Shop.Program.Main @ /srv/Program.cs 3:-
    ");
}

#[test]
fn elixir_of_processes_and_of_calls() {
    let text = "10:00:00.000 [error] GenServer Shop.Cart terminating\n** (Shop.CartError) no card\n    (shop 0.1.0) lib/shop/cart.ex:12: Shop.Cart.pay/1\n    (elixir 1.15.0) lib/enum.ex:1693: Enum.\"-map/2-lists^map/1-1-\"/2\n    (stdlib 5.0) gen_server.erl:1123: :gen_server.try_handle_call/4\n    (shop 0.1.0) lib/shop.ex:3: anonymous fn/2 in Shop.run/0\nLast message: {:pay, 7}\nState: %{}\n";
    insta::assert_snapshot!(shape(text), @r#"
    Shop | CartError | no card
      Shop.run/0 @ lib/shop.ex 3:-
      gen_server.try_handle_call/4 @ gen_server.erl 1123:-
      Enum."-map/2-lists^map/1-1-"/2 @ lib/enum.ex 1693:-
      Shop.Cart.pay/1 @ lib/shop/cart.ex 12:-
    "#);
    let exit = "** (exit) exited in: GenServer.call(Shop.Cart, :pay, 5000)\n    ** (EXIT) an exception was raised:\n        ** (RuntimeError) no card\n            (shop 0.1.0) lib/shop/cart.ex:12: Shop.Cart.handle_call/3\n    (elixir 1.15.0) lib/gen_server.ex:1074: GenServer.call/3\n";
    insta::assert_snapshot!(shape(exit), @r"
    - | RuntimeError | no card
      GenServer.call/3 @ lib/gen_server.ex 1074:-
      Shop.Cart.handle_call/3 @ lib/shop/cart.ex 12:-
    ");
}

#[test]
fn javascript_of_bundlers_and_small_engines() {
    let hermes = "TypeError: undefined is not a function\n    at pay (address at index.android.bundle:1:2345)\n    at forEach (native)\n    at global (address at index.android.bundle:1:77)\n";
    insta::assert_snapshot!(shape(hermes), @r"
    - | TypeError | undefined is not a function
      global @ index.android.bundle 1:77
      forEach @ native -:-
      pay @ index.android.bundle 1:2345
    ");
    let webpack = "ReferenceError: cart is not defined\n    at eval (webpack-internal:///./src/cart.js:3:7)\n    at Object../src/cart.js (https://a.b/main.3f2a9c.js:12:1)\n    at blob:https://a.b/0ca0f1f6-0f35-4f4c-a5e9-1f5a0f7b4c11:1:2\n    at <anonymous>:1:1\n";
    insta::assert_snapshot!(shape(webpack), @r"
    - | ReferenceError | cart is not defined
      - @ <anonymous> 1:1
      - @ blob:https://a.b/0ca0f1f6-0f35-4f4c-a5e9-1f5a0f7b4c11 1:2
      Object../src/cart.js @ https://a.b/main.3f2a9c.js 12:1
      eval @ webpack-internal:///./src/cart.js 3:7
    ");
    let safari =
        "pay@https://a.b/cart.js:3:7\nhttps://a.b/main.js:1:1\nglobal code@https://a.b/main.js:9:9\n[native code]\n";
    insta::assert_snapshot!(shape(safari), @r"
    - | - | -
      global code @ https://a.b/main.js 9:9
      - @ https://a.b/main.js 1:1
      pay @ https://a.b/cart.js 3:7
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
const SCRAPS: &str = "(goroutine 1 \\[running\\]:|\\.go:|\t|panic: |from |:in `|'|\\(E\\)|#0 |\\(8\\): |Uncaught |Next | in /|\\*\\* \\(|\\.ex:| ---> | in /a\\.cs:line |Error:|Stack backtrace:|Traceback \\(most recent call last\\):\n|  File \"|\", line |, in |1|:|\n|at |\\(|\\)|@|\\.js|\\.java|Caused by: |a::b| panicked at |'|0x|é| |eval at |\\| ){0,60}";

proptest! {
    #[test]
    fn every_reader_takes_any_text(text in SCRAPS) {
        for (_, read) in READERS {
            bounded(&text, &read(&text))?;
        }
    }

    #[test]
    fn all_take_arbitrary_text(text in "\\PC{0,200}") {
        let _ = (parse(&text), innermost_place(&text));
    }
}

fn bounded(text: &str, chain: &[Exception]) -> Result<(), TestCaseError> {
    prop_assert!(chain.len() <= CHAIN);
    let frames: usize = chain.iter().map(|e| e.frames().len()).sum();
    // PHP's lines tell of the call and of the place, which stand apart in frames.
    prop_assert!(frames <= text.lines().count() + chain.len());
    Ok(())
}
