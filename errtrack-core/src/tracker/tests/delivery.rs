//! Notifications are delivered, by a clock that is turned by hand.

use super::*;
use crate::{
    Timestamp,
    notify::{Delivery, Notification, Notifier, NotifyError, OutboxEntry},
    store::{OutboxItem, OutboxState, OutboxStore, ProjectStore},
    tracker::{Engine, upkeep},
};
use async_trait::async_trait;
use std::sync::{Arc, Mutex};
use tokio::{sync::oneshot, task::JoinHandle, time::Instant};
use uuid::Uuid;

/// One process that delivers.
struct Node {
    engine: Arc<Engine>,
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
}

impl Node {
    async fn start(store: &Fake, channels: &[&Channel]) -> Self {
        let project = store.ensure_project("default").await.unwrap();
        let builder = channels.iter().fold(builder(store), |builder, channel| builder.notifier((*channel).clone()));
        let engine = Arc::new(builder.engine_for_tests(store.clone(), project));
        let (stop, stopped) = oneshot::channel();
        Self { running: tokio::spawn(upkeep::run(engine.clone(), stopped)), engine, stop }
    }

    async fn end(self) {
        drop(self.stop);
        self.running.await.unwrap();
    }
}

/// What a channel says to a try.
type Says = fn(&str, u32) -> Result<(), NotifyError>;

/// Notes what it is given and when; clones are the same.
#[derive(Clone)]
struct Channel {
    name: &'static str,
    takes: Duration,
    says: Says,
    start: Instant,
    seen: Arc<Mutex<Vec<(String, u32, Duration)>>>,
    most: Arc<Mutex<(usize, usize)>>,
}

impl Channel {
    fn new(name: &'static str) -> Self {
        let (seen, most) = (Arc::default(), Arc::default());
        Self { name, takes: Duration::from_millis(10), says: |_, _| Ok(()), start: Instant::now(), seen, most }
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(|(what, ..)| what.clone()).collect()
    }

    fn times(&self) -> Vec<Duration> {
        self.seen.lock().unwrap().iter().map(|(.., at)| *at).collect()
    }
}

#[async_trait]
impl Notifier for Channel {
    fn name(&self) -> &str {
        self.name
    }

    async fn notify(&self, delivery: &Delivery<'_>) -> Result<(), NotifyError> {
        let text = delivery.entry.notification.note.clone().unwrap_or_default();
        self.seen.lock().unwrap().push((text.clone(), delivery.attempt, self.start.elapsed()));
        {
            let mut most = self.most.lock().unwrap();
            most.0 += 1;
            most.1 = most.0.max(most.1);
        }
        tokio::time::sleep(self.takes).await;
        self.most.lock().unwrap().0 -= 1;
        (self.says)(&text, delivery.attempt)
    }
}

fn entry(channel: &str, ordering: &str, note: &str) -> OutboxEntry {
    OutboxEntry {
        key: Uuid::new_v4(),
        channel: channel.into(),
        recipients: Vec::new(),
        ordering: ordering.into(),
        firing: None,
        due_at: Timestamp::now(),
        notification: Notification { note: Some(note.into()), ..Notification::default() },
    }
}

fn items(store: &Fake) -> Vec<OutboxItem> {
    store.data().outbox.iter().map(|one| one.item.clone()).collect()
}

async fn pass(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

fn again() -> Result<(), NotifyError> {
    Err(NotifyError::new("not now"))
}

#[tokio::test(start_paused = true)]
async fn what_is_in_the_outbox_is_delivered_once_by_two_processes() {
    let (store, mail) = (Fake::new(), Channel::new("email"));
    let nodes = [Node::start(&store, &[&mail]).await, Node::start(&store, &[&mail]).await];
    let entries: Vec<_> = (0..200).map(|n| entry("email", "", &n.to_string())).collect();
    store.put_outbox(&entries).await.unwrap();
    pass(60).await;
    let mut seen = mail.seen();
    seen.sort_by_key(|n| n.parse::<u32>().unwrap());
    assert_eq!(seen, (0..200).map(|n| n.to_string()).collect::<Vec<_>>());
    assert!(items(&store).iter().all(|item| item.state == OutboxState::Delivered && item.attempts == 1));
    for node in nodes {
        node.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn entries_of_one_issue_arrive_in_their_order_though_one_fails_for_a_while() {
    let store = Fake::new();
    let mail = Channel {
        says: |what, attempt| if what == "a1" && attempt < 4 { again() } else { Ok(()) },
        ..Channel::new("email")
    };
    let node = Node::start(&store, &[&mail]).await;
    let names = [("a", "a1"), ("a", "a2"), ("b", "b1"), ("a", "a3")];
    store.put_outbox(&names.map(|(ordering, note)| entry("email", ordering, note))).await.unwrap();
    pass(600).await;
    let seen = mail.seen();
    let of_a: Vec<&str> = seen.iter().map(String::as_str).filter(|what| what.starts_with('a')).collect();
    assert_eq!(of_a, ["a1", "a1", "a1", "a1", "a2", "a3"]);
    assert_eq!(seen.iter().position(|what| what == "b1"), Some(1), "nothing else waits: {seen:?}");
    node.end().await;
}

#[tokio::test(start_paused = true)]
async fn pauses_double_and_end_after_ten_tries() {
    let store = Fake::new();
    let mail = Channel { says: |_, _| Err(NotifyError::new("no\r\nroom")), ..Channel::new("email") };
    let node = Node::start(&store, &[&mail]).await;
    store.put_outbox(&[entry("email", "", "x")]).await.unwrap();
    pass(4 * 3600).await;
    let times = mail.times();
    assert_eq!(times.len(), 10);
    let pauses: Vec<f64> = times.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64()).collect();
    for (n, pause) in pauses.iter().enumerate() {
        let whole = 10.0 * f64::from(1 << n);
        assert!((whole / 2.0..=whole + 4.0).contains(pause), "{n}: {pause}");
    }
    let item = &items(&store)[0];
    assert_eq!((item.state, item.attempts, item.error.as_deref()), (OutboxState::Failed, 10, Some("no  room")));
    node.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_can_never_work_is_given_up_at_once() {
    let store = Fake::new();
    let mail = Channel { says: |_, _| Err(NotifyError::permanent("no such address")), ..Channel::new("email") };
    let node = Node::start(&store, &[&mail]).await;
    store.put_outbox(&[entry("email", "", "x")]).await.unwrap();
    pass(10).await;
    assert_eq!((mail.seen().len(), items(&store)[0].state), (1, OutboxState::Failed));
    node.end().await;
}

#[tokio::test(start_paused = true)]
async fn who_asks_to_be_left_alone_is_left_alone_for_an_hour_at_most() {
    for (asked, waited) in [(300, 300), (u64::MAX, 3600)] {
        let store = Fake::new();
        let says: Says = match asked {
            300 => |_, n| {
                if n == 1 { Err(NotifyError::new("x").retry_after(Some(Duration::from_secs(300)))) } else { Ok(()) }
            },
            _ => |_, n| if n == 1 { Err(NotifyError::new("x").retry_after(Some(Duration::MAX))) } else { Ok(()) },
        };
        let mail = Channel { says, ..Channel::new("email") };
        let node = Node::start(&store, &[&mail]).await;
        store.put_outbox(&[entry("email", "", "x")]).await.unwrap();
        pass(2 * 3600).await;
        let times = mail.times();
        assert_eq!(times.len(), 2, "{asked}");
        let pause = (times[1] - times[0]).as_secs();
        assert!((waited..waited + 5).contains(&pause), "{asked}: {pause}");
        node.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_channel_holds_up_no_other_and_is_given_up_in_time() {
    let store = Fake::new();
    let slow = Channel { takes: Duration::from_secs(3600), ..Channel::new("slow") };
    let mail = Channel::new("zmail");
    let node = Node::start(&store, &[&slow, &mail]).await;
    let many: Vec<_> = (0..40).map(|n| entry("slow", "", &n.to_string())).collect();
    store.put_outbox(&many).await.unwrap();
    pass(5).await;
    store.put_outbox(&[entry("zmail", "", "quick")]).await.unwrap();
    pass(5).await;
    assert_eq!(mail.seen(), ["quick"]);
    assert_eq!(slow.seen().len(), 4, "only as many at once as it has places");
    pass(30).await;
    let failed = items(&store).into_iter().filter(|item| item.error.as_deref() == Some("no answer within 20 s"));
    assert_eq!(failed.count(), 4);
    node.end().await;
}

#[tokio::test(start_paused = true)]
async fn many_for_one_channel_go_a_few_at_a_time_without_a_pause() {
    let (store, mail) = (Fake::new(), Channel::new("email"));
    let node = Node::start(&store, &[&mail]).await;
    let many: Vec<_> = (0..400).map(|n| entry("email", "", &n.to_string())).collect();
    store.put_outbox(&many).await.unwrap();
    pass(10).await;
    assert_eq!((mail.seen().len(), mail.most.lock().unwrap().1), (400, 4));
    node.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_panics_harms_nothing() {
    let store = Fake::new();
    let bad = Channel {
        says: |_, attempt| if attempt == 1 { panic!("by the test") } else { Ok(()) },
        ..Channel::new("email")
    };
    let node = Node::start(&store, &[&bad]).await;
    store.put_outbox(&[entry("email", "", "x")]).await.unwrap();
    pass(5).await;
    assert_eq!(items(&store)[0].error.as_deref(), Some("the channel panicked"));
    pass(20).await;
    assert_eq!(items(&store)[0].state, OutboxState::Delivered);
    node.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_a_process_had_when_it_died_is_delivered_by_another() {
    let (store, mail) = (Fake::new(), Channel::new("email"));
    store.put_outbox(&[entry("email", "a", "one"), entry("email", "a", "two")]).await.unwrap();
    let (dead, minutes) = (Uuid::new_v4(), Duration::from_secs(180));
    let had = store.lease_outbox(dead, "email", Timestamp::now(), 4, minutes).await.unwrap();
    assert_eq!(had.len(), 1, "the second one waits for the first");
    let node = Node::start(&store, &[&mail]).await;
    pass(170).await;
    assert_eq!(mail.seen(), Vec::<String>::new(), "it may live");
    pass(20).await;
    assert_eq!(mail.seen(), ["one", "two"]);
    let tries: Vec<_> = items(&store).iter().map(|item| (item.state, item.attempts)).collect();
    assert_eq!(tries, [(OutboxState::Delivered, 2), (OutboxState::Delivered, 1)]);
    node.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_under_way_when_the_process_ends_is_finished_and_noted() {
    let store = Fake::new();
    let mail = Channel { takes: Duration::from_secs(2), ..Channel::new("email") };
    let node = Node::start(&store, &[&mail]).await;
    store.put_outbox(&[entry("email", "", "x")]).await.unwrap();
    node.engine.channels.came.notify_one();
    pass(1).await;
    assert_eq!(mail.seen(), ["x"]);
    node.end().await;
    assert_eq!(items(&store)[0].state, OutboxState::Delivered);
}

#[tokio::test(start_paused = true)]
async fn while_the_database_is_away_nothing_is_sent_twice() {
    let (store, mail) = (Fake::new(), Channel::new("email"));
    let mail = Channel { takes: Duration::from_secs(2), ..mail };
    let node = Node::start(&store, &[&mail]).await;
    store.put_outbox(&[entry("email", "", "x")]).await.unwrap();
    pass(3).await;
    store.set_away(true);
    pass(10).await;
    store.set_away(false);
    pass(300).await;
    assert_eq!(mail.seen(), ["x"]);
    assert_eq!(items(&store)[0].state, OutboxState::Delivered);
    node.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_no_process_has_a_channel_for_is_given_up_after_an_hour() {
    let (store, mail) = (Fake::new(), Channel::new("email"));
    let node = Node::start(&store, &[&mail]).await;
    store.put_outbox(&[entry("pager", "", "x")]).await.unwrap();
    pass(3500).await;
    assert_eq!(items(&store)[0].state, OutboxState::Waiting);
    pass(200).await;
    let item = &items(&store)[0];
    assert_eq!((item.state, item.error.as_deref()), (OutboxState::Failed, Some("there is no channel `pager`")));
    node.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_is_set_up_later_delivers_what_waits() {
    let (store, mail) = (Fake::new(), Channel::new("email"));
    let node = Node::start(&store, &[]).await;
    store.put_outbox(&[entry("email", "", "x")]).await.unwrap();
    pass(60).await;
    node.engine.channels.set(Arc::new(mail.clone()));
    pass(1).await;
    assert_eq!(mail.seen(), ["x"]);
    node.end().await;
}
