//! What is told of changes.

use super::kit::{event, outcomes, project, record, types};
use errtrack_core::{
    IssueId, IssueRef, Member, ProjectId, Role, Status, Store, Token, TokenHash, TokenKind,
    store::{
        Change, Changes, IssueEvent, IssueQuery,
        Outcome::{New, Regressed, Seen},
    },
};
use std::time::{Duration, Instant};

/// No test waits longer.
const PATIENCE: Duration = Duration::from_secs(60);

async fn next_or_missed(changes: &mut Changes) -> Change {
    let change = tokio::time::timeout(PATIENCE, changes.next()).await;
    change.expect("a change is told in time").expect("the store is there")
}

/// The next change. That something may have been missed can be told at any time.
pub(super) async fn next(changes: &mut Changes) -> Change {
    loop {
        match next_or_missed(changes).await {
            Change::Missed => {}
            change => return change,
        }
    }
}

/// Listens until that is told; answers what was told of issues before, and that something was missed.
async fn until_or_missed(changes: &mut Changes, last: Change) -> Vec<Change> {
    let mut told = Vec::new();
    loop {
        match next_or_missed(changes).await {
            change if change == last => return told,
            change @ (Change::Issue { .. } | Change::Missed) => told.push(change),
            // What was done to projects and accounts before may still be on its way.
            Change::Projects | Change::Settings | Change::Accounts => {}
        }
    }
}

/// Listens until that is told; answers what was told of issues before.
async fn until(changes: &mut Changes, last: Change) -> Vec<Change> {
    let mut told = until_or_missed(changes, last).await;
    told.retain(|change| *change != Change::Missed);
    told
}

/// Listens, and answers when what happens from now on is sure to be heard.
pub(super) async fn listen(store: &impl Store) -> Changes {
    let mut changes = store.changes();
    let probe = store.ensure_project("probe").await.unwrap();
    let issue = record(store, &probe, [event("Probe")]).await[0].issue;
    let start = Instant::now();
    loop {
        assert!(start.elapsed() < PATIENCE, "the store tells of changes");
        store.assign(issue, None).await.unwrap();
        let edited = told(probe.id, issue, IssueEvent::Edited);
        // Not for long: it may have happened before the store listened.
        let heard = async { while next(&mut changes).await != edited {} };
        if tokio::time::timeout(Duration::from_millis(200), heard).await.is_ok() {
            break;
        }
    }
    store.delete_issues(&[issue]).await.unwrap();
    until(&mut changes, told(probe.id, issue, IssueEvent::Deleted)).await;
    changes
}

pub async fn a_listener_hears_of_a_change_or_that_it_missed_some(store: &impl Store) {
    let shop = project(store).await;
    let mut changes = store.changes();
    let recorded = record(store, &shop, [event("A")]).await;
    let new = told(shop.id, recorded[0].issue, IssueEvent::New);
    loop {
        match next_or_missed(&mut changes).await {
            Change::Missed => break,
            change if change == new => break,
            change => assert_eq!(change, Change::Projects, "the project may still be on its way"),
        }
    }
}

const fn told(project: ProjectId, issue: IssueId, event: IssueEvent) -> Change {
    Change::Issue { project, issue, event }
}

pub async fn what_happens_to_issues_is_told_once_it_can_be_read(store: &impl Store) {
    let mut changes = listen(store).await;
    let shop = project(store).await;
    let recorded = record(store, &shop, ["A", "A", "B"].map(event)).await;
    assert_eq!(outcomes(&recorded), [New, Seen, New]);
    let (a, b) = (recorded[0].issue, recorded[2].issue);
    assert_eq!(until(&mut changes, told(shop.id, a, IssueEvent::New)).await, []);
    let issue = store.issue(&IssueRef::Id(a)).await.unwrap().unwrap();
    assert_eq!((issue.count, issue.project), (2, shop.id));
    assert_eq!(until(&mut changes, told(shop.id, b, IssueEvent::New)).await, []);

    // That one was counted is not told.
    record(store, &shop, ["A", "B"].map(event)).await;
    store.set_status(&[a, IssueId(99)], Status::Resolved).await.unwrap();
    assert_eq!(until(&mut changes, told(shop.id, a, IssueEvent::Edited)).await, []);
    assert_eq!(store.issue(&IssueRef::Id(a)).await.unwrap().unwrap().status, Status::Resolved);

    assert_eq!(outcomes(&record(store, &shop, ["A", "A"].map(event)).await), [Regressed, Seen]);
    assert_eq!(until(&mut changes, told(shop.id, a, IssueEvent::Regressed)).await, []);
    assert!(store.issue(&IssueRef::Id(a)).await.unwrap().unwrap().regressed);

    assert!(store.assign(b, Some("ana@example.com")).await.unwrap());
    assert!(!store.assign(IssueId(99), None).await.unwrap());
    assert_eq!(until(&mut changes, told(shop.id, b, IssueEvent::Edited)).await, []);

    store.delete_issues(&[b, IssueId(99)]).await.unwrap();
    assert_eq!(until(&mut changes, told(shop.id, b, IssueEvent::Deleted)).await, []);
    assert_eq!(store.issue(&IssueRef::Id(b)).await.unwrap(), None);
}

pub async fn every_listener_hears_every_change(store: &impl Store) {
    let mut listeners = [listen(store).await, store.changes()];
    let shop = project(store).await;
    let recorded = record(store, &shop, ["A", "B", "C"].map(event)).await;
    for changes in &mut listeners {
        let mut heard = until(changes, told(shop.id, recorded[2].issue, IssueEvent::New)).await;
        heard.push(told(shop.id, recorded[2].issue, IssueEvent::New));
        let expected = recorded.iter().map(|recorded| told(shop.id, recorded.issue, IssueEvent::New));
        assert_eq!(heard, expected.collect::<Vec<_>>());
        assert!(changes.try_next().is_none_or(|change| change == Change::Missed));
    }
    let mut late = store.changes();
    store.delete_issues(&[recorded[0].issue]).await.unwrap();
    let heard = until(&mut late, told(shop.id, recorded[0].issue, IssueEvent::Deleted)).await;
    assert_eq!(heard, [], "who listens late hears what comes late");
}

pub async fn changes_of_projects_are_told(store: &impl Store) {
    let mut changes = listen(store).await;
    let shop = project(store).await;
    assert_eq!(next(&mut changes).await, Change::Projects);
    // Asking for it again changes nothing; what comes next is told of the key.
    project(store).await;
    assert!(store.add_public_key(shop.id, "0123456789abcdef0123456789abcdef").await.unwrap());
    assert!(!store.add_public_key(shop.id, "0123456789abcdef0123456789abcdef").await.unwrap());
    assert_eq!(next(&mut changes).await, Change::Projects);
    let recorded = record(store, &shop, [event("A")]).await;
    assert_eq!(next(&mut changes).await, told(shop.id, recorded[0].issue, IssueEvent::New));
    store.delete_project(shop.id).await.unwrap();
    while next(&mut changes).await != Change::Projects {}
    assert!(!store.projects().await.unwrap().contains(&shop));
}

pub async fn changes_of_accounts_are_told(store: &impl Store) {
    let mut changes = listen(store).await;
    let ana = Member::new("ana@example.com", Role::Owner);
    store.put_member(&ana).await.unwrap();
    assert_eq!(next(&mut changes).await, Change::Accounts);
    assert_eq!(store.member_count().await.unwrap(), 1);
    let token = TokenHash([1; 32]);
    store.put_token(&Token::new(TokenKind::Session, token, ana.id, super::kit::days(1))).await.unwrap();
    let shop = project(store).await;
    let recorded = record(store, &shop, [event("A")]).await;
    until(&mut changes, told(shop.id, recorded[0].issue, IssueEvent::New)).await;
    // Whoever remembers a session must hear that it is over.
    assert!(store.take_token(TokenKind::Session, token).await.unwrap());
    assert_eq!(next(&mut changes).await, Change::Accounts);
    assert_eq!(store.token_member(TokenKind::Session, token).await.unwrap(), None);
}

pub async fn a_slow_listener_hears_that_it_missed_something(store: &impl Store) {
    let shop = project(store).await;
    let recorded = record(store, &shop, (0..150).map(|n| event(&format!("T{n}")))).await;
    let issues: Vec<IssueId> = recorded.iter().map(|recorded| recorded.issue).collect();
    let (mut slow, mut fast) = (listen(store).await, store.changes());
    for round in 0..20 {
        let status = if round % 2 == 0 { Status::Ignored } else { Status::Unresolved };
        assert_eq!(store.set_status(&issues, status).await.unwrap(), 150);
    }
    let last = record(store, &shop, [event("Last")]).await[0].issue;
    // When the one has heard the last change, all have been told to the other too.
    until(&mut fast, told(shop.id, last, IssueEvent::New)).await;
    let heard = until_or_missed(&mut slow, told(shop.id, last, IssueEvent::New)).await;
    assert!(heard.contains(&Change::Missed) && heard.len() < 20 * 150, "{} changes were heard", heard.len());
    let query = IssueQuery { limit: 200, ..IssueQuery::default() };
    assert_eq!(types(&store.issues(&query).await.unwrap()).len(), 151);
    // From there on it hears everything again.
    store.delete_issues(&[last]).await.unwrap();
    assert_eq!(until(&mut slow, told(shop.id, last, IssueEvent::Deleted)).await, []);
}
