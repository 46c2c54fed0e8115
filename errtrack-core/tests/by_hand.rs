//! What is captured by hand: how errors of other crates group, and what errors that misbehave do.

use anyhow::{Context, anyhow};
use errtrack_core::{
    AnyhowExt, ResultExt, Tracker, capture_anyhow, capture_error, capture_error_with_backtrace,
    test::{Captured, Recorder, captured},
};
use std::{backtrace::Backtrace, error::Error, fmt, io};

/// The one place that reports every error of a program.
fn report_all(errors: &[anyhow::Error], backtraces: bool) -> Captured {
    let recorder = Recorder::with(Tracker::builder().backtraces(backtraces).own_backtraces(false));
    recorder.run(|| errors.iter().map(capture_anyhow).count());
    recorder.captured()
}

fn read() -> io::Error {
    io::Error::from(io::ErrorKind::NotFound)
}

#[test]
fn anyhow_errors_that_one_place_reports_are_one_issue_per_cause() {
    for backtraces in [true, false] {
        let seen = report_all(
            &[
                anyhow!("the bank is closed"),
                anyhow!("order 4711 is unknown"),
                anyhow!("order 4712 is unknown"),
                anyhow::Error::from("x".parse::<u8>().unwrap_err()),
                anyhow::Error::from("x".parse::<f32>().unwrap_err()),
                anyhow::Error::from(read()).context("could not read the config"),
                anyhow::Error::from(read()).context("could not read the template"),
                anyhow::Error::from(io::Error::from(io::ErrorKind::TimedOut)).context("could not read the config"),
            ],
            backtraces,
        );
        let issues: Vec<_> = seen.issues().iter().map(|i| (i.count, i.value.as_str())).collect();
        assert_eq!(issues.len(), 7, "{issues:#?}");
        assert_eq!(issues.iter().find(|i| i.1.starts_with("order")).unwrap().0, 2);
    }
}

#[test]
fn anyhow_errors_of_one_cause_are_one_issue_per_place() {
    #[inline(never)]
    fn here(error: &anyhow::Error) {
        capture_anyhow(error);
    }
    #[inline(never)]
    fn there(error: &anyhow::Error) {
        capture_anyhow(error);
    }
    let recorder = Recorder::with(Tracker::builder().own_backtraces(false));
    recorder.run(|| {
        let error = anyhow!("the bank is closed");
        here(&error);
        there(&error);
        for _ in 0..2 {
            here(&error);
        }
    });
    let seen = recorder.captured();
    let counts: Vec<_> = seen.issues().iter().map(|issue| issue.count).collect();
    assert_eq!(counts, [3, 1], "{:#?}", seen.events());
}

#[test]
fn the_chain_of_anyhow_is_whole() {
    fn load() -> anyhow::Result<()> {
        Err(read()).context("could not read the config").context("could not start")
    }
    let seen = captured(|| {
        assert!(load().capture().is_err());
        assert!(load().capture_with(|scope| scope.set_tag("step", "two")).is_err());
    });
    let values: Vec<_> = seen.events()[0].exceptions.iter().filter_map(|e| e.value.as_deref()).collect();
    assert_eq!(values, ["entity not found", "could not read the config", "could not start"]);
    assert_eq!(seen.events()[1].tags["step"], "two");
    assert!(seen.events()[0].tags.is_empty());
}

#[derive(Debug)]
struct Traced(Backtrace);

impl fmt::Display for Traced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("out of stock")
    }
}

impl Error for Traced {}

#[inline(never)]
fn failing_function() -> Traced {
    std::hint::black_box(Traced(Backtrace::force_capture()))
}

#[test]
fn the_backtrace_of_an_error_tells_its_origin() {
    let seen = captured(|| {
        let error = failing_function();
        capture_error_with_backtrace(&error, &error.0);
    });
    let innermost = seen.event().exceptions[0].frames().last().unwrap();
    assert!(innermost.function.as_deref().unwrap().ends_with("failing_function"), "{innermost:?}");
    assert!(seen.issue().culprit.ends_with("failing_function"), "{}", seen.issue().culprit);
    assert!(seen.event().stack_trace.is_none());

    let elsewhere = Recorder::with(Tracker::builder().own_backtraces(false));
    elsewhere.run(|| {
        let error = failing_function();
        capture_error_with_backtrace(&error, &error.0);
    });
    let seen = elsewhere.captured();
    assert!(!seen.issue().culprit.ends_with("failing_function"), "{:#?}", seen.event());
}

#[test]
fn eyre_and_other_boxes_are_captured_through_the_pointer() {
    let seen = captured(|| {
        let report: Box<dyn Error + Send + Sync> = Box::new(read());
        capture_error(&*report);
    });
    assert_eq!(seen.event().title(), ("std::io::Error::NotFound", "entity not found"));
}

#[test]
fn the_scope_of_capture_with_is_made_for_errors_only() {
    let seen = captured(|| {
        let port: Result<u16, _> = "80".parse::<u16>().capture_with(|_| unreachable!("there is no error"));
        assert_eq!(port, Ok(80));
        assert!("x".parse::<u16>().capture_with(|scope| scope.set_tag("variable", "PORT")).is_err());
        capture_error(&fmt::Error);
    });
    assert_eq!(seen.events()[0].tags["variable"], "PORT");
    assert!(seen.events()[1].tags.is_empty());
    assert!(seen.events()[0].contexts["captured_at"]["file"].as_str().unwrap().ends_with("by_hand.rs"));
}

/// An error that does what no error should.
struct Wicked(fn() -> fmt::Result);

impl fmt::Debug for Wicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wicked")?;
        (self.0)()
    }
}

impl fmt::Display for Wicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("so far")?;
        (self.0)()
    }
}

impl Error for Wicked {}

#[test]
fn an_error_whose_text_panics_is_captured_and_does_not_panic_the_host() {
    let seen = captured(|| capture_error(&Wicked(|| panic!("in Display"))));
    let event = seen.event();
    assert_eq!(event.title().1, "so far (its Display panicked)");
}

#[test]
fn an_error_that_reports_itself_while_it_is_reported_does_not_do_so_for_ever() {
    fn again() -> fmt::Result {
        capture_error(&Wicked(again));
        Ok(())
    }
    let seen = captured(|| capture_error(&Wicked(again)));
    assert!(!seen.is_empty() && seen.events().len() < 10, "{}", seen.events().len());
    assert!(captured(|| capture_error(&fmt::Error)).events().len() == 1, "and later all is as before");
}

#[test]
fn an_error_that_is_its_own_source_ends() {
    #[derive(Debug)]
    struct Loop;
    impl fmt::Display for Loop {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("loop")
        }
    }
    impl Error for Loop {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&Loop)
        }
    }
    assert!(captured(|| capture_error(&Loop)).event().exceptions.len() <= 32);
}
