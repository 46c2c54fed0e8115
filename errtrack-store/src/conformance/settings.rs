//! What people have set for projects.

use super::kit::project;
use errtrack_core::{ProjectId, Store, store::Change};

const IGNORE: &str = "ignore";

pub async fn a_setting_is_set_replaced_and_taken_away(store: &impl Store) {
    let shop = project(store).await;
    let blog = store.ensure_project("blog").await.unwrap();
    assert_eq!(store.settings(IGNORE).await.unwrap(), []);
    let document = r#"[{"type":"ü 🐢 \u0000"}]"#;
    assert!(store.put_setting(blog.id, IGNORE, Some(document)).await.unwrap());
    assert!(store.put_setting(shop.id, IGNORE, Some("one")).await.unwrap());
    assert!(store.put_setting(shop.id, "other", Some("another")).await.unwrap());
    assert!(store.put_setting(shop.id, IGNORE, Some("two")).await.unwrap());
    let both = [(shop.id, "two".to_owned()), (blog.id, document.to_owned())];
    assert_eq!(store.settings(IGNORE).await.unwrap(), both);
    assert!(store.put_setting(shop.id, IGNORE, None).await.unwrap());
    assert!(store.put_setting(shop.id, IGNORE, None).await.unwrap(), "there is such a project");
    assert_eq!(store.settings(IGNORE).await.unwrap(), [(blog.id, document.to_owned())]);
    assert_eq!(store.settings("other").await.unwrap(), [(shop.id, "another".to_owned())]);
    let large = "x".repeat(1 << 20);
    assert!(store.put_setting(shop.id, IGNORE, Some(&large)).await.unwrap());
    assert_eq!(store.settings(IGNORE).await.unwrap()[0].1, large);
}

pub async fn a_setting_goes_with_its_project(store: &impl Store) {
    let shop = project(store).await;
    assert!(store.put_setting(shop.id, IGNORE, Some("one")).await.unwrap());
    assert!(!store.put_setting(ProjectId(99), IGNORE, Some("one")).await.unwrap());
    assert!(!store.put_setting(ProjectId(99), IGNORE, None).await.unwrap());
    assert!(store.delete_project(shop.id).await.unwrap());
    assert_eq!(store.settings(IGNORE).await.unwrap(), []);
    assert!(!store.put_setting(shop.id, IGNORE, Some("one")).await.unwrap());
    assert_eq!(store.settings(IGNORE).await.unwrap(), []);
    let again = project(store).await;
    assert!(again.id != shop.id && store.settings(IGNORE).await.unwrap().is_empty());
}

pub async fn changes_of_settings_are_told(store: &impl Store) {
    let shop = project(store).await;
    let mut changes = super::feed::listen(store).await;
    for value in [Some("one"), None] {
        assert!(store.put_setting(shop.id, IGNORE, value).await.unwrap());
        assert_eq!(super::feed::next(&mut changes).await, Change::Settings);
        assert_eq!(store.settings(IGNORE).await.unwrap().len(), usize::from(value.is_some()), "it can be read");
    }
}
