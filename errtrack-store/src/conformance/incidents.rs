//! Incidents: each change is told, a rule has one that is open, and links follow their issues.

use super::kit::{event, minutes, project, record};
use errtrack_core::{
    IssueId, ProjectId, Store,
    incident::{
        EntryKind, Incident, IncidentChange, IncidentEntry, IncidentStatus, MAX_LINKED_ISSUES, MAX_NOTED_FIRINGS,
        NewIncident, Severity,
    },
    notify::Trigger,
    store::{IncidentChanged, IncidentQuery, OpenedIncident, OutboxItem, OutboxQuery, Recovery},
};
use uuid::Uuid;

const HOSTILE: &str = "ü 🐢 '; DROP TABLE errtrack_incident; -- \u{1f}%_";

fn new(title: &str) -> NewIncident {
    NewIncident { at: minutes(0), ..NewIncident::new(title, "ann@example.com") }
}

fn all() -> IncidentQuery {
    IncidentQuery { limit: 100, ..IncidentQuery::default() }
}

async fn open(store: &impl Store, new: &NewIncident) -> OpenedIncident {
    store.open_incident(new).await.unwrap().unwrap()
}

async fn read(store: &impl Store, id: Uuid) -> Incident {
    store.incident(id).await.unwrap().unwrap()
}

async fn timeline(store: &impl Store, id: Uuid) -> Vec<IncidentEntry> {
    store.incident_timeline(id, None, 5_000).await.unwrap()
}

async fn kinds(store: &impl Store, id: Uuid) -> Vec<EntryKind> {
    timeline(store, id).await.iter().map(|entry| entry.kind).collect()
}

async fn linked(store: &impl Store, id: Uuid) -> Vec<String> {
    store.incident_issues(id).await.unwrap().iter().map(errtrack_core::Issue::short_id).collect()
}

async fn titles(store: &impl Store, query: &IncidentQuery) -> Vec<String> {
    store.incidents(query).await.unwrap().into_iter().map(|incident| incident.title).collect()
}

fn to(status: IncidentStatus) -> IncidentChange {
    IncidentChange { status: Some(status), ..IncidentChange::default() }
}

async fn change(store: &impl Store, id: Uuid, change: &IncidentChange, minute: i64) -> Incident {
    let changed = store.change_incident(id, change, "bob@example.com", minutes(minute)).await.unwrap();
    assert!(matches!(changed, IncidentChanged::Done(_)), "{changed:?}");
    store
        .incident(id)
        .await
        .unwrap()
        .filter(|incident| changed == IncidentChanged::Done(incident.clone().into()))
        .unwrap()
}

pub async fn an_incident_is_opened_with_all_it_has(store: &impl Store) {
    let shop = project(store).await;
    let recorded = record(store, &shop, [event("A"), event("B")]).await;
    let whole = NewIncident {
        project: Some(shop.id),
        description: HOSTILE.into(),
        severity: Severity::Critical,
        status: IncidentStatus::Identified,
        assigned_to: Some("bob@example.com".into()),
        rule: Some(Uuid::from_u128(7)),
        firing: Some(Uuid::from_u128(8)),
        channels: vec!["slack".into(), HOSTILE.into()],
        issues: vec![recorded[0].issue, recorded[1].issue, IssueId(99)],
        note: "51 > 50".into(),
        ..new(HOSTILE)
    };
    assert_eq!(open(store, &whole).await, OpenedIncident { id: whole.id, is_new: true });
    let incident = read(store, whole.id).await;
    assert_eq!(incident, Incident { row: incident.row, ..whole.incident() });
    assert_eq!(incident.firings, 1);
    let entries = timeline(store, whole.id).await;
    assert_eq!(entries[0], IncidentEntry { id: entries[0].id, ..whole.entry() });
    assert_eq!(entries[0].firing, whole.firing);
    let links: Vec<_> = entries[1..].iter().map(|entry| (entry.kind, entry.to.as_deref())).collect();
    assert_eq!(links, [(EntryKind::IssueLinked, Some("SHOP-1")), (EntryKind::IssueLinked, Some("SHOP-2"))]);
    assert_eq!(linked(store, whole.id).await, ["SHOP-1", "SHOP-2"]);
    let resolved = NewIncident { status: IncidentStatus::Resolved, ..new("over") };
    assert!(!read(store, open(store, &resolved).await.id).await.is_open());
    assert!(store.open_incident(&resolved).await.is_err(), "the id is taken");
    let elsewhere = NewIncident { project: Some(ProjectId(99)), ..new("nowhere") };
    assert_eq!(store.open_incident(&elsewhere).await.unwrap(), None);
    assert_eq!(store.incident(elsewhere.id).await.unwrap(), None);
}

pub async fn every_change_of_an_incident_is_told(store: &impl Store) {
    let id = open(store, &new("slow")).await.id;
    let whole = IncidentChange {
        title: Some(HOSTILE.into()),
        description: Some(HOSTILE.into()),
        severity: Some(Severity::Low),
        status: Some(IncidentStatus::Resolved),
        assigned_to: Some(Some("bob@example.com".into())),
        channels: Some(vec!["email".into()]),
        note: Some(HOSTILE.into()),
    };
    let before = read(store, id).await;
    let (after, told) = whole.of(&before, "bob@example.com", minutes(5));
    assert_eq!(change(store, id, &whole, 5).await, after);
    assert_eq!(read(store, id).await, after);
    let entries = timeline(store, id).await;
    let expected = entries[1..].iter().zip(told).map(|(entry, told)| IncidentEntry { id: entry.id, ..told });
    assert_eq!(entries[1..], expected.collect::<Vec<_>>());
    assert!(entries.is_sorted_by_key(|entry| entry.id));
    let same = change(store, id, &whole, 9).await;
    assert_eq!(same.updated_at, minutes(9), "something was said");
    assert_eq!(timeline(store, id).await.len(), entries.len() + 1);
    let nothing = change(store, id, &IncidentChange::default(), 10).await;
    assert_eq!(nothing, same);
    let open = change(store, id, &to(IncidentStatus::Monitoring), 11).await;
    assert!(open.is_open());
    let nobody = IncidentChange { assigned_to: Some(None), ..IncidentChange::default() };
    assert_eq!(change(store, id, &nobody, 12).await.assigned_to, None);
    let page = store.incident_timeline(id, Some(entries[1].id), 2).await.unwrap();
    assert_eq!(page, entries[2..4]);
    let gone = store.change_incident(Uuid::from_u128(1), &whole, "bob", minutes(1)).await.unwrap();
    assert_eq!(gone, IncidentChanged::Gone);
    assert!(timeline(store, Uuid::from_u128(1)).await.is_empty());
}

pub async fn incidents_are_asked_for_by_what_they_are(store: &impl Store) {
    let (shop, blog) = (project(store).await, store.ensure_project("blog").await.unwrap());
    let issue = record(store, &shop, [event("A")]).await[0].issue;
    let of = |project: ProjectId, title: &str| NewIncident { project: Some(project), ..new(title) };
    let one = NewIncident { severity: Severity::High, issues: vec![issue], ..of(shop.id, "one") };
    let two = NewIncident { severity: Severity::High, ..of(blog.id, "two") };
    for incident in [&one, &two, &new("three")] {
        open(store, incident).await;
    }
    change(store, two.id, &to(IncidentStatus::Resolved), 60).await;
    assert_eq!(titles(store, &all()).await, ["three", "two", "one"]);
    let of = |projects: &[ProjectId]| IncidentQuery { projects: Some(projects.to_vec()), ..all() };
    assert_eq!(titles(store, &of(&[shop.id])).await, ["one"]);
    assert_eq!(titles(store, &of(&[blog.id, shop.id])).await, ["two", "one"]);
    assert_eq!(titles(store, &of(&[])).await, [""; 0]);
    assert_eq!(titles(store, &IncidentQuery { open: Some(true), ..all() }).await, ["three", "one"]);
    assert_eq!(titles(store, &IncidentQuery { open: Some(false), ..all() }).await, ["two"]);
    let status = Some(IncidentStatus::Investigating);
    assert_eq!(titles(store, &IncidentQuery { status, ..all() }).await, ["three", "one"]);
    let severity = Some(Severity::High);
    assert_eq!(titles(store, &IncidentQuery { severity, open: Some(false), ..all() }).await, ["two"]);
    assert_eq!(titles(store, &IncidentQuery { issue: Some(issue), ..all() }).await, ["one"]);
    let since = |minute| IncidentQuery { since: Some(minutes(minute)), ..all() };
    assert_eq!(titles(store, &since(60)).await, ["three", "two", "one"]);
    assert_eq!(titles(store, &since(61)).await, ["three", "one"]);
    assert_eq!(titles(store, &IncidentQuery { open: Some(false), ..since(61) }).await, [""; 0]);
    let first = store.incidents(&IncidentQuery { limit: 1, ..all() }).await.unwrap();
    let rest = IncidentQuery { before: Some(first[0].row), ..all() };
    assert_eq!(titles(store, &rest).await, ["two", "one"]);
}

pub async fn a_rule_has_one_open_incident(store: &impl Store) {
    let rule = Some(Uuid::from_u128(7));
    let firing = |n: u128| NewIncident { rule, firing: Some(Uuid::from_u128(n)), note: n.to_string(), ..new("rule") };
    let firings = [firing(1), firing(2), firing(3)];
    let at_once = firings.each_ref().map(|firing| store.open_incident(firing));
    let opened: Vec<OpenedIncident> =
        futures_of(at_once).await.into_iter().map(|opened| opened.unwrap().unwrap()).collect();
    assert_eq!(opened.iter().filter(|opened| opened.is_new).count(), 1);
    let id = opened[0].id;
    assert!(opened.iter().all(|opened| opened.id == id));
    assert_eq!(read(store, id).await.firings, 3);
    assert_eq!(kinds(store, id).await, [EntryKind::Opened, EntryKind::Fired, EntryKind::Fired]);
    let mut noted: Vec<_> =
        timeline(store, id).await.into_iter().map(|entry| entry.firing.unwrap().as_u128()).collect();
    noted.sort_unstable();
    assert_eq!(noted, [1, 2, 3]);
    change(store, id, &to(IncidentStatus::Resolved), 5).await;
    let next = open(store, &firing(4)).await;
    assert!(next.is_new && next.id != id);
    let reopened = store.change_incident(id, &to(IncidentStatus::Identified), "bob", minutes(6)).await.unwrap();
    assert_eq!(reopened, IncidentChanged::RuleHasAnother);
    assert!(!read(store, id).await.is_open());
    change(store, next.id, &to(IncidentStatus::Resolved), 7).await;
    assert!(change(store, id, &to(IncidentStatus::Identified), 8).await.is_open());
}

/// Waits for all of them at once.
async fn futures_of<F: Future, const N: usize>(futures: [F; N]) -> Vec<F::Output> {
    let mut waiting: Vec<_> = futures.into_iter().map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        let mut ready = true;
        for (future, answer) in &mut waiting {
            if answer.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(output) => *answer = Some(output),
                    std::task::Poll::Pending => ready = false,
                }
            }
        }
        if ready { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    waiting.into_iter().filter_map(|(_, answer)| answer).collect()
}

pub async fn a_rule_that_recovers_resolves_its_incident_if_wanted(store: &impl Store) {
    let rule = Uuid::from_u128(7);
    let id = open(store, &NewIncident { rule: Some(rule), ..new("rule") }).await.id;
    let seen = Recovery { by: "High Error Rate".into(), note: "3 < 50".into(), resolve: false };
    assert_eq!(store.recover_incident(Uuid::from_u128(9), &seen, minutes(1)).await.unwrap(), None);
    assert_eq!(store.recover_incident(rule, &seen, minutes(1)).await.unwrap(), Some(id));
    let incident = read(store, id).await;
    assert_eq!((incident.is_open(), incident.updated_at), (true, minutes(1)));
    let wanted = Recovery { resolve: true, ..seen };
    assert_eq!(store.recover_incident(rule, &wanted, minutes(2)).await.unwrap(), Some(id));
    let incident = read(store, id).await;
    assert_eq!((incident.status, incident.resolved_at), (IncidentStatus::Resolved, Some(minutes(2))));
    use EntryKind::{Opened, Recovered, Status};
    assert_eq!(kinds(store, id).await, [Opened, Recovered, Recovered, Status]);
    assert_eq!(timeline(store, id).await[2].text, "3 < 50");
    assert_eq!(store.recover_incident(rule, &wanted, minutes(3)).await.unwrap(), None, "it is over");
}

pub async fn the_timeline_of_a_rule_that_fires_for_ever_is_bounded(store: &impl Store) {
    let again = || NewIncident { rule: Some(Uuid::from_u128(7)), ..new("rule") };
    let id = open(store, &again()).await.id;
    let note = IncidentChange { note: Some("x".into()), ..IncidentChange::default() };
    for _ in 1..MAX_NOTED_FIRINGS {
        change(store, id, &note, 1).await;
    }
    open(store, &again()).await;
    assert_eq!(read(store, id).await.firings, 2);
    assert_eq!(timeline(store, id).await.len() as i64, MAX_NOTED_FIRINGS);
    change(store, id, &note, 1).await;
    assert_eq!(timeline(store, id).await.len() as i64, MAX_NOTED_FIRINGS + 1, "people are heard");
}

pub async fn channels_are_told_of_what_people_do_about_the_status(store: &impl Store) {
    let shop = project(store).await;
    let told = async || {
        let mut items = store.outbox(&OutboxQuery { limit: 100, ..OutboxQuery::default() }).await.unwrap();
        items.reverse();
        let of = |item: OutboxItem| {
            let facts = item.entry.notification.incident.unwrap();
            assert_eq!(item.entry.notification.trigger, Trigger::Incident);
            (item.entry.channel, facts.status, facts.note.unwrap_or_default())
        };
        items.into_iter().map(of).collect::<Vec<_>>()
    };
    let tells = |channels: &[&str]| channels.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let id = open(store, &NewIncident { project: Some(shop.id), channels: tells(&["slack"]), ..new("slow") }).await.id;
    let entry = |channel: &str, status: &str, note: &str| (channel.to_owned(), status.to_owned(), note.to_owned());
    let mut expected = vec![entry("slack", "investigating", "")];
    assert_eq!(told().await, expected);
    let first = store.outbox(&OutboxQuery { limit: 1, ..OutboxQuery::default() }).await.unwrap();
    assert_eq!(first[0].entry.notification.project.as_deref(), Some("shop"));
    let title = IncidentChange {
        title: Some("very slow".into()),
        note: Some("hm".into()),
        channels: Some(tells(&["email", HOSTILE])),
        ..IncidentChange::default()
    };
    change(store, id, &title, 1).await;
    assert_eq!(told().await, expected, "no status");
    let note = Some("rolled back".into());
    change(store, id, &IncidentChange { note, ..to(IncidentStatus::Resolved) }, 2).await;
    expected.extend([entry("email", "resolved", "rolled back"), entry(HOSTILE, "resolved", "rolled back")]);
    let mut all = told().await;
    all.sort();
    expected.sort();
    assert_eq!(all, expected);
    let rule = Some(Uuid::from_u128(7));
    open(store, &NewIncident { rule, channels: tells(&["slack"]), ..new("rule") }).await;
    let recovery = Recovery { by: "rule".into(), resolve: true, ..Recovery::default() };
    store.recover_incident(Uuid::from_u128(7), &recovery, minutes(4)).await.unwrap();
    assert_eq!(told().await.len(), expected.len(), "what rules do is told by their firings");
}

pub async fn issues_are_linked_once_and_within_the_project(store: &impl Store) {
    let (shop, blog) = (project(store).await, store.ensure_project("blog").await.unwrap());
    let ours = record(store, &shop, [event("A"), event("B")]).await;
    let theirs = record(store, &blog, [event("A")]).await[0].issue;
    let id = open(store, &NewIncident { project: Some(shop.id), ..new("shop") }).await.id;
    let link = |id, issues: Vec<IssueId>| async move {
        store.link_issues(id, &issues, "bob@example.com", minutes(3)).await.unwrap()
    };
    assert_eq!(link(id, vec![ours[0].issue, ours[0].issue, theirs, IssueId(99)]).await, Some(1));
    assert_eq!(link(id, vec![ours[0].issue, ours[1].issue]).await, Some(1));
    assert_eq!(linked(store, id).await, ["SHOP-1", "SHOP-2"]);
    assert_eq!(read(store, id).await.updated_at, minutes(3));
    assert_eq!(link(Uuid::from_u128(1), vec![theirs]).await, None);
    let unlink = |issue| store.unlink_issue(id, issue, "bob@example.com", minutes(4));
    assert!(unlink(ours[0].issue).await.unwrap());
    assert!(!unlink(ours[0].issue).await.unwrap());
    assert!(!unlink(theirs).await.unwrap());
    assert_eq!(linked(store, id).await, ["SHOP-2"]);
    let last = timeline(store, id).await.pop().unwrap();
    assert_eq!((last.kind, last.from.as_deref()), (EntryKind::IssueUnlinked, Some("SHOP-1")));
    let any = open(store, &new("all")).await.id;
    assert_eq!(link(any, vec![ours[0].issue, theirs]).await, Some(2));
    assert_eq!(linked(store, any).await, ["SHOP-1", "BLOG-1"]);
    let many = (0..=MAX_LINKED_ISSUES).map(|n| event(&format!("T{n}")));
    let many = record(store, &shop, many).await.into_iter().map(|recorded| recorded.issue).collect();
    assert_eq!(link(any, many).await, Some(MAX_LINKED_ISSUES as u64 - 2));
}

pub async fn links_follow_issues_that_are_merged_and_go_with_them(store: &impl Store) {
    let shop = project(store).await;
    let issues: Vec<IssueId> =
        record(store, &shop, ["A", "B", "C"].map(event)).await.iter().map(|recorded| recorded.issue).collect();
    let id = open(store, &NewIncident { issues: issues[..2].to_vec(), ..new("slow") }).await.id;
    store.merge(shop.id, issues[0], &issues[1..]).await.unwrap();
    assert_eq!(linked(store, id).await.len(), 1);
    let of_it = IncidentQuery { issue: Some(issues[2]), ..all() };
    assert_eq!(titles(store, &of_it).await, ["slow"], "by any of its names");
    let again = store.link_issues(id, &[issues[2]], "bob", minutes(1)).await.unwrap();
    assert_eq!(again, Some(0));
    let merged = store.incident_issues(id).await.unwrap()[0].clone();
    let second = store.groups(merged.id).await.unwrap()[1].fingerprint;
    store.unmerge(merged.id, &[second]).await.unwrap();
    let names = linked(store, id).await;
    assert!(names.contains(&"SHOP-1".to_owned()), "{names:?}");
    store.delete_issues(&issues).await.unwrap();
    assert_eq!(linked(store, id).await, [""; 0]);
    assert!(kinds(store, id).await.contains(&EntryKind::IssueLinked), "what happened stays");
}

pub async fn an_incident_goes_with_its_timeline_and_with_its_project(store: &impl Store) {
    let (shop, blog) = (project(store).await, store.ensure_project("blog").await.unwrap());
    let issue = record(store, &shop, [event("A")]).await[0].issue;
    let one = NewIncident { project: Some(shop.id), issues: vec![issue], ..new("one") };
    let two = NewIncident { project: Some(shop.id), issues: vec![issue], ..new("two") };
    let three = NewIncident { project: Some(blog.id), ..new("three") };
    let four = NewIncident { issues: vec![issue], ..new("four") };
    for incident in [&one, &two, &three, &four] {
        open(store, incident).await;
    }
    assert!(store.delete_incident(one.id).await.unwrap());
    assert!(!store.delete_incident(one.id).await.unwrap());
    assert!(timeline(store, one.id).await.is_empty() && linked(store, one.id).await.is_empty());
    assert_eq!(linked(store, two.id).await, ["SHOP-1"]);
    assert!(store.delete_project(shop.id).await.unwrap());
    assert_eq!(titles(store, &all()).await, ["four", "three"]);
    assert_eq!((store.incident(two.id).await.unwrap(), kinds(store, two.id).await.len()), (None, 0));
    assert_eq!(linked(store, four.id).await, [""; 0]);
    assert_eq!(kinds(store, three.id).await, [EntryKind::Opened]);
}
