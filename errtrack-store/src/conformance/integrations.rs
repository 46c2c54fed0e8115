//! Channels that people have set up.

use errtrack_core::{Store, Timestamp, store::Change};

const SLACK: &str = "slack";

pub async fn a_channel_is_set_up_changed_and_taken_away(store: &impl Store) {
    assert_eq!(store.integrations().await.unwrap(), []);
    let document = r#"{"type":"slack","ü":"🐢 \" \u0000"}"#;
    assert!(store.put_integration(SLACK, Some("{}")).await.unwrap());
    assert!(store.put_integration("e-mail ü", Some("[]")).await.unwrap());
    assert!(store.put_integration(SLACK, Some(document)).await.unwrap());
    let all = store.integrations().await.unwrap();
    let shown: Vec<_> = all.iter().map(|one| (one.name.as_str(), one.config.as_deref())).collect();
    assert_eq!(shown, [("e-mail ü", Some("[]")), (SLACK, Some(document))]);
    assert!(all[1].changed_at > Timestamp::default() && all[1].tested_at.is_none());
    assert!(store.put_integration(SLACK, None).await.unwrap());
    assert!(!store.put_integration(SLACK, None).await.unwrap(), "there is none any more");
    assert_eq!(store.integrations().await.unwrap().len(), 1);
}

pub async fn what_came_of_trying_a_channel_is_noted(store: &impl Store) {
    let at = |seconds: i64| Timestamp::from_micros(1_790_000_000_000_000 + seconds * 1_000_000);
    store.note_test("sms", at(1), Some("answered 401: \"no\" ü")).await.unwrap();
    let one = store.integrations().await.unwrap().remove(0);
    assert_eq!(
        (one.config, one.tested_at, one.test_error.as_deref()),
        (None, Some(at(1)), Some("answered 401: \"no\" ü"))
    );
    assert!(!store.put_integration("sms", None).await.unwrap(), "it is not set up here");
    assert!(store.put_integration("sms", Some("{}")).await.unwrap());
    store.note_test("sms", at(2), None).await.unwrap();
    let one = store.integrations().await.unwrap().remove(0);
    assert_eq!((one.config.as_deref(), one.tested_at, one.test_error), (Some("{}"), Some(at(2)), None));
}

pub async fn changes_of_channels_are_told(store: &impl Store) {
    let mut changes = super::feed::listen(store).await;
    for config in [Some("{}"), None] {
        assert!(store.put_integration(SLACK, config).await.unwrap());
        assert_eq!(super::feed::next(&mut changes).await, Change::Settings);
        assert_eq!(store.integrations().await.unwrap().len(), usize::from(config.is_some()), "it can be read");
    }
}
