//! Projects.

use super::kit::{event, issue_of, project, record};
use errtrack_core::{
    Project, ProjectId, Store,
    store::{NewProject, ProjectChange},
};

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

fn named(slug: &str) -> NewProject {
    NewProject { slug: slug.into(), name: "A Shop".into(), platform: Some("rust".into()), ..NewProject::default() }
}

async fn made(store: &impl Store, project: &NewProject) -> Project {
    let change = store.create_project(project).await.unwrap();
    let made = if let ProjectChange::Done(made) = &change { Some(made.clone()) } else { None };
    assert!(made.is_some(), "{project:?}: {change:?}");
    made.unwrap()
}

pub async fn a_project_is_made_with_all_it_has(store: &impl Store) {
    let shop = made(store, &named("shop")).await;
    assert_eq!((shop.slug.as_str(), shop.name.as_str(), shop.platform.as_deref()), ("shop", "A Shop", Some("rust")));
    assert_eq!(shop.public_keys.len(), 1);
    assert_eq!(store.projects().await.unwrap(), std::slice::from_ref(&shop));
    assert_eq!(store.ensure_project("shop").await.unwrap(), shop);
    assert_eq!(store.create_project(&named("shop")).await.unwrap(), ProjectChange::SlugTaken);
    let as_40 = NewProject { id: Some(ProjectId(40)), ..named("blog") };
    let blog = made(store, &as_40).await;
    assert_eq!(blog.id, ProjectId(40));
    let taken = NewProject { id: Some(ProjectId(40)), ..named("third") };
    assert_eq!(store.create_project(&taken).await.unwrap(), ProjectChange::IdTaken);
    let as_20 = NewProject { id: Some(ProjectId(20)), ..named("older") };
    assert_eq!(made(store, &as_20).await.id, ProjectId(20));
    for slug in ["next", "after"] {
        assert!(store.ensure_project(slug).await.unwrap().id > ProjectId(40), "{slug}");
    }
}

pub async fn a_project_is_renamed_with_its_issues(store: &impl Store) {
    let shop = project(store).await;
    let blog = store.ensure_project("blog").await.unwrap();
    let recorded = record(store, &shop, [event("A")]).await;
    let store_front = Project { slug: "front".into(), name: "Front".into(), platform: None, ..shop.clone() };
    assert_eq!(store.update_project(&store_front).await.unwrap(), ProjectChange::Done(store_front.clone()));
    assert_eq!(store.projects().await.unwrap(), [store_front.clone(), blog.clone()]);
    assert_eq!(issue_of(store, &recorded[0]).await.short_id(), "FRONT-1");
    let taken = Project { slug: "blog".into(), ..store_front };
    assert_eq!(store.update_project(&taken).await.unwrap(), ProjectChange::SlugTaken);
    let gone = Project { id: ProjectId(99), slug: "gone".into(), ..taken };
    assert_eq!(store.update_project(&gone).await.unwrap(), ProjectChange::Gone);
}

pub async fn a_public_key_is_taken_away(store: &impl Store) {
    let shop = project(store).await;
    let blog = store.ensure_project("blog").await.unwrap();
    assert!(store.add_public_key(shop.id, "second").await.unwrap());
    assert!(!store.remove_public_key(blog.id, "second").await.unwrap(), "it is another's");
    assert!(store.remove_public_key(shop.id, "second").await.unwrap());
    assert!(!store.remove_public_key(shop.id, "second").await.unwrap());
    assert_eq!(store.projects().await.unwrap()[0].public_keys, shop.public_keys);
    assert!(store.add_public_key(blog.id, "second").await.unwrap(), "it is free");
}
