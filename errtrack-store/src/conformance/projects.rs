//! Projects.

use super::kit::project;
use errtrack_core::{ProjectId, Store};

pub async fn a_project_is_made_once(store: &impl Store) {
    assert_eq!(store.projects().await.unwrap(), []);
    let (a, b, c) = tokio::join!(project(store), project(store), project(store));
    assert_eq!((&a, &a), (&b, &c));
    assert_eq!((a.id, a.slug.as_str()), (ProjectId(1), "shop"));
    let key = a.public_key();
    assert!(key.len() == 32 && key.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')), "{key}");
    let blog = store.ensure_project("blog").await.unwrap();
    assert_ne!(blog.public_key(), key);
    assert_eq!(store.projects().await.unwrap(), [a, blog]);
}

pub async fn public_keys_belong_to_one_project(store: &impl Store) {
    let shop = project(store).await;
    let blog = store.ensure_project("blog").await.unwrap();
    let key = "0123456789abcdef0123456789abcdef";
    assert!(store.add_public_key(shop.id, key).await.unwrap());
    assert!(!store.add_public_key(shop.id, key).await.unwrap());
    assert!(!store.add_public_key(blog.id, key).await.unwrap());
    assert_eq!(project(store).await.public_keys, [shop.public_key(), key]);
    assert_eq!(store.ensure_project("blog").await.unwrap(), blog);
}
