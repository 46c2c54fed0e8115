//! Members and tokens.

use super::kit::{days, minutes};
use errtrack_core::{
    Member, MemberChange, MemberChanged, MemberStatus, ProjectId, Role, Store, Timestamp, Token, TokenHash, TokenKind,
    store::Retention,
};
use uuid::Uuid;

fn ana() -> Member {
    Member { id: Uuid::from_u128(7), created_at: minutes(0), ..Member::new("ana@example.com", Role::Owner) }
}

fn jun() -> Member {
    Member { id: Uuid::from_u128(9), created_at: minutes(1), ..Member::new("jun@example.com", Role::Developer) }
}

fn token(kind: TokenKind, n: u8, member: &Member) -> Token {
    Token::new(kind, TokenHash([n; 32]), member.id, days(1))
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
    assert_eq!(store.member_by_email("ana@example.com").await.unwrap(), Some(now.clone()));
    assert_eq!(store.member(ana().id).await.unwrap(), Some(now));
    assert_eq!(store.member_count().await.unwrap(), 1);
}

pub async fn a_member_is_added_once(store: &impl Store) {
    let (a, b) = (Member { id: Uuid::from_u128(8), ..ana() }, ana());
    let (first, second) = tokio::join!(store.add_member(&a), store.add_member(&b));
    assert_eq!(u8::from(first.unwrap()) + u8::from(second.unwrap()), 1);
    assert!(store.add_member(&jun()).await.unwrap());
    let emails: Vec<String> = store.members().await.unwrap().into_iter().map(|member| member.email).collect();
    assert_eq!(emails, ["ana@example.com", "jun@example.com"], "the oldest first");
}

pub async fn what_is_changed_about_a_member_is_all_that_changes(store: &impl Store) {
    store.put_member(&ana()).await.unwrap();
    store.add_member(&Member { status: MemberStatus::Invited, ..jun() }).await.unwrap();
    let projects = Some(Some(vec![ProjectId(3), ProjectId(1)]));
    let change = MemberChange { projects, status: Some(MemberStatus::Active), ..MemberChange::default() };
    let limited = Member { projects: Some(vec![ProjectId(3), ProjectId(1)]), ..jun() };
    assert_eq!(store.change_member(jun().id, &change).await.unwrap(), MemberChanged::Done(limited.clone()));
    let change = MemberChange { name: Some("Jun".into()), role: Some(Role::Admin), ..MemberChange::default() };
    let named = Member { name: "Jun".into(), role: Role::Admin, ..limited };
    assert_eq!(store.change_member(jun().id, &change).await.unwrap(), MemberChanged::Done(named.clone()));
    assert_eq!(store.member(jun().id).await.unwrap(), Some(named));
    let all = MemberChange { projects: Some(None), password_hash: Some("$x".into()), ..MemberChange::default() };
    store.change_member(jun().id, &all).await.unwrap();
    let now = store.member(jun().id).await.unwrap().unwrap();
    assert_eq!((now.projects, now.password_hash.as_deref(), &*now.name), (None, Some("$x"), "Jun"));
    assert_eq!(store.change_member(Uuid::from_u128(1), &all).await.unwrap(), MemberChanged::Gone);
    assert_eq!(store.member(ana().id).await.unwrap(), Some(ana()));
}

pub async fn the_last_owner_stays_whatever_many_do_at_once(store: &impl Store) {
    let other = Member { role: Role::Owner, ..jun() };
    store.put_member(&ana()).await.unwrap();
    let demote = MemberChange { role: Some(Role::Admin), ..MemberChange::default() };
    let disable = MemberChange { status: Some(MemberStatus::Disabled), ..MemberChange::default() };
    for change in [&demote, &disable] {
        assert_eq!(store.change_member(ana().id, change).await.unwrap(), MemberChanged::LastOwner);
    }
    assert_eq!(store.delete_member(ana().id).await.unwrap(), MemberChanged::LastOwner);
    for round in 0..4 {
        store.put_member(&ana()).await.unwrap();
        store.put_member(&other).await.unwrap();
        let (a, b) = tokio::join!(store.change_member(ana().id, &demote), store.delete_member(other.id));
        let refused = [a.unwrap(), b.unwrap()].iter().filter(|changed| **changed == MemberChanged::LastOwner).count();
        assert_eq!(refused, 1, "{round}");
        assert_eq!(store.members().await.unwrap().iter().filter(|member| member.is_active_owner()).count(), 1);
    }
    // Somebody who was only invited owns nothing yet.
    store.put_member(&ana()).await.unwrap();
    store.put_member(&Member { status: MemberStatus::Invited, ..other }).await.unwrap();
    assert_eq!(store.delete_member(ana().id).await.unwrap(), MemberChanged::LastOwner);
}

pub async fn who_is_disabled_or_gone_has_no_tokens(store: &impl Store) {
    store.put_member(&ana()).await.unwrap();
    for (n, end) in [Some(MemberStatus::Disabled), None].into_iter().enumerate() {
        let jun = store.put_member(&Member { id: Uuid::from_u128(90 + n as u128), ..jun() }).await.unwrap();
        let session = token(TokenKind::Session, 1, &jun);
        store.put_token(&session).await.unwrap();
        store.put_token(&token(TokenKind::Invitation, 2, &jun)).await.unwrap();
        store.put_token(&token(TokenKind::Session, 3, &ana())).await.unwrap();
        assert!(store.swap_second_factor(jun.id, None, Some("x")).await.unwrap());
        match end {
            Some(status) => {
                let change = MemberChange { status: Some(status), ..MemberChange::default() };
                store.change_member(jun.id, &change).await.unwrap();
                let again = MemberChange { status: Some(MemberStatus::Active), ..MemberChange::default() };
                store.change_member(jun.id, &again).await.unwrap();
            }
            None => assert!(matches!(store.delete_member(jun.id).await.unwrap(), MemberChanged::Done(_))),
        }
        assert_eq!(store.token_member(TokenKind::Session, session.hash).await.unwrap(), None);
        assert_eq!(store.tokens(TokenKind::Invitation, jun.id).await.unwrap(), []);
        assert_eq!(store.tokens(TokenKind::Session, ana().id).await.unwrap().len(), 1);
        assert_eq!(store.second_factor(jun.id).await.unwrap().is_some(), end.is_some());
        if end.is_some() {
            store.swap_second_factor(jun.id, Some("x"), None).await.unwrap();
            store.delete_member(jun.id).await.unwrap();
        }
    }
}

pub async fn activity_is_noted_and_never_goes_back(store: &impl Store) {
    let ana = store.put_member(&ana()).await.unwrap();
    store.note_activity(&[(ana.id, minutes(5)), (Uuid::from_u128(1), minutes(5))]).await.unwrap();
    store.note_activity(&[(ana.id, minutes(3))]).await.unwrap();
    assert_eq!(store.member(ana.id).await.unwrap().unwrap().last_active, Some(minutes(5)));
}

pub async fn tokens_expire(store: &impl Store) {
    let ana = store.put_member(&ana()).await.unwrap();
    let new = token(TokenKind::Session, 2, &ana);
    let old = Token { expires_at: Timestamp::now().minus(days(1)), ..token(TokenKind::Session, 1, &ana) };
    store.put_token(&old).await.unwrap();
    store.put_token(&new).await.unwrap();
    assert_eq!(store.token_member(TokenKind::Session, old.hash).await.unwrap(), None);
    assert_eq!(store.tokens(TokenKind::Session, ana.id).await.unwrap().len(), 1);
    assert!(!store.take_token(TokenKind::Session, old.hash).await.unwrap());
    store.retain(&Retention::default()).await.unwrap();
    assert_eq!(store.token_member(TokenKind::Session, new.hash).await.unwrap(), Some(ana));
}

pub async fn kinds_of_tokens_are_apart(store: &impl Store) {
    let ana = store.put_member(&ana()).await.unwrap();
    let kinds = [
        TokenKind::Session,
        TokenKind::SignInLink,
        TokenKind::Invitation,
        TokenKind::PasswordReset,
        TokenKind::HalfSignIn,
    ];
    for kind in kinds {
        let token = token(kind, 3, &ana);
        store.put_token(&token).await.unwrap();
        for other in kinds.into_iter().filter(|other| *other != kind) {
            assert_eq!(store.token_member(other, token.hash).await.unwrap(), None);
            assert!(!store.take_token(other, token.hash).await.unwrap());
            assert_eq!(store.tokens(other, ana.id).await.unwrap(), []);
            assert_eq!(store.end_tokens(other, ana.id, None).await.unwrap(), 0);
        }
        assert!(store.take_token(kind, token.hash).await.unwrap());
    }
}

pub async fn a_token_is_taken_once(store: &impl Store) {
    let ana = store.put_member(&ana()).await.unwrap();
    let token = token(TokenKind::SignInLink, 4, &ana);
    store.put_token(&token).await.unwrap();
    let take = || store.take_token(TokenKind::SignInLink, token.hash);
    let (a, b, c) = tokio::join!(take(), take(), take());
    let taken = [a, b, c].into_iter().filter(|taken| *taken.as_ref().unwrap());
    assert_eq!(taken.count(), 1);
    assert_eq!(store.token_member(TokenKind::SignInLink, token.hash).await.unwrap(), None);
}

pub async fn sessions_are_listed_and_ended_but_one(store: &impl Store) {
    let ana = store.put_member(&ana()).await.unwrap();
    let jun = store.put_member(&jun()).await.unwrap();
    let session = |n: u8| Token {
        about: format!("browser {n}"),
        created_at: minutes(i64::from(n)),
        ..token(TokenKind::Session, n, &ana)
    };
    let [one, two, three] = [1, 2, 3].map(session);
    for session in [&one, &two, &three] {
        store.put_token(session).await.unwrap();
    }
    store.put_token(&token(TokenKind::Session, 9, &jun)).await.unwrap();
    assert_eq!(store.tokens(TokenKind::Session, ana.id).await.unwrap(), [three, two.clone(), one]);
    assert_eq!(store.end_tokens(TokenKind::Session, ana.id, Some(two.hash)).await.unwrap(), 2);
    assert_eq!(store.tokens(TokenKind::Session, ana.id).await.unwrap(), [two]);
    assert_eq!(store.end_tokens(TokenKind::Session, ana.id, None).await.unwrap(), 1);
    assert_eq!(store.tokens(TokenKind::Session, jun.id).await.unwrap().len(), 1);
}

pub async fn a_second_factor_is_swapped_only_as_it_was(store: &impl Store) {
    let ana = store.put_member(&ana()).await.unwrap();
    assert!(!store.swap_second_factor(Uuid::from_u128(1), None, Some("a")).await.unwrap(), "nobody");
    assert!(!store.swap_second_factor(ana.id, Some("x"), Some("a")).await.unwrap());
    assert!(store.swap_second_factor(ana.id, None, Some("a")).await.unwrap());
    assert!(!store.swap_second_factor(ana.id, None, Some("b")).await.unwrap());
    assert!(store.member(ana.id).await.unwrap().unwrap().has_second_factor);
    let swap = |after| store.swap_second_factor(ana.id, Some("a"), after);
    let (b, c) = tokio::join!(swap(Some("b")), swap(Some("c")));
    assert_ne!(b.unwrap(), c.unwrap(), "one of two");
    let now = store.second_factor(ana.id).await.unwrap();
    assert!(store.swap_second_factor(ana.id, now.as_deref(), None).await.unwrap());
    assert_eq!(store.second_factor(ana.id).await.unwrap(), None);
    assert!(!store.member(ana.id).await.unwrap().unwrap().has_second_factor);
}
