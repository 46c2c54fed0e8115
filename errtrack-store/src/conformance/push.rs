//! Browsers that members let be notified.

use errtrack_core::{Member, MemberChange, MemberStatus, Role, Store, Timestamp, store::PushSubscription};
use uuid::Uuid;

/// As many as there may be in these tests.
const MOST: u32 = 2;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(1_790_000_000_000_000 + seconds * 1_000_000)
}

async fn member(store: &impl Store, email: &str) -> Member {
    store.put_member(&Member::new(email, Role::Viewer)).await.unwrap()
}

fn browser(member: &Member, name: &str, seconds: i64) -> PushSubscription {
    PushSubscription {
        id: Uuid::now_v7(),
        member: member.id,
        endpoint: format!("https://push.example.com/{name}?ü=\"1\""),
        key: vec![4; 65],
        secret: vec![0, 1, 255],
        label: format!("{name} 🦊 \\ \""),
        created_at: at(seconds),
        delivered_at: None,
        failed_at: None,
        error: None,
    }
}

pub async fn a_push_key_is_kept_once(store: &impl Store) {
    assert_eq!(store.push_key().await.unwrap(), None);
    let offers = ["one", "two", "three", "four"].map(|key| store.ensure_push_key(key));
    let kept = futures_of(offers).await;
    assert!(kept.iter().all(|key| *key == kept[0]), "{kept:?}");
    assert_eq!(store.ensure_push_key("later").await.unwrap(), kept[0]);
    assert_eq!(store.push_key().await.unwrap().as_ref(), Some(&kept[0]));
}

async fn futures_of<F>(offers: [F; 4]) -> Vec<String>
where
    F: Future<Output = Result<String, errtrack_core::StoreError>>,
{
    let [a, b, c, d] = offers;
    let (a, b, c, d) = tokio::join!(a, b, c, d);
    [a, b, c, d].into_iter().map(Result::unwrap).collect()
}

pub async fn browsers_are_kept_up_to_a_number(store: &impl Store) {
    let (ana, ben) = (member(store, "ana@example.com").await, member(store, "ben@example.com").await);
    assert_eq!(store.push_subscriptions(ana.id).await.unwrap(), []);
    let (first, second) = (browser(&ana, "first", 1), browser(&ana, "second", 2));
    assert_eq!(store.put_push_subscription(&second, MOST).await.unwrap().as_ref(), Some(&second));
    assert_eq!(store.put_push_subscription(&first, MOST).await.unwrap().as_ref(), Some(&first));
    let of_ben = browser(&ben, "of ben", 1);
    assert!(store.put_push_subscription(&of_ben, MOST).await.unwrap().is_some(), "each has so many");
    assert_eq!(store.put_push_subscription(&browser(&ana, "third", 3), MOST).await.unwrap(), None);
    assert_eq!(store.push_subscriptions(ana.id).await.unwrap(), [first.clone(), second.clone()]);
    assert_eq!(store.push_members().await.unwrap(), [ana.id, ben.id]);

    assert!(!store.remove_push_subscription(ben.id, first.id).await.unwrap(), "it is not Ben's");
    assert!(store.remove_push_subscription(ana.id, first.id).await.unwrap());
    assert!(!store.remove_push_subscription(ana.id, first.id).await.unwrap());
    assert_eq!(store.push_subscriptions(ana.id).await.unwrap(), [second]);
    let nobody = Member::new("nobody@example.com", Role::Viewer);
    assert_eq!(store.put_push_subscription(&browser(&nobody, "x", 1), MOST).await.unwrap(), None);
}

pub async fn a_browser_that_comes_again_is_the_same(store: &impl Store) {
    let (ana, ben) = (member(store, "ana@example.com").await, member(store, "ben@example.com").await);
    let first = browser(&ana, "shared", 1);
    store.put_push_subscription(&first, MOST).await.unwrap().unwrap();
    store.note_pushes(&[(first.id, at(2), None), (first.id, at(3), Some("no".into()))]).await.unwrap();
    let again = PushSubscription { key: vec![5; 65], label: "renamed".into(), ..browser(&ana, "shared", 4) };
    let kept = store.put_push_subscription(&again, MOST).await.unwrap().unwrap();
    let same = PushSubscription {
        id: first.id,
        created_at: first.created_at,
        delivered_at: Some(at(2)),
        failed_at: None,
        error: None,
        ..again
    };
    assert_eq!(kept, same);
    let of_ben = browser(&ben, "shared", 5);
    assert_eq!(
        store.put_push_subscription(&of_ben, MOST).await.unwrap().as_ref(),
        Some(&of_ben),
        "whoever sits there now"
    );
    assert_eq!(store.push_subscriptions(ana.id).await.unwrap(), []);
    assert_eq!(store.push_subscriptions(ben.id).await.unwrap(), [of_ben]);
}

pub async fn what_came_of_a_push_is_noted(store: &impl Store) {
    let ana = member(store, "ana@example.com").await;
    let [one, other] = [browser(&ana, "one", 1), browser(&ana, "other", 2)];
    for browser in [&one, &other] {
        store.put_push_subscription(browser, MOST).await.unwrap().unwrap();
    }
    let failed = Some("answered 500 ü \"".to_owned());
    store
        .note_pushes(&[(one.id, at(5), None), (other.id, at(5), failed.clone()), (Uuid::nil(), at(5), None)])
        .await
        .unwrap();
    let kept = store.push_subscriptions(ana.id).await.unwrap();
    assert_eq!(kept[0], PushSubscription { delivered_at: Some(at(5)), ..one.clone() });
    assert_eq!(kept[1], PushSubscription { failed_at: Some(at(5)), error: failed.clone(), ..other.clone() });
    store.note_pushes(&[(one.id, at(6), failed.clone()), (other.id, at(6), None)]).await.unwrap();
    let kept = store.push_subscriptions(ana.id).await.unwrap();
    assert_eq!(kept[0], PushSubscription { delivered_at: Some(at(5)), failed_at: Some(at(6)), error: failed, ..one });
    assert_eq!(kept[1], PushSubscription { delivered_at: Some(at(6)), ..other });
    store.note_pushes(&[]).await.unwrap();
}

pub async fn browsers_go_with_their_member(store: &impl Store) {
    let (ana, ben) = (member(store, "ana@example.com").await, member(store, "ben@example.com").await);
    for member in [&ana, &ben] {
        store.put_push_subscription(&browser(member, &member.email, 1), MOST).await.unwrap().unwrap();
    }
    let renamed = MemberChange { name: Some("Ana".into()), ..MemberChange::default() };
    store.change_member(ana.id, &renamed).await.unwrap();
    assert_eq!(store.push_subscriptions(ana.id).await.unwrap().len(), 1, "she is still there");
    let disabled = MemberChange { status: Some(MemberStatus::Disabled), ..MemberChange::default() };
    store.change_member(ana.id, &disabled).await.unwrap();
    assert_eq!(store.push_subscriptions(ana.id).await.unwrap(), []);
    assert_eq!(store.put_push_subscription(&browser(&ana, "late", 2), MOST).await.unwrap(), None, "she is not active");
    assert_eq!(store.push_members().await.unwrap(), [ben.id]);
    store.delete_member(ben.id).await.unwrap();
    assert_eq!(store.push_subscriptions(ben.id).await.unwrap(), []);
    assert_eq!(store.push_members().await.unwrap(), [] as [Uuid; 0]);
}

pub async fn as_many_browsers_as_may_be_whoever_adds_them(store: &impl Store) {
    let ana = member(store, "ana@example.com").await;
    let [a, b, c, d] = ["a", "b", "c", "d"].map(|name| browser(&ana, name, 1));
    let put = async |browser| store.put_push_subscription(browser, MOST).await.unwrap().is_some();
    let (a, b, c, d) = tokio::join!(put(&a), put(&b), put(&c), put(&d));
    assert_eq!([a, b, c, d].into_iter().filter(|kept| *kept).count(), 2);
    assert_eq!(store.push_subscriptions(ana.id).await.unwrap().len(), 2);
}
