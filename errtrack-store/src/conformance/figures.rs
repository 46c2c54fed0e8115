//! Figures from rollups.

use super::kit::{at, event, issue_of, minutes, project, record};
use errtrack_core::{
    Event, IssueId, Level, ProjectId, Status, Store, Timestamp,
    store::{FigureScope, Rollup, RollupWidth},
};

/// The first hour and day of what happens here.
const HOUR: i64 = super::kit::NOON / 3_600_000_000;
const DAY: i64 = HOUR / 24 * 24;

fn from(environment: &str, level: Level, minute: i64) -> Event {
    Event { environment: Some(environment.into()), level, ..at("A", minute) }
}

fn of(project: ProjectId) -> FigureScope {
    FigureScope { projects: Some(vec![project]), environment: None }
}

fn within(project: ProjectId, environment: &str) -> FigureScope {
    FigureScope { environment: Some(environment.into()), ..of(project) }
}

fn counted(hour: i64, events: i64, fatal: i64, new_issues: i64) -> Rollup {
    Rollup { hour, events, fatal, new_issues, ..Rollup::default() }
}

/// What happened until the next day after those in which things happen here; resolving happens now and is left out.
async fn hours(store: &impl Store, scope: &FigureScope) -> Vec<Rollup> {
    store.rollups(scope, RollupWidth::Hour, minutes(-3 * 24 * 60), minutes(240)).await.unwrap()
}

async fn ever(store: &impl Store, scope: &FigureScope) -> Rollup {
    let all = store.rollups(scope, RollupWidth::Ever, Timestamp::default(), Timestamp::default()).await.unwrap();
    assert!(all.len() <= 1, "{all:?}");
    all.first().copied().unwrap_or_default()
}

pub async fn events_are_counted_by_hour_environment_and_level(store: &impl Store) {
    let project = project(store).await;
    record(
        store,
        &project,
        [
            from("production", Level::Error, 0),
            from("production", Level::Fatal, 10),
            from("staging", Level::Error, 20),
            Event { environment: None, ..at("B", 70) },
        ],
    )
    .await;
    record(store, &project, [from("production", Level::Error, 5)]).await;
    let id = project.id;
    assert_eq!(hours(store, &of(id)).await, [counted(HOUR, 4, 1, 1), counted(HOUR + 1, 1, 0, 1)]);
    assert_eq!(hours(store, &within(id, "staging")).await.iter().map(|hour| hour.events).sum::<i64>(), 1);
    let production = hours(store, &within(id, "production")).await;
    assert_eq!((production[0].events, production[0].fatal, production.len()), (3, 1, 1));
    let names = store.environments(&of(id), Timestamp::default()).await.unwrap();
    let names: Vec<_> = names.iter().map(|n| (n.environment.as_deref().unwrap(), n.events, n.fatal)).collect();
    assert_eq!(names[0], ("production", 3, 1), "the most first");
    assert_eq!((names.len(), names.contains(&("", 1, 0)), names.contains(&("staging", 1, 0))), (3, true, true));
    let late = store.environments(&of(id), minutes(60)).await.unwrap();
    assert_eq!((late.len(), late[0].environment.as_deref(), late[0].events), (1, Some(""), 1));
}

pub async fn days_and_all_of_time_add_up(store: &impl Store) {
    let project = project(store).await;
    let events = (0..60).map(|n| Event { environment: Some(format!("e{}", n % 3)), ..at("A", -n * 60) });
    record(store, &project, events.collect::<Vec<_>>()).await;
    let scope = of(project.id);
    let days = store.rollups(&scope, RollupWidth::Day, minutes(-3 * 24 * 60), minutes(0)).await.unwrap();
    let hours = hours(store, &scope).await;
    for day in &days {
        let of_day = hours.iter().filter(|hour| RollupWidth::Day.start(hour.hour) == day.hour);
        assert_eq!(day.events, of_day.map(|hour| hour.events).sum::<i64>(), "{day:?}");
    }
    assert_eq!(days.last().map(|day| day.hour), Some(DAY));
    assert_eq!((days.iter().map(|day| day.events).sum::<i64>(), ever(store, &scope).await), (60, counted(0, 60, 0, 1)));
}

pub async fn figures_are_told_apart_by_project_and_environment(store: &impl Store) {
    let (shop, blog) = (project(store).await, store.ensure_project("blog").await.unwrap());
    record(store, &shop, [from("production", Level::Error, 0)]).await;
    record(store, &blog, [from("production", Level::Error, 0), from("it's", Level::Error, 1)]).await;
    let everywhere = FigureScope::default();
    assert_eq!(ever(store, &everywhere).await.events, 3);
    assert_eq!(ever(store, &FigureScope { environment: Some("production".into()), ..everywhere }).await.events, 2);
    assert_eq!((ever(store, &of(shop.id)).await.events, ever(store, &within(blog.id, "it's")).await.events), (1, 1));
    let none = FigureScope { projects: Some(Vec::new()), environment: None };
    assert_eq!((ever(store, &none).await, store.figures_version(&none).await.unwrap().events), (Rollup::default(), 0));
    assert!(store.top_issues(&none, Timestamp::default(), 5).await.unwrap().is_empty());
}

async fn issue(store: &impl Store, project: &errtrack_core::Project, ty: &str, environments: &[&str]) -> IssueId {
    let events = environments.iter().map(|name| Event { environment: Some((*name).into()), ..event(ty) });
    record(store, project, events.collect::<Vec<_>>()).await[0].issue
}

pub async fn what_is_resolved_is_counted_once_with_the_time_it_took(store: &impl Store) {
    let project = project(store).await;
    let first = issue(store, &project, "A", &["production", "staging"]).await;
    let second = issue(store, &project, "B", &["staging"]).await;
    let before = Timestamp::now();
    store.set_status(&[first, second], Status::Resolved).await.unwrap();
    store.set_status(&[first], Status::Resolved).await.unwrap();
    let whole = ever(store, &of(project.id)).await;
    assert_eq!(whole.resolved, 2, "{whole:?}");
    let took = (before.as_micros() - super::kit::NOON) * 2;
    assert!((took..took + 600_000_000).contains(&whole.resolving_micros), "{whole:?}");
    assert_eq!(ever(store, &within(project.id, "production")).await.resolved, 1);
    assert_eq!(ever(store, &within(project.id, "staging")).await.resolved, 2);
    let hours = store.rollups(&of(project.id), RollupWidth::Hour, before, Timestamp::now()).await.unwrap();
    assert_eq!(hours.iter().map(|hour| hour.resolved).sum::<i64>(), 2, "in the hour in which it happened");
    // It comes back, and is resolved again.
    issue(store, &project, "A", &["production"]).await;
    store.set_status(&[second], Status::Unresolved).await.unwrap();
    assert_eq!(ever(store, &of(project.id)).await.resolved, 2);
    store.set_status(&[first, second], Status::Resolved).await.unwrap();
    assert_eq!(ever(store, &of(project.id)).await.resolved, 4);
}

pub async fn a_merged_issue_is_resolved_once(store: &impl Store) {
    let project = project(store).await;
    let first = issue(store, &project, "A", &["production"]).await;
    let second = issue(store, &project, "B", &["production"]).await;
    store.merge(project.id, first, &[second]).await.unwrap();
    store.set_status(&[first], Status::Resolved).await.unwrap();
    let scope = within(project.id, "production");
    assert_eq!((ever(store, &of(project.id)).await.resolved, ever(store, &scope).await.resolved), (1, 1));
    let groups = store.groups(first).await.unwrap();
    store.unmerge(first, &[groups[1].fingerprint]).await.unwrap();
    assert_eq!(ever(store, &of(project.id)).await.resolved, 1, "who leaves takes over what was decided");
    assert_eq!(ever(store, &of(project.id)).await.events, 2, "merging counts nothing again");
}

pub async fn what_happened_stays_when_issues_go(store: &impl Store) {
    let project = project(store).await;
    let first = issue(store, &project, "A", &["production"]).await;
    store.set_status(&[first], Status::Resolved).await.unwrap();
    store.delete_issues(&[first]).await.unwrap();
    let whole = ever(store, &of(project.id)).await;
    assert_eq!((whole.events, whole.new_issues, whole.resolved), (1, 1, 1));
    assert!(store.top_issues(&of(project.id), Timestamp::default(), 5).await.unwrap().is_empty());
}

pub async fn a_project_that_is_gone_has_no_figures(store: &impl Store) {
    let project = project(store).await;
    let events = (0..700).map(|n| Event { environment: Some("production".into()), ..at("A", -n * 60) });
    record(store, &project, events.collect::<Vec<_>>()).await;
    assert!(store.delete_project(project.id).await.unwrap());
    assert_eq!(ever(store, &FigureScope::default()).await, Rollup::default());
    assert!(store.environments(&FigureScope::default(), Timestamp::default()).await.unwrap().is_empty());
}

pub async fn every_write_that_changes_figures_changes_their_version(store: &impl Store) {
    let project = project(store).await;
    let scope = of(project.id);
    let mut seen = vec![store.figures_version(&scope).await.unwrap()];
    macro_rules! changes {
        ($what:expr, $write:expr) => {
            let _ = $write;
            let now = store.figures_version(&scope).await.unwrap();
            assert_eq!(store.figures_version(&scope).await.unwrap(), now, "reading changes nothing");
            assert!(!seen.contains(&now), "{}", $what);
            seen.push(now);
        };
    }
    changes!("a new issue", issue(store, &project, "A", &["production"]).await);
    changes!("a known issue", issue(store, &project, "A", &["production"]).await);
    let first = issue_of(store, &record(store, &project, [event("A")]).await[0]).await.id;
    let second = issue(store, &project, "B", &["production"]).await;
    seen.push(store.figures_version(&scope).await.unwrap());
    for status in [Status::Resolved, Status::Unresolved, Status::Ignored, Status::Resolved] {
        changes!(status.as_str(), store.set_status(&[first], status).await.unwrap());
    }
    changes!("a regression", issue(store, &project, "A", &["production"]).await);
    changes!("merging", store.merge(project.id, first, &[second]).await.unwrap());
    let groups = store.groups(first).await.unwrap();
    changes!("unmerging", store.unmerge(first, &[groups[1].fingerprint]).await.unwrap());
    changes!("deletion", store.delete_issues(&[second]).await.unwrap());
    changes!("deletion of the project", store.delete_project(project.id).await.unwrap());
}

pub async fn the_issues_with_the_most_events_come_first(store: &impl Store) {
    let project = project(store).await;
    let now = Timestamp::now();
    let seen = |ty: &str, environment: &str| Event {
        timestamp: now,
        received_at: now,
        environment: Some(environment.into()),
        ..event(ty)
    };
    let events = [("A", "x"), ("B", "x"), ("B", "y"), ("C", "y"), ("C", "y"), ("C", "y")];
    record(store, &project, events.map(|(ty, environment)| seen(ty, environment))).await;
    record(store, &project, [event("A"), event("A"), event("A"), event("A")]).await;
    let top = async |scope: FigureScope, limit| {
        let since = now.minus(std::time::Duration::from_secs(3600));
        let top = store.top_issues(&scope, since, limit).await.unwrap();
        top.into_iter().map(|(issue, events)| (issue.ty, events)).collect::<Vec<_>>()
    };
    let id = project.id;
    assert_eq!(top(of(id), 2).await, [("C".into(), 3), ("B".into(), 2)]);
    assert_eq!(top(of(id), 9).await.last(), Some(&("A".into(), 1)), "what is older does not count");
    assert_eq!(top(within(id, "x"), 9).await, [("B".into(), 2), ("A".into(), 1)]);
    assert!(top(within(id, "z"), 9).await.is_empty());
}

pub async fn many_environments_keep_their_total(store: &impl Store) {
    let project = project(store).await;
    for round in 0..3 {
        let events = (0..70).map(|n| Event { environment: Some(format!("e{}", round * 70 + n)), ..event("A") });
        record(store, &project, events.collect::<Vec<_>>()).await;
    }
    let names = store.environments(&of(project.id), Timestamp::default()).await.unwrap();
    assert_eq!(names.iter().map(|name| name.events).sum::<i64>(), 210);
    assert_eq!(ever(store, &of(project.id)).await.events, 210);
}
