use super::*;
use proptest::prelude::*;

fn read(text: &str) -> Condition {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn wrong(text: &str) -> String {
    text.parse::<Condition>().unwrap_err().to_string()
}

#[test]
fn the_examples_of_the_contract_are_read() {
    for (text, printed) in [
        ("error_count > 50 in 5 minutes", "error_count > 50 in 5m"),
        ("error_count > threshold in time_window", "error_count > threshold in time_window"),
        ("  p95_ms>=812.5 in 1H  ", "p95_ms >= 812.5 in 1h"),
        ("ERROR_RATE < 0.05 IN 90 min WHERE project = shop", "error_rate < 0.05 in 90m where project = shop"),
        ("user_count <= 0 in 30 days", "user_count <= 0 in 30d"),
        (
            r#"new_issue_count > 1 in 24h where level=error and environment = "blue \"green\"" "#,
            r#"new_issue_count > 1 in 1d where level = error and environment = "blue \"green\"""#,
        ),
        ("regression_count >= 1 in 1d", "regression_count >= 1 in 1d"),
    ] {
        assert_eq!(read(text).to_string(), printed);
    }
    let condition = read("error_count > 50 in 5m where environment = production");
    assert_eq!(condition.filter(FilterKey::Environment), Some("production"));
    assert_eq!((condition.window, condition.bound), (WindowChoice::Of(Window(5)), Bound::Number(50.0)));
}

#[test]
fn what_is_wrong_is_said_with_its_column() {
    for (text, expected) in [
        (
            "",
            "column 1: expected error_count, new_issue_count, regression_count, user_count, error_rate or p95_ms, found the end",
        ),
        (
            "errors > 5 in 5m",
            "column 1: expected error_count, new_issue_count, regression_count, user_count, error_rate or p95_ms, found errors",
        ),
        ("error_count = 50 in 5m", "column 13: expected >, >=, < or <=, found ="),
        ("error_count > -1 in 5m", "column 15: expected a number or threshold, found -1"),
        ("error_count > 1. in 5m", "column 15: expected a number or threshold, found 1."),
        ("error_count > 1e9 in 5m", "column 15: expected a number or threshold, found 1e9"),
        ("error_count > nan in 5m", "column 15: expected a number or threshold, found nan"),
        ("error_count > 5", "column 16: expected in, found the end"),
        ("error_count > 5 within 5m", "column 17: expected in, found within"),
        (
            "error_count > 5 in",
            "column 19: expected a window like 5m, 5 minutes, 1h or 1d, or time_window, found the end",
        ),
        ("error_count > 5 in 5", "column 21: expected minutes, hours or days (m, h or d), found the end"),
        ("error_count > 5 in 5 weeks", "column 22: expected minutes, hours or days (m, h or d), found weeks"),
        ("error_count > 5 in 5s", "column 20: expected minutes, hours or days (m, h or d), found 5s"),
        ("error_count > 5 in 0 m", "column 20: expected a window from 1 minute to 30 days, found 0"),
        ("error_count > 5 in 31d", "column 20: expected a window from 1 minute to 30 days, found 31d"),
        ("error_count > 5 in 5m level = error", "column 23: expected where or the end, found level"),
        (
            "error_count > 5 in 5m where",
            "column 28: expected project, environment, level, release, source or tag.NAME, which error_count can be narrowed to, found the end",
        ),
        (
            "error_count > 5 in 5m where user = 2",
            "column 29: expected project, environment, level, release, source or tag.NAME, which error_count can be narrowed to, found user",
        ),
        (
            "p95_ms > 5 in 5m where environment = x",
            "column 24: expected project, which p95_ms can be narrowed to, found environment",
        ),
        (
            "error_count > 5 in 5m where level = bad",
            "column 37: expected fatal, error, warning, info or debug, found bad",
        ),
        ("error_count > 5 in 5m where level error", "column 35: expected =, found error"),
        ("error_count > 5 in 5m where level =", "column 36: expected a word or a text in double quotes, found the end"),
        ("error_count > 5 in 5m where level = error or", "column 43: expected and or the end, found or"),
        (
            "error_count > 5 in 5m where level = error and level = info",
            "column 47: expected each key once, found level",
        ),
        ("error_count > 5 in 5m where project = \"a", "column 39: expected the end of these quotes, found none"),
        (
            "error_count > 5 in 5m where project = \"\\n\"",
            "column 40: expected \\\" or \\\\ in quotes, found another backslash",
        ),
        (
            "ääää > 5",
            "column 1: expected error_count, new_issue_count, regression_count, user_count, error_rate or p95_ms, found ääää",
        ),
        ("error_count ≥ 5 in 5m", "column 13: expected >, >=, < or <=, found '≥'"),
    ] {
        assert_eq!(wrong(text), expected, "{text}");
    }
    assert_eq!(wrong(&"x".repeat(3_000)), "column 2001: expected 2000 characters at most, found more");
    let error = "error_count > 5 in 5 weeks".parse::<Condition>().unwrap_err();
    assert_eq!((error.column(), error.expected()), (22, "minutes, hours or days (m, h or d)"));
}

#[test]
fn a_window_stands_by_itself_too() {
    assert_eq!(parse_window("5 minutes").unwrap().minutes(), 5);
    assert_eq!(parse_window("1d").unwrap().duration().as_secs(), 86_400);
    assert_eq!(parse_window("5m 3").unwrap_err().to_string(), "column 4: expected nothing more, found 3");
    assert!(parse_window("time_window").is_err());
}

#[test]
fn a_value_stands_to_its_bound() {
    let holds = |text: &str, value| read(text).operator.holds(value, 5.0);
    for (operator, under, at, over) in
        [(">", false, false, true), (">=", false, true, true), ("<", true, false, false), ("<=", true, true, false)]
    {
        let text = format!("error_count {operator} 5 in 5m");
        assert_eq!((holds(&text, 4.0), holds(&text, 5.0), holds(&text, 6.0)), (under, at, over), "{operator}");
    }
}

fn condition() -> impl Strategy<Value = Condition> {
    let bound = prop_oneof![
        (0.0..LARGEST).prop_map(Bound::Number),
        (0_u32..1_000_000).prop_map(|n| Bound::Number(f64::from(n))),
        Just(Bound::Threshold)
    ];
    let window = prop_oneof![
        (1..=Window::MOST).prop_map(|minutes| WindowChoice::Of(Window(minutes))),
        Just(WindowChoice::TimeWindow)
    ];
    let tag = prop::option::of((".+", any::<String>()));
    let values = (any::<Option<String>>(), any::<Option<String>>(), any::<bool>(), tag);
    let metric = prop::sample::select(&Metric::ALL[..]);
    let operator = prop::sample::select(&Operator::ALL[..]);
    (metric, operator, bound, window, values).prop_map(|(metric, operator, bound, window, values)| {
        let level = values.2.then(|| "warning".to_owned());
        let (tag, of_tag) = values.3.unzip();
        let values = [
            (FilterKey::Level, level),
            (FilterKey::Project, values.0),
            (FilterKey::Environment, values.1.clone()),
            (FilterKey::Release, values.1),
            (FilterKey::Tag, of_tag),
        ];
        let filters = values.into_iter().filter(|(key, _)| metric.narrows_to().contains(key));
        let tag = |key| tag.clone().filter(|_| key == FilterKey::Tag).unwrap_or_default();
        let filters = filters.filter_map(|(key, value)| Some(Filter { key, tag: tag(key), value: value? })).collect();
        Condition { metric, operator, bound, window, filters }
    })
}

/// The largest number that can be written.
const LARGEST: f64 = 9_007_199_254_740_992.0;

proptest! {
    #[test]
    fn what_is_printed_is_read_again(condition in condition()) {
        let text = condition.to_string();
        prop_assert_eq!(text.parse::<Condition>().unwrap_or_else(|error| panic!("{text}: {error}")), condition);
    }

    #[test]
    fn any_text_is_read_or_refused_within_it(text in ".*") {
        if let Err(error) = text.parse::<Condition>() {
            prop_assert!((1..=text.chars().count() + 1).contains(&error.column()));
        }
    }

    #[test]
    fn near_misses_are_read_or_refused(
        words in prop::collection::vec(
            prop::sample::select(&["error_count", ">", "<=", "=", "5", "5m", "in", "where", "and", "level", "\"", "\\", "error", "threshold"][..]),
            0..14,
        )
    ) {
        let text = words.join(" ");
        if let Ok(condition) = text.parse::<Condition>() {
            prop_assert_eq!(condition.to_string().parse::<Condition>(), Ok(condition));
        }
    }
}

#[test]
fn releases_sources_and_tags_narrow_what_is_counted_of_events() {
    for text in [
        "error_count > 5 in 5m where release = 1.2.3 and source = worker",
        "new_issue_count > 5 in 5m where tag.team = payments and tag.region = eu",
        "user_count > 5 in 5m where project = shop and tag.\"my team\" = \"a b\"",
        "regression_count > 5 in 5m where release = \"\"",
    ] {
        let condition: Condition = text.parse().unwrap();
        assert_eq!(condition.to_string(), text);
        assert!(condition.is_watched(), "{text}");
    }
    let condition: Condition = "error_count > 5 in 5m where TAG.Team = x".parse().unwrap();
    assert_eq!((condition.filters[0].key, condition.filters[0].tag.as_str()), (FilterKey::Tag, "Team"));
    let wrong = |text: &str| text.parse::<Condition>().unwrap_err().to_string();
    assert_eq!(
        wrong("error_rate > 5 in 5m where release = 1"),
        "column 28: expected project, which error_rate can be narrowed to, found release"
    );
    assert_eq!(
        wrong("p95_ms > 5 in 5m where tag.team = a"),
        "column 24: expected project, which p95_ms can be narrowed to, found tag.team"
    );
    assert_eq!(
        wrong("user_count > 5 in 5m where tag. = a"),
        "column 28: expected project, release, source or tag.NAME, which user_count can be narrowed to, found tag."
    );
    assert_eq!(
        wrong("error_count > 5 in 5m where tag.a = 1 and tag.a = 2"),
        "column 43: expected each key once, found tag.a"
    );
    let filters = parse_filters("tag.a = 1 and release = 2 and level = fatal").unwrap();
    assert_eq!(filters.len(), 3);
    let wrong = |text: &str| parse_filters(text).unwrap_err().to_string();
    assert_eq!(
        wrong("project = shop"),
        "column 1: expected environment, level, release, source or tag.NAME, which an event can be narrowed to, found project"
    );
    assert_eq!(wrong("release = 1 or"), "column 13: expected and or the end, found or");
    assert!(wrong("").starts_with("column 1: expected environment"));
}
