//! What rules promise, and that nothing makes them panic.

use super::{preview::*, *};
use crate::{
    EventId, Exception, Frame, Issue, IssueId, Level, Message, Preparer, ProjectId, Request, Stacktrace, Status,
    Timestamp, store::StoredEvent,
};
use proptest::prelude::*;
use serde_json::json;
use uuid::Uuid;

fn event() -> Event {
    let mut event = Event::new();
    event.exceptions = vec![Exception::new("std::io::Error::TimedOut", "no answer"), Exception::new("shop::Pay", "no")];
    let frame = |function: &str, module: Option<&str>, file: &str| Frame {
        function: Some(function.into()),
        module: module.map(str::to_owned),
        filename: Some(file.into()),
        abs_path: Some(format!("/srv/shop/{file}")),
        ..Frame::default()
    };
    let frames = vec![frame("shop::pay::take", None, "src/pay.rs"), frame("connect", Some("net.pool"), "net/pool.py")];
    event.exceptions[1].stacktrace = Some(Stacktrace { frames });
    event.message = Some(Message::new("could not take payment"));
    event.transaction = Some("POST /orders/{id}".into());
    let url = Some("https://shop.example/orders/7".into());
    event.request = Some(Request { status: Some(503), url, ..Request::default() });
    event.logger = Some("shop::pay".into());
    event.environment = Some("production".into());
    event.release = Some("shop@1.4.0".into());
    event.tags.insert("plan".into(), "pro".into());
    event
}

fn applies(rule: Rule, event: &Event) -> bool {
    Rules::new(vec![rule]).unwrap().ignores(event)
}

#[test]
fn every_condition_must_apply() {
    let rule = Rule::new;
    for (rule, expected) in [
        (rule().ty("*::TimedOut"), true),
        (rule().ty("shop::Pay").message("no"), true),
        (rule().message("could not*"), true),
        (rule().message("no answer"), true),
        (rule().ty("shop::Pay").message("yes"), false),
        (rule().ty("re:^shop::"), true),
        (rule().route("/orders/*"), true),
        (rule().route("POST /orders/{id}"), true),
        (rule().route("GET /orders/{id}"), false),
        (rule().url("https://shop.example/*"), true),
        (rule().status("5*"), true),
        (rule().status("404"), false),
        (rule().target("shop::*").status("503"), true),
        (rule().target("shop"), false),
        (rule().tag("plan", "pro"), true),
        (rule().tag("plan", "free"), false),
        (rule().tag("other", "*"), false),
        (rule().level("error").environment("production").release("shop@1.*"), true),
        (rule().level("re:debug|info"), false),
        (rule().path("src/pay.rs"), true),
        (rule().path("/srv/shop/*"), true),
        (rule().path("*.js"), false),
        (rule().function("shop::pay::*"), true),
        (rule().function("net.pool.connect"), true),
        (rule().function("connect"), true),
        (rule().module("net.*"), true),
        (rule().module("net"), false),
    ] {
        assert_eq!(applies(rule.clone(), &event()), expected, "{rule:?}");
    }
    for field in Field::NAMED.into_iter().filter(|field| *field != Field::Level) {
        assert!(!applies(rule().when(field.clone(), "*"), &Event::default()), "{field}: there is none");
    }
}

#[test]
fn rules_are_kept_as_json_and_what_is_wrong_is_said() {
    let rules = Rules::new(vec![
        Rule::new().named("away").ty("a").tag("plan", "re:^pro$"),
        Rule::new().message("b*").fingerprint(["{{ default }}", "{{ type }}"]),
    ])
    .unwrap();
    let document = json!({ "rules": [
        { "name": "away", "match": { "type": "a", "tag.plan": "re:^pro$" }, "action": "ignore" },
        { "match": { "message": "b*" }, "action": "fingerprint", "fingerprint": ["{{ default }}", "{{ type }}"] },
    ] });
    assert_eq!(rules.to_json(), document);
    assert_eq!(Rules::from_value(&document).unwrap().to_json(), document);
    for (wrong, expected) in [
        (json!([]), "rules: must be an object"),
        (json!({}), "rules: must be a list"),
        (json!({"rules": [], "more": 1}), "rules: knows no `more`"),
        (json!({"rules": [7]}), "rules[0]: must be an object"),
        (
            json!({"rules": [{"action": "ignore"}]}),
            "rules[0].match: needs a condition, or it would apply to every event",
        ),
        (json!({"rules": [{"match": [], "action": "ignore"}]}), "rules[0].match: must be an object"),
        (json!({"rules": [{"match": {"type": 7}, "action": "ignore"}]}), "rules[0].match.type: must be a text"),
        (json!({"rules": [{"match": {"type": ""}, "action": "ignore"}]}), "rules[0].match.type: is empty"),
        (
            json!({"rules": [{"match": {"type": "x"}, "action": "ignore"}, {"match": {"url": "re:["}, "action": "ignore"}]}),
            "rules[1].match.url: is no regular expression: unclosed character class",
        ),
        (json!({"rules": [{"match": {"type": "x"}}]}), "rules[0].action: must be `ignore` or `fingerprint`"),
        (json!({"rules": [{"match": {"type": "x"}, "action": "drop"}]}), "rules[0].action: must be"),
        (json!({"rules": [{"match": {"type": "x"}, "action": "fingerprint"}]}), "rules[0].fingerprint: is needed"),
        (
            json!({"rules": [{"match": {"type": "x"}, "fingerprint": []}]}),
            "rules[0].fingerprint: needs at least one part",
        ),
        (
            json!({"rules": [{"match": {"type": "x"}, "fingerprint": [7]}]}),
            "rules[0].fingerprint: must be a list of texts",
        ),
        (
            json!({"rules": [{"match": {"type": "x"}, "action": "ignore", "fingerprint": ["a"]}]}),
            "rules[0].fingerprint: says nothing for what is ignored",
        ),
        (
            json!({"rules": [{"match": {"type": "x"}, "fingerprint": ["{{ tipe }}"]}]}),
            "rules[0].fingerprint: `{{ tipe }}` is none of type",
        ),
        (
            json!({"rules": [{"match": {"tipe": "x"}, "action": "ignore"}]}),
            "rules[0].match.tipe: is none of type, message",
        ),
        (
            json!({"rules": [{"match": {"logger": "x", "target": "y"}, "action": "ignore"}]}),
            "rules[0].match.target: is given twice",
        ),
        (
            json!({"rules": [{"name": "x".repeat(101), "match": {"type": "x"}, "action": "ignore"}]}),
            "rules[0].name: is longer",
        ),
        (json!({"rules": [{"nam": "x"}]}), "rules[0]: knows no `nam`, but name, match"),
    ] {
        let error = Rules::from_value(&wrong).unwrap_err();
        assert!(error.to_string().starts_with(expected), "{wrong}: {error}");
    }
    assert!(Rules::from_json("{").unwrap_err().to_string().starts_with("rules: are no JSON"));
    let many = |rule: Rule, count| Rules::new(vec![rule; count]);
    assert!(many(Rule::new().ty("x"), 200).is_ok());
    assert!(many(Rule::new().ty("x"), 201).unwrap_err().to_string().contains("more than 200"));
    assert!(many(Rule::new().ty("re:x"), 101).unwrap_err().to_string().contains("more than 100 regular"));
    assert!(
        many(Rule::new().ty("ü".repeat(500)).message("ü".repeat(500)), 200).unwrap_err().what().contains("256 KiB")
    );
    assert_eq!(
        many(Rule::new().tag("", "x"), 1).unwrap_err().to_string(),
        "rules[0].match.tag: needs the name of the tag"
    );
    for hidden in ["a\nb", "a\0", "\u{202e}b"] {
        for rule in [
            Rule::new().ty(hidden),
            Rule::new().tag(hidden, "x"),
            Rule::new().ty("x").named(hidden),
            Rule::new().ty("x").fingerprint([hidden]),
        ] {
            assert!(many(rule, 1).unwrap_err().what().contains("cannot be seen"), "{hidden:?}");
        }
    }
    assert!(many(Rule::new().ty("x").ty("y"), 1).unwrap_err().to_string().contains("match.type: is given twice"));
    let error = Rules::new(vec![Rule::new().ty("x"), Rule::new().tag("a", "re:(")]).unwrap_err();
    assert_eq!(
        (error.rule(), error.part(), error.what()),
        (Some(1), Some("tag.a"), "is no regular expression: unclosed group")
    );
}

fn group(rules: &[Rule], event: &Event, formula: &Formula) -> (Fingerprint, Grouping) {
    match Rules::decide([&Rules::new(rules.to_vec()).unwrap()], event, formula.clone()) {
        Decision::Group(fingerprint, grouping, _) => (fingerprint, grouping),
        Decision::Ignore(rule) => panic!("ignored by {rule}"),
    }
}

#[test]
fn a_fixed_fingerprint_merges_and_a_variable_splits() {
    let (mut one, mut other) = (event(), event());
    other.exceptions = vec![Exception::new("shop::Elsewhere", "no")];
    let merge = [Rule::new().named("away").ty("shop::*").fingerprint(["away"])];
    let (merged, why) = group(&merge, &one, &Formula::Ours);
    assert_eq!(group(&merge, &other, &Formula::Ours).0, merged);
    assert_eq!((why.by.as_str(), why.rule.as_deref()), ("rule", Some("away")));
    assert_eq!(why.components[0].values, ["away"]);
    assert_eq!(why.fingerprint(), merged, "what is kept says all");
    other.exceptions.clear();
    assert_ne!(group(&merge, &other, &Formula::Ours).0, merged, "the rule does not apply");

    let split = [Rule::new().ty("shop::*").fingerprint(["{{ default }}", "{{ tag.plan }}"])];
    let (pro, why) = group(&split, &one, &Formula::Ours);
    assert_eq!(why.rule.as_deref(), Some("type is shop::*"));
    assert!(why.components.len() > 1, "{why:?}");
    assert_eq!(why.fingerprint(), pro);
    one.tags.insert("plan".into(), "free".into());
    assert_ne!(group(&split, &one, &Formula::Ours).0, pro);
}

#[test]
fn a_rule_goes_before_the_client_and_default_stands_for_it() {
    let mut event = event();
    event.fingerprint = vec!["theirs".into()];
    let (theirs, _) = group(&[], &event, &Formula::Ours);
    let ty = || Rule::new().ty("shop::*");
    assert_ne!(group(&[ty().fingerprint(["ours"])], &event, &Formula::Ours).0, theirs);
    assert_eq!(group(&[ty().fingerprint(["theirs"])], &event, &Formula::Ours).0, theirs, "both can name one issue");
    let (kept, why) = group(&[ty().named("keep").fingerprint(["{{ default }}"])], &event, &Formula::Ours);
    assert_eq!((kept, why.rule.as_deref(), why.by.as_str()), (theirs, Some("keep"), "client fingerprint"));
    let (split, _) = group(&[ty().fingerprint(["{{ default }}", "x"])], &event, &Formula::Ours);
    event.fingerprint = vec!["other".into()];
    assert_ne!(group(&[ty().fingerprint(["{{ default }}", "x"])], &event, &Formula::Ours).0, split);
}

#[test]
fn the_formula_of_a_dialect_holds_until_a_rule_decides() {
    let dialect = |byte| Formula::Fixed { fingerprint: Fingerprint([byte; 16]), because: "its document".into() };
    let ty = || Rule::new().ty("shop::*");
    assert_eq!(group(&[], &event(), &dialect(1)).0, Fingerprint([1; 16]));
    let keep = [ty().fingerprint(["{{ default }}"])];
    assert_eq!(group(&keep, &event(), &dialect(1)).0, Fingerprint([1; 16]));
    let split = [ty().fingerprint(["{{ default }}", "x"])];
    assert_ne!(group(&split, &event(), &dialect(1)).0, group(&split, &event(), &dialect(2)).0);
    let merge = [ty().fingerprint(["x"])];
    assert_eq!(group(&merge, &event(), &dialect(1)).0, group(&merge, &event(), &dialect(2)).0);
    for rules in [&[][..], &keep, &split, &merge] {
        let (fingerprint, why) = group(rules, &event(), &dialect(7));
        assert_eq!((why.formula(), why.fingerprint()), (dialect(7), fingerprint), "{why:?}");
    }
}

#[test]
fn the_first_rule_that_applies_decides_and_those_in_the_code_go_first() {
    let rules = |rules: Vec<Rule>| Rules::new(rules).unwrap();
    let no = || Rule::new().ty("nothing");
    let keep = Rule::new().ty("shop::*").fingerprint(["{{ default }}"]);
    let ignore = Rule::new().ty("shop::*");
    let decide = |code: Vec<Rule>, edited: Vec<Rule>| {
        Rules::decide(rules(code).followed_by(&rules(edited)), &event(), Formula::Ours)
    };
    assert_eq!(decide(vec![], vec![no(), ignore.clone(), keep.clone()]), Decision::Ignore(1));
    assert!(matches!(decide(vec![], vec![keep.clone(), ignore.clone()]), Decision::Group(_, _, Some(0))));
    assert!(matches!(decide(vec![no(), keep], vec![ignore.clone()]), Decision::Group(_, _, Some(1))));
    assert_eq!(decide(vec![no()], vec![no(), ignore]), Decision::Ignore(2));
    assert!(matches!(decide(vec![no()], vec![]), Decision::Group(_, _, None)));
}

fn issue(id: i64) -> Issue {
    let now = Timestamp::now();
    Issue {
        id: IssueId(id),
        uuid: Uuid::from_u128(id as u128),
        number: id,
        project: ProjectId(1),
        project_slug: "shop".into(),
        ty: format!("T{id}"),
        value: String::new(),
        culprit: String::new(),
        level: Level::Error,
        status: Status::Unresolved,
        source: None,
        platform: None,
        environment: None,
        first_release: None,
        last_release: None,
        first_seen: now,
        last_seen: now,
        resolved_at: None,
        count: 1,
        stored_count: 1,
        user_count: 0,
        assigned_to: None,
        last_event: EventId::default(),
        fingerprint: Fingerprint([u8::try_from(id).unwrap(); 16]),
        created_at: now,
        updated_at: now,
        condition: None,
        regressed: false,
    }
}

/// Runs rules over issues, each made of events that are given by type and plan and came while `before` held.
fn run(before: &[Rule], rules: &[Rule], issues: &[&[(&str, &str)]]) -> Preview {
    let before = Rules::new(before.to_vec()).unwrap();
    let mut run = DryRun::new(Rules::default(), Rules::new(rules.to_vec()).unwrap());
    for (events, id) in issues.iter().zip(1..) {
        run.issue(issue(id));
        for (ty, plan) in *events {
            let mut event = Event::new();
            event.exceptions.push(Exception::new(*ty, "no"));
            event.tags.insert("plan".into(), (*plan).into());
            let occurrence = Preparer::default().prepare_by([&before], ProjectId(1), event, Formula::Ours).unwrap();
            run.event(&StoredEvent {
                id: occurrence.id(),
                row: 1,
                issue: IssueId(id),
                issue_uuid: Uuid::from_u128(id as u128),
                project: ProjectId(1),
                pinned: false,
                event: occurrence.event(),
            });
        }
    }
    run.finish(false)
}

/// Each group as `change into: from events/of …`.
fn said(preview: &Preview) -> Vec<String> {
    let group = |group: &Group| {
        let into = group.into.as_ref().map_or_else(|| group.parts.join("+"), |issue| issue.ty.clone());
        let from: Vec<_> = group.from.iter().map(|f| format!("{} {}/{}", f.issue.ty, f.events, f.of)).collect();
        format!("{} {into}: {}", group.change().as_str(), from.join(" "))
    };
    preview.groups.iter().map(group).collect()
}

#[test]
fn a_dry_run_says_what_would_be_ignored_split_and_merged() {
    let a: &[_] = &[("A", "pro"), ("A", "pro"), ("A", "free")];
    let b: &[_] = &[("B", "pro")];
    let nothing = run(&[], &[], &[a, b]);
    assert_eq!((nothing.issues, nothing.events, nothing.ignored_events, nothing.groups.len()), (2, 4, 0, 0));

    let ignored = run(&[], &[Rule::new().ty("none"), Rule::new().tag("plan", "pro")], &[a, b]);
    assert_eq!((ignored.ignored_events, ignored.applied.as_slice()), (3, &[0, 3][..]));
    let by: Vec<_> = ignored.ignored.iter().map(|i| (i.issue.ty.as_str(), i.events, i.of, i.rule)).collect();
    assert_eq!(by, [("T1", 2, 3, Some(1)), ("T2", 1, 1, Some(1))]);

    let merge = Rule::new().ty("re:^[AB]$").fingerprint(["both"]);
    assert_eq!(said(&run(&[], std::slice::from_ref(&merge), &[a, b])), ["merge both: T1 3/3 T2 1/1"]);
    let split = Rule::new().ty("A").tag("plan", "free").fingerprint(["{{ default }}", "free"]);
    assert_eq!(said(&run(&[], &[split], &[a, b])), ["split {{ default }}+free: T1 1/3"]);
    let moves = Rule::new().ty("B").fingerprint(["elsewhere"]);
    assert_eq!(said(&run(&[], std::slice::from_ref(&moves), &[a, b])), ["move elsewhere: T2 1/1"]);
    assert_eq!(said(&run(std::slice::from_ref(&moves), std::slice::from_ref(&moves), &[a, b])), Vec::<String>::new());
    let joins = Rule::new().ty("A").tag("plan", "free").fingerprint(["elsewhere"]);
    assert_eq!(said(&run(std::slice::from_ref(&moves), &[moves.clone(), joins], &[a, b])), ["merge T2: T1 1/3"]);

    let without = run(std::slice::from_ref(&moves), &[], &[a, b]);
    assert_eq!(said(&without), ["move B: T2 1/1"], "a rule that is taken away");
    assert_eq!(without.groups[0].from[0].rule, None);
    let same = run(&[], &[Rule::new().ty("*").fingerprint(["{{ default }}"])], &[a, b]);
    assert_eq!((same.groups.len(), same.applied.as_slice()), (0, &[4][..]));
}

#[test]
fn a_rule_sees_what_is_stored() {
    let rules = Rules::new(vec![Rule::new().message("*hunter2*")]).unwrap();
    let mut event = Event::new();
    event.exceptions.push(Exception::new("A", "password=hunter2"));
    let stored = Preparer::default().prepare_by([&rules], ProjectId(1), event.clone(), Formula::Ours).unwrap();
    assert!(!rules.ignores(&stored.event()));
    let fingerprint = Rules::new(vec![Rule::new().ty("A").fingerprint(["{{ message }}"])]).unwrap();
    let stored = Preparer::default().prepare_by([&fingerprint], ProjectId(1), event, Formula::Ours).unwrap();
    assert!(!String::from_utf8_lossy(stored.payload()).contains("hunter2"));
}

prop_compose! {
    fn any_event()(
        texts in prop::collection::vec(any::<Option<String>>(), 12),
        status in any::<Option<u16>>(),
        parts in prop::collection::vec(any::<String>(), 0..3),
    ) -> Event {
        let text = |n: usize| texts[n].clone();
        let frame = Frame { function: text(0), module: text(1), filename: text(2), abs_path: text(3), ..Frame::default() };
        let exception = Exception {
            ty: text(4),
            value: text(5),
            module: text(6),
            stacktrace: Some(Stacktrace { frames: vec![frame] }),
            ..Exception::default()
        };
        Event {
            event_id: EventId::random(),
            exceptions: vec![exception],
            message: text(7).map(Message::new),
            transaction: text(8),
            logger: text(9),
            environment: text(10),
            release: text(11),
            request: Some(Request { status, url: text(0), ..Request::default() }),
            tags: text(1).into_iter().map(|tag| ("a".to_owned(), tag)).collect(),
            fingerprint: parts,
            ..Event::default()
        }
    }
}

proptest! {
    #[test]
    fn no_pattern_and_no_event_panics(
        event in any_event(),
        pattern in prop_oneof![any::<String>(), "re:.{0,30}", r"re:[\\wa*+?()|.\[\]^$-]{0,20}", r"[a*{}]{0,10}"],
        part in prop_oneof![any::<String>(), "[{} a-z.]{0,30}", Just("{{ default }}-{{ type }}".to_owned()), Just("{{ tag.a }}{{ message }}{{function}}{{path}}".to_owned())],
    ) {
        for field in Field::NAMED.into_iter().chain([Field::Tag("a".into())]) {
            for rule in [Rule::new(), Rule::new().fingerprint([part.as_str()]), Rule::new().fingerprint(["{{ default }}", part.as_str()])] {
                let Ok(rules) = Rules::new(vec![rule.when(field.clone(), pattern.as_str())]) else { continue };
                prop_assert_eq!(Rules::from_json(&rules.to_json().to_string()), Ok(rules.clone()));
                if let Decision::Group(fingerprint, grouping, _) = Rules::decide([&rules], &event, Formula::Ours) {
                    prop_assert_eq!(grouping.fingerprint(), fingerprint);
                }
            }
        }
    }

    #[test]
    fn a_document_is_read_or_refused(text in any::<String>(), json in r#"\{"rules":\[\{"[a-z]{0,6}":["a-z0-9\[\]{}:]{0,20}\}\]\}"#) {
        let _ = Rules::from_json(&text);
        let _ = Rules::from_json(&json);
    }
}
