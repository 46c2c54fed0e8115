//! Members, their tokens, keys, and the log of what they do.

use super::StoreError;
use crate::{ApiKey, AuditEntry, Member, MemberChange, MemberChanged, Timestamp, Token, TokenHash, TokenKind};
use async_trait::async_trait;
use uuid::Uuid;

/// Entries that the audit log keeps; the oldest go.
pub const MAX_AUDIT_ENTRIES: i64 = 10_000;

/// Keeps members and their tokens.
#[async_trait]
pub trait AccountStore: Send + Sync + 'static {
    /// The member with that address (lower case).
    async fn member_by_email(&self, email: &str) -> Result<Option<Member>, StoreError>;

    /// The member with that id.
    async fn member(&self, id: Uuid) -> Result<Option<Member>, StoreError>;

    /// Every member, the oldest first.
    async fn members(&self) -> Result<Vec<Member>, StoreError>;

    /// How many members there are.
    async fn member_count(&self) -> Result<i64, StoreError>;

    /// Adds a member, or replaces name, role, status, projects and password of the one with the same address. Answers it as
    /// it is now.
    async fn put_member(&self, member: &Member) -> Result<Member, StoreError>;

    /// Adds a member; `false` if one has its address. Of several that add the same address at once, one gets `true`.
    async fn add_member(&self, member: &Member) -> Result<bool, StoreError>;

    /// Changes a member. One that is not active afterwards has no tokens left but an invitation. There is always an active
    /// owner left where there was one, also when several change members at once.
    async fn change_member(&self, id: Uuid, change: &MemberChange) -> Result<MemberChanged, StoreError>;

    /// Deletes a member with all tokens and the second factor. The last active owner stays.
    async fn delete_member(&self, id: Uuid) -> Result<MemberChanged, StoreError>;

    /// Notes when members last did something; never earlier than was noted before. This is no change that is told.
    async fn note_activity(&self, members: &[(Uuid, Timestamp)]) -> Result<(), StoreError>;

    /// Keeps a token of a member until it expires.
    async fn put_token(&self, token: &Token) -> Result<(), StoreError>;

    /// The member of a token that has not expired; nobody if the member is disabled.
    async fn token_member(&self, kind: TokenKind, token: TokenHash) -> Result<Option<Member>, StoreError>;

    /// Deletes a token; `true` if it was there and had not expired. Of several that ask at once, one gets `true`.
    async fn take_token(&self, kind: TokenKind, token: TokenHash) -> Result<bool, StoreError>;

    /// The tokens of a member that have not expired, the newest first.
    async fn tokens(&self, kind: TokenKind, member: Uuid) -> Result<Vec<Token>, StoreError>;

    /// Deletes the tokens of a member, all but one if `except` says which; answers how many went.
    async fn end_tokens(&self, kind: TokenKind, member: Uuid, except: Option<TokenHash>) -> Result<u64, StoreError>;

    /// What is kept of the second factor of a member: a document that the store does not look into.
    async fn second_factor(&self, member: Uuid) -> Result<Option<String>, StoreError>;

    /// Replaces that document, if it still is what `before` says; else nothing happens and the answer is `false`. So each
    /// code can be used once, whichever process is asked.
    async fn swap_second_factor(
        &self,
        member: Uuid,
        before: Option<&str>,
        after: Option<&str>,
    ) -> Result<bool, StoreError>;
}

/// Keeps the keys that programs are known by.
#[async_trait]
pub trait KeyStore: Send + Sync + 'static {
    /// Every key, also expired ones, the oldest first.
    async fn api_keys(&self) -> Result<Vec<ApiKey>, StoreError>;

    /// Adds a key.
    async fn add_api_key(&self, key: &ApiKey) -> Result<(), StoreError>;

    /// Deletes a key; `false` if there is none.
    async fn delete_api_key(&self, id: Uuid) -> Result<bool, StoreError>;

    /// Notes when keys were last used; never earlier than was noted before. This is no change that is told.
    async fn note_use(&self, keys: &[(Uuid, Timestamp)]) -> Result<(), StoreError>;
}

/// Keeps the audit log.
#[async_trait]
pub trait AuditStore: Send + Sync + 'static {
    /// Adds an entry, whose `id` the store gives. Past [`MAX_AUDIT_ENTRIES`] the oldest go.
    async fn audit(&self, entry: &AuditEntry) -> Result<(), StoreError>;

    /// Entries with a smaller id than `before`, where it is given, the newest first, `limit` at most.
    async fn audit_log(&self, before: Option<i64>, limit: u32) -> Result<Vec<AuditEntry>, StoreError>;
}
