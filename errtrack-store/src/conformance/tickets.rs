//! Tickets of other services that stand for issues.

use super::kit::{event, project, record};
use errtrack_core::{
    IssueId, Store, Timestamp,
    store::{MAX_TICKETS, Regrouped, Ticket, TicketAdded},
};
use std::time::Duration;
use uuid::Uuid;

const LEASE: Duration = Duration::from_secs(600);

fn place(integration: &str) -> Ticket {
    Ticket {
        id: Uuid::new_v4(),
        integration: Some(integration.into()),
        kind: "github".into(),
        key: String::new(),
        url: None,
        title: String::new(),
        created_at: Timestamp::from_micros(1_790_000_000_000_000),
        created_by: "ana".into(),
    }
}

fn linked(url: &str) -> Ticket {
    Ticket { integration: None, kind: "other".into(), key: "12".into(), url: Some(url.into()), ..place("") }
}

fn made(place: &Ticket, number: u32) -> Ticket {
    Ticket {
        key: format!("acme/shop#{number}"),
        url: Some(format!("https://github.com/acme/shop/issues/{number}")),
        title: "ü 🐢 '\"".into(),
        created_at: Timestamp::from_micros(1_790_000_001_000_000),
        ..place.clone()
    }
}

async fn issues(store: &impl Store) -> (errtrack_core::Project, IssueId, IssueId) {
    let shop = project(store).await;
    let recorded = record(store, &shop, ["A", "B"].map(event)).await;
    (shop, recorded[0].issue, recorded[1].issue)
}

async fn add(store: &impl Store, issue: IssueId, ticket: &Ticket) -> TicketAdded {
    store.add_ticket(issue, ticket, LEASE).await.unwrap()
}

fn taken(ticket: &Ticket) -> TicketAdded {
    TicketAdded::Taken(Box::new(ticket.clone()))
}

pub async fn a_ticket_has_a_place_before_it_is_made(store: &impl Store) {
    let (_, a, b) = issues(store).await;
    let (first, second) = (place("github"), place("github"));
    assert_eq!(add(store, a, &first).await, TicketAdded::Done);
    assert_eq!(store.tickets(a).await.unwrap(), [], "it is not made yet");
    assert_eq!(add(store, a, &second).await, taken(&first));
    assert_eq!(add(store, a, &place("jira")).await, TicketAdded::Done, "of another integration");
    assert_eq!(add(store, b, &second).await, TicketAdded::Done, "of another issue");
    let first = made(&first, 1);
    assert!(store.finish_ticket(&first).await.unwrap());
    assert!(!store.finish_ticket(&made(&first, 9)).await.unwrap(), "it is made already");
    assert_eq!(store.tickets(a).await.unwrap(), std::slice::from_ref(&first));
    assert_eq!(add(store, a, &place("github")).await, taken(&first));
    assert!(!store.delete_ticket(b, first.id).await.unwrap(), "it is that of another issue");
    assert!(store.delete_ticket(a, first.id).await.unwrap());
    assert!(!store.delete_ticket(a, first.id).await.unwrap());
    assert_eq!(store.tickets(a).await.unwrap(), []);
    assert_eq!(add(store, a, &place("github")).await, TicketAdded::Done);
    // A place that is given back is free.
    assert!(store.delete_ticket(b, second.id).await.unwrap());
    assert!(!store.finish_ticket(&made(&second, 2)).await.unwrap());
    assert_eq!(add(store, b, &place("github")).await, TicketAdded::Done);
    assert_eq!(add(store, IssueId(99), &place("github")).await, TicketAdded::Gone);
}

pub async fn a_place_is_free_again_when_its_time_is_over(store: &impl Store) {
    let (_, a, _) = issues(store).await;
    let (late, next) = (place("github"), place("github"));
    assert_eq!(store.add_ticket(a, &late, Duration::from_millis(300)).await.unwrap(), TicketAdded::Done);
    let ended = async {
        while add(store, a, &next).await != TicketAdded::Done {
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), ended).await.expect("it ends");
    // What was made all the same is not lost.
    let (late, next) = (made(&late, 1), made(&next, 2));
    assert!(store.finish_ticket(&next).await.unwrap());
    assert!(store.finish_ticket(&late).await.unwrap());
    assert_eq!(store.tickets(a).await.unwrap(), [late, next]);
}

pub async fn of_many_who_make_a_ticket_one_does(store: &impl Store) {
    let (_, a, _) = issues(store).await;
    let try_it = async || add(store, a, &place("github")).await == TicketAdded::Done;
    let (a, b, c, d) = tokio::join!(try_it(), try_it(), try_it(), try_it());
    assert_eq!([a, b, c, d].into_iter().filter(|done| *done).count(), 1);
}

pub async fn a_ticket_is_linked_once_and_there_are_not_too_many(store: &impl Store) {
    let (_, a, b) = issues(store).await;
    let mut all: Vec<Ticket> = (0..MAX_TICKETS).map(|n| linked(&format!("https://example.com/{n}"))).collect();
    for ticket in &all {
        assert_eq!(add(store, a, ticket).await, TicketAdded::Done);
    }
    assert_eq!(store.tickets(a).await.unwrap(), all);
    assert_eq!(add(store, a, &linked("https://example.com/3")).await, taken(&all[3]));
    assert_eq!(add(store, a, &linked("https://example.com/more")).await, TicketAdded::TooMany);
    assert_eq!(add(store, b, &linked("https://example.com/3")).await, TicketAdded::Done);
    assert!(store.delete_ticket(a, all.remove(3).id).await.unwrap());
    let of_github = Ticket { integration: Some("github".into()), ..linked("https://github.com/acme/shop/issues/1") };
    assert_eq!(add(store, a, &of_github).await, TicketAdded::Done);
    assert!(store.delete_ticket(a, all.remove(3).id).await.unwrap());
    assert_eq!(add(store, a, &place("github")).await, taken(&of_github), "one that is linked counts");
    all.push(of_github);
    assert_eq!(store.tickets(a).await.unwrap(), all);
}

pub async fn tickets_follow_issues_that_are_merged_and_go_with_them(store: &impl Store) {
    let (shop, a, b) = issues(store).await;
    let (of_a, of_b) = (linked("https://example.com/a"), place("github"));
    add(store, a, &of_a).await;
    add(store, b, &of_b).await;
    let of_b = made(&of_b, 1);
    assert!(store.finish_ticket(&of_b).await.unwrap());
    assert!(matches!(store.merge(shop.id, b, &[a]).await.unwrap(), Regrouped::Done(_)));
    for issue in [a, b] {
        assert_eq!(store.tickets(issue).await.unwrap(), [of_a.clone(), of_b.clone()]);
        assert_eq!(add(store, issue, &place("github")).await, taken(&of_b));
        assert_eq!(add(store, issue, &linked("https://example.com/a")).await, taken(&of_a));
    }
    let of_both = linked("https://example.com/both");
    assert_eq!(add(store, a, &of_both).await, TicketAdded::Done);
    let groups = store.groups(b).await.unwrap();
    let group_of_a = groups.iter().find(|group| group.ty == "A").unwrap().fingerprint;
    assert!(matches!(store.unmerge(b, &[group_of_a]).await.unwrap(), Regrouped::Done(_)));
    assert_eq!(store.tickets(a).await.unwrap(), std::slice::from_ref(&of_a));
    assert_eq!(store.tickets(b).await.unwrap(), [of_b, of_both], "with the name that the issue had");
    let under_way = place("jira");
    assert_eq!(add(store, a, &under_way).await, TicketAdded::Done);
    assert_eq!(store.delete_issues(&[a]).await.unwrap(), 1);
    assert_eq!(store.tickets(a).await.unwrap(), []);
    assert!(!store.finish_ticket(&made(&under_way, 2)).await.unwrap());
    assert_eq!(store.tickets(b).await.unwrap().len(), 2);
}
