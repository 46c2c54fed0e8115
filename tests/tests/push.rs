//! Web push on both databases, to a push service that reads what it is sent as a browser does.

use anyhow::{Context, Result, ensure};
use errtrack::{
    SqlStore, Tracker,
    notify::{
        Notification, OutboxEntry, Surroundings, Trigger,
        push::{PushChannel, PushKey, new_subscription},
    },
    store::{OutboxItem, OutboxQuery, OutboxState, OutboxStore, PushStore, PushSubscription},
    web::AllowedTargets,
};
use errtrack_core::{
    Event, Exception, Formula, Member, MemberChange, MemberStatus, Preparer, Project, Role, Timestamp,
    alert::AlertRule,
    notify::IssueFacts,
    ownership::Ownership,
    store::{AccountStore, AlertStore, Batch, ProjectStore, Recorder},
};
use errtrack_tests::{Database, PushService, Pushed, on_both};
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};
use uuid::Uuid;

const PATIENCE: Duration = Duration::from_secs(60);
const DASHBOARD: &str = "https://errors.example.com";

on_both!(
    members_are_told_what_is_theirs_by_all_their_browsers
    what_failed_at_one_browser_is_sent_again_to_that_one_alone
    a_browser_that_is_gone_is_forgotten
    owners_and_recipients_are_told_alone
    two_nodes_are_one_sender
);

/// A node, and a push service that its members' browsers use.
struct Stage {
    store: SqlStore,
    tracker: Tracker,
    service: PushService,
}

impl Stage {
    async fn set(database: &Database) -> Result<Self> {
        let service = PushService::start().await?;
        let store = SqlStore::open(&database.url).await?;
        let tracker = Tracker::builder().project("shop").store(store.clone()).build().await?;
        let surroundings =
            Surroundings { dashboard: Some(DASHBOARD.into()), allowed: allowed()?, ..Surroundings::default() };
        let channel = PushChannel::new(tracker.store().clone(), &surroundings);
        tracker.set_notifier(Arc::new(channel.trusting([service.certificate()])));
        Ok(Self { store, tracker, service })
    }

    async fn member(&self, name: &str, projects: Option<Vec<&Project>>) -> Result<Member> {
        let projects = projects.map(|projects| projects.iter().map(|project| project.id).collect());
        let member = Member { projects, ..Member::new(&format!("{name}@example.com"), Role::Developer) };
        Ok(self.store.put_member(&member).await?)
    }

    async fn browser(&self, member: &Member, name: &str) -> Result<PushSubscription> {
        let browser = self.service.browser(name)?;
        let (endpoint, key, secret) = (&browser.endpoint, &browser.p256dh, &browser.auth);
        let new = new_subscription(member.id, endpoint, key, secret, name.into(), &allowed()?)?;
        self.store.put_push_subscription(&new, 10).await?.context("there is room")
    }

    /// What came, by browser.
    fn told(&self) -> BTreeMap<String, Vec<Pushed>> {
        let mut told = BTreeMap::<_, Vec<_>>::new();
        for pushed in self.service.came() {
            told.entry(pushed.browser.clone()).or_default().push(pushed);
        }
        told
    }

    async fn outbox(&self) -> Result<Vec<OutboxItem>> {
        Ok(self.store.outbox(&OutboxQuery { limit: 1_000, ..OutboxQuery::default() }).await?)
    }

    /// Waits until nothing is on its way any more.
    async fn settled(&self) -> Result<()> {
        self.tracker.wake_delivery();
        let start = Instant::now();
        while self.outbox().await?.iter().any(|item| item.state == OutboxState::Waiting) {
            ensure!(start.elapsed() < PATIENCE, "{:?}", self.outbox().await?);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Lets issues of that type be found, and rules say what they have to.
    async fn happens(&self, project: &Project, ty: &str) -> Result<()> {
        let mut event = Event::new();
        event.exceptions.push(Exception::new(ty, "it happened"));
        let occurrence = Preparer::default().prepare(project.id, event, Formula::Ours);
        self.store.record(&Batch::whole(vec![occurrence])).await?;
        while !self.store.signals(1).await?.is_empty() {
            self.tracker.evaluate_alerts(Timestamp::now()).await?;
        }
        self.settled().await
    }
}

fn allowed() -> Result<AllowedTargets> {
    Ok(AllowedTargets::new(["localhost"])?)
}

fn rule() -> AlertRule {
    AlertRule {
        id: Uuid::new_v4(),
        name: "new".into(),
        trigger: Some(Trigger::NewIssue),
        enabled: true,
        notifications: vec!["push".into()],
        ..AlertRule::default()
    }
}

fn entry(to: &str) -> OutboxEntry {
    let issue = IssueFacts { id: Uuid::new_v4().to_string(), title: "It broke".into(), ..IssueFacts::default() };
    OutboxEntry {
        key: Uuid::new_v4(),
        channel: "push".into(),
        recipients: vec![to.into()],
        ordering: "issue".into(),
        firing: None,
        due_at: Timestamp::default(),
        notification: Notification { trigger: Trigger::Regression, issue: Some(issue), ..Notification::default() },
    }
}

async fn members_are_told_what_is_theirs_by_all_their_browsers(database: Database) -> Result<()> {
    let stage = Stage::set(&database).await?;
    let (shop, bank) = (stage.store.ensure_project("shop").await?, stage.store.ensure_project("bank").await?);
    let (ana, ben) = (stage.member("ana", None).await?, stage.member("ben", Some(vec![&shop])).await?);
    let (cleo, _dan) = (stage.member("cleo", None).await?, stage.member("dan", None).await?);
    for (member, name) in [(&ana, "desk"), (&ana, "phone"), (&ben, "ben's"), (&cleo, "cleo's")] {
        stage.browser(member, name).await?;
    }
    let disabled = MemberChange { status: Some(MemberStatus::Disabled), ..MemberChange::default() };
    stage.store.change_member(cleo.id, &disabled).await?;
    assert!(stage.store.put_alert_rule(&rule()).await?);
    stage.happens(&bank, "Overdraft").await?;
    stage.happens(&shop, "PaymentRefused").await?;

    let told = stage.told();
    let titles = |name: &str| {
        let texts = told.get(name).into_iter().flatten().map(|pushed| pushed.message["body"].as_str().unwrap());
        texts.map(|body| body.split(':').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(titles("desk"), ["Overdraft", "PaymentRefused"]);
    assert_eq!(titles("phone"), titles("desk"), "each browser of a member");
    assert_eq!(titles("ben's"), ["PaymentRefused"], "nothing foreign");
    assert_eq!(titles("cleo's"), [] as [&str; 0], "she has left");
    let of_ben = &told["ben's"][0];
    assert_eq!(of_ben.message["title"], "New issue · shop");
    assert_eq!(of_ben.message["url"], format!("{DASHBOARD}/issues/SHOP-1"));
    let [ttl, urgency, topic] = &of_ben.headers;
    assert_eq!((ttl.as_str(), urgency.as_str(), of_ben.message["tag"].as_str()), ("86400", "normal", Some(&**topic)));
    assert_eq!(of_ben.contact, DASHBOARD);
    assert_eq!(of_ben.sender, PushKey::of(&stage.store).await?.public());
    for browser in stage.store.push_subscriptions(ana.id).await? {
        assert!(browser.delivered_at.is_some() && browser.error.is_none(), "{browser:?}");
    }
    stage.tracker.shutdown().await;
    Ok(())
}

async fn what_failed_at_one_browser_is_sent_again_to_that_one_alone(database: Database) -> Result<()> {
    let stage = Stage::set(&database).await?;
    let ana = stage.member("ana", None).await?;
    for name in ["well", "busy", "wrong"] {
        stage.browser(&ana, name).await?;
    }
    stage.service.says("busy", 429, 12);
    stage.service.says("wrong", 403, 0);
    stage.store.put_outbox(&[entry(&ana.email)]).await?;
    stage.settled().await?;
    let told = stage.told();
    let statuses = |name: &str| told[name].iter().map(|pushed| pushed.status).collect::<Vec<_>>();
    assert_eq!((statuses("well"), statuses("busy"), statuses("wrong")), (vec![201], vec![429, 201], vec![403]));
    let pause = told["busy"][1].at - told["busy"][0].at;
    assert!(pause >= Duration::from_secs(12), "it asked to be left alone for 12 s, and was for {pause:?}");
    assert_eq!(told["busy"][0].message, told["busy"][1].message);
    assert!(stage.outbox().await?.iter().all(|item| item.state == OutboxState::Delivered));
    let kept = stage.store.push_subscriptions(ana.id).await?;
    let error = |name: &str| kept.iter().find(|kept| kept.label == name).unwrap().error.clone();
    assert_eq!((error("well"), error("busy")), (None, None));
    let why = error("wrong").context("an error")?;
    assert!(why.contains("answered 403") && !why.contains("secret"), "{why}");
    stage.tracker.shutdown().await;
    Ok(())
}

async fn a_browser_that_is_gone_is_forgotten(database: Database) -> Result<()> {
    let stage = Stage::set(&database).await?;
    let ana = stage.member("ana", None).await?;
    for (name, status) in [("moved", 404), ("expired", 410), ("here", 201)] {
        stage.browser(&ana, name).await?;
        stage.service.says(name, status, 0);
    }
    stage.store.put_outbox(&[entry("Ana@example.com")]).await?;
    stage.settled().await?;
    let labels = async || {
        let kept = stage.store.push_subscriptions(ana.id).await?;
        anyhow::Ok(kept.into_iter().map(|browser| browser.label).collect::<Vec<_>>())
    };
    assert_eq!(labels().await?, ["here"]);
    assert!(stage.outbox().await?.iter().all(|item| item.state == OutboxState::Delivered));
    // Who cannot be told any more is no success.
    stage.service.says("here", 410, 0);
    let last = entry(&ana.email);
    let nobody = OutboxEntry { recipients: Vec::new(), ..entry("") };
    stage.store.put_outbox(std::slice::from_ref(&last)).await?;
    stage.settled().await?;
    stage.store.put_outbox(std::slice::from_ref(&nobody)).await?;
    stage.settled().await?;
    let outbox = stage.outbox().await?;
    let error = |key| outbox.iter().find(|item| item.entry.key == key).and_then(|item| item.error.clone());
    assert_eq!(error(last.key).as_deref(), Some("every browser of ana@example.com that was notified is gone"));
    assert_eq!(error(nobody.key).as_deref(), Some("nobody who may see it has a browser that is notified"));
    stage.tracker.shutdown().await;
    Ok(())
}

async fn owners_and_recipients_are_told_alone(database: Database) -> Result<()> {
    let stage = Stage::set(&database).await?;
    let shop = stage.store.ensure_project("shop").await?;
    for name in ["ana", "bob", "cleo"] {
        let member = stage.member(name, None).await?;
        stage.browser(&member, name).await?;
    }
    let ownership = Ownership::parse("type:Payment* → bob@example.com")?;
    assert!(stage.tracker.set_ownership(shop.id, &ownership).await?);
    let recipients = vec!["ana@example.com".into(), "stranger@example.com".into()];
    let rule = AlertRule { recipients, owners_only: true, ..rule() };
    assert!(stage.store.put_alert_rule(&rule).await?);
    stage.happens(&shop, "PaymentRefused").await?;
    assert_eq!(stage.told().into_keys().collect::<Vec<_>>(), ["bob"], "the owner alone");
    stage.happens(&shop, "Other").await?;
    assert_eq!(stage.told().into_keys().collect::<Vec<_>>(), ["ana", "bob"], "who is named");
    let outbox = stage.outbox().await?;
    let failed: Vec<_> = outbox.iter().filter(|item| item.state == OutboxState::Failed).collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0].error.as_deref(), Some("stranger@example.com is no member who may see it"));
    stage.tracker.shutdown().await;
    Ok(())
}

async fn two_nodes_are_one_sender(database: Database) -> Result<()> {
    let stores = [SqlStore::open(&database.url).await?, SqlStore::open(&database.url).await?];
    let (one, other) = tokio::join!(PushKey::of(&stores[0]), PushKey::of(&stores[1]));
    let (one, other) = (one?, other?);
    assert_eq!(one, other);
    assert_eq!(PushKey::of(&stores[0]).await?, one, "also later");
    assert!(!format!("{one:?}").contains(&stores[0].push_key().await?.context("a key")?), "it is not shown");
    Ok(())
}
