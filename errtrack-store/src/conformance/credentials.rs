//! API keys, and the audit log.

use super::kit::minutes;
use errtrack_core::{
    ApiKey, AuditEntry, Permission, ProjectId, Store, TokenHash,
    store::{Change, MAX_AUDIT_ENTRIES},
};
use uuid::Uuid;

fn key(n: u8) -> ApiKey {
    ApiKey {
        id: Uuid::from_u128(n.into()),
        hash: TokenHash([n; 32]),
        name: format!("key {n}"),
        preview: "sk_****7890".into(),
        permissions: vec![Permission::Ingest, Permission::Read],
        projects: None,
        expires_at: None,
        last_used: None,
        created_at: minutes(n.into()),
        created_by: "ana@example.com".into(),
    }
}

fn entry(n: i64) -> AuditEntry {
    AuditEntry {
        id: 0,
        at: minutes(n),
        who: "ana@example.com".into(),
        action: "key.create".into(),
        target: format!("key {n}"),
        details: String::new(),
        project: None,
        address: None,
    }
}

pub async fn a_key_is_kept_until_it_is_deleted(store: &impl Store) {
    let limited = ApiKey {
        projects: Some(vec![ProjectId(2), ProjectId(7)]),
        permissions: vec![Permission::Admin],
        expires_at: Some(minutes(60)),
        ..key(2)
    };
    let none = ApiKey { projects: Some(Vec::new()), permissions: Vec::new(), ..key(3) };
    for key in [&key(1), &limited, &none] {
        store.add_api_key(key).await.unwrap();
    }
    assert_eq!(store.api_keys().await.unwrap(), [key(1), limited.clone(), none.clone()]);
    assert!(store.delete_api_key(key(1).id).await.unwrap());
    assert!(!store.delete_api_key(key(1).id).await.unwrap());
    assert_eq!(store.api_keys().await.unwrap(), [limited, none]);
}

pub async fn the_use_of_a_key_is_noted_and_never_goes_back(store: &impl Store) {
    store.add_api_key(&key(1)).await.unwrap();
    store.note_use(&[(key(1).id, minutes(5)), (key(9).id, minutes(5))]).await.unwrap();
    store.note_use(&[(key(1).id, minutes(4))]).await.unwrap();
    assert_eq!(store.api_keys().await.unwrap(), [ApiKey { last_used: Some(minutes(5)), ..key(1) }]);
}

pub async fn keys_that_come_and_go_are_told(store: &impl Store) {
    let mut changes = super::feed::listen(store).await;
    store.add_api_key(&key(1)).await.unwrap();
    assert_eq!(super::feed::next(&mut changes).await, Change::Accounts);
    store.delete_api_key(key(1).id).await.unwrap();
    assert_eq!(super::feed::next(&mut changes).await, Change::Accounts);
}

pub async fn the_audit_log_is_read_by_pages_from_the_newest_on(store: &impl Store) {
    assert_eq!(store.audit_log(None, 10).await.unwrap(), []);
    for n in 0..5 {
        store.audit(&entry(n)).await.unwrap();
    }
    let whole = AuditEntry {
        project: Some(ProjectId(3)),
        address: Some([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1].into()),
        details: "as \u{1f511}".into(),
        ..entry(5)
    };
    store.audit(&whole).await.unwrap();
    let page = store.audit_log(None, 4).await.unwrap();
    assert_eq!(AuditEntry { id: 0, ..page[0].clone() }, whole);
    assert_eq!(page.iter().map(|entry| entry.at).collect::<Vec<_>>(), [5, 4, 3, 2].map(minutes));
    let rest = store.audit_log(Some(page[3].id), 4).await.unwrap();
    assert_eq!(rest.iter().map(|entry| entry.at).collect::<Vec<_>>(), [1, 0].map(minutes));
    assert_eq!(store.audit_log(Some(rest[1].id), 4).await.unwrap(), []);
}

pub async fn the_audit_log_is_bounded(store: &impl Store) {
    for n in 0..=MAX_AUDIT_ENTRIES {
        store.audit(&entry(n)).await.unwrap();
    }
    let first = store.audit_log(None, u32::MAX).await.unwrap();
    assert_eq!(first.len() as i64, MAX_AUDIT_ENTRIES);
    assert_eq!((first[0].at, first[first.len() - 1].at), (minutes(MAX_AUDIT_ENTRIES), minutes(1)));
}
