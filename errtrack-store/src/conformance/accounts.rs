//! Members and tokens.

use super::kit::{days, minutes};
use errtrack_core::{Member, Role, Store, Timestamp, TokenHash, TokenKind, store::Retention};
use uuid::Uuid;

fn ana() -> Member {
    Member {
        id: Uuid::from_u128(7),
        email: "ana@example.com".into(),
        name: String::new(),
        role: Role::Owner,
        password_hash: None,
        created_at: minutes(0),
    }
}

fn later() -> Timestamp {
    Timestamp::now().plus(days(1))
}

pub async fn a_member_is_replaced_by_address(store: &impl Store) {
    assert_eq!(store.member_by_email("ana@example.com").await.unwrap(), None);
    assert_eq!(store.member_count().await.unwrap(), 0);
    assert_eq!(store.put_member(&ana()).await.unwrap(), ana());
    let changed =
        Member { id: Uuid::from_u128(8), name: "Ana".into(), role: Role::Viewer, created_at: minutes(9), ..ana() };
    let changed = Member { password_hash: Some("$argon2id$x".into()), ..changed };
    let now = store.put_member(&changed).await.unwrap();
    assert_eq!(now, Member { id: ana().id, created_at: ana().created_at, ..changed });
    assert_eq!(store.member_by_email("ana@example.com").await.unwrap(), Some(now));
    assert_eq!(store.member_count().await.unwrap(), 1);
}

pub async fn tokens_expire(store: &impl Store) {
    let ana = store.put_member(&ana()).await.unwrap();
    let (old, new) = (TokenHash([1; 32]), TokenHash([2; 32]));
    store.put_token(TokenKind::Session, old, ana.id, Timestamp::now().minus(days(1))).await.unwrap();
    store.put_token(TokenKind::Session, new, ana.id, later()).await.unwrap();
    assert_eq!(store.token_member(TokenKind::Session, old).await.unwrap(), None);
    assert!(!store.take_token(TokenKind::Session, old).await.unwrap());
    store.retain(&Retention::default()).await.unwrap();
    assert_eq!(store.token_member(TokenKind::Session, new).await.unwrap(), Some(ana));
}

pub async fn kinds_of_tokens_are_apart(store: &impl Store) {
    let ana = store.put_member(&ana()).await.unwrap();
    let token = TokenHash([3; 32]);
    store.put_token(TokenKind::SignInLink, token, ana.id, later()).await.unwrap();
    assert_eq!(store.token_member(TokenKind::Session, token).await.unwrap(), None);
    assert!(!store.take_token(TokenKind::Session, token).await.unwrap());
    assert!(store.take_token(TokenKind::SignInLink, token).await.unwrap());
}

pub async fn a_token_is_taken_once(store: &impl Store) {
    let ana = store.put_member(&ana()).await.unwrap();
    let token = TokenHash([4; 32]);
    store.put_token(TokenKind::SignInLink, token, ana.id, later()).await.unwrap();
    let take = || store.take_token(TokenKind::SignInLink, token);
    let (a, b, c) = tokio::join!(take(), take(), take());
    let taken = [a, b, c].into_iter().filter(|taken| *taken.as_ref().unwrap());
    assert_eq!(taken.count(), 1);
    assert_eq!(store.token_member(TokenKind::SignInLink, token).await.unwrap(), None);
}
