//! Secrets: made from the system's randomness, kept as hashes, compared in constant time.

use argon2::{
    Algorithm, Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier, Version, password_hash::SaltString,
};
use errtrack_core::{StoreError, TokenHash};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The hash under which a token or key is kept. Tokens hold 256 random bits, so a slow hash would protect nothing more.
pub(crate) fn token_hash(token: &str) -> TokenHash {
    TokenHash(Sha256::digest(token.as_bytes()).into())
}

/// Whether two hashes are equal, in a time that does not tell where they differ.
pub(crate) fn same(a: TokenHash, b: TokenHash) -> bool {
    a.0.ct_eq(&b.0).into()
}

/// 256 random bits as 64 hex digits.
pub(crate) fn random_token() -> Result<String, StoreError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|e| StoreError::other(e).context("the system has no randomness to give"))?;
    Ok(bytes.iter().map(|b| format!("{b:02x}")).collect())
}

/// What the cookie of a browser carries where one secret opens everything: made from the secret, but of no use as it.
pub(crate) fn derived_token(secret: TokenHash) -> String {
    let hash = Sha256::new().chain_update(b"errtrack session").chain_update(secret.0).finalize();
    hash.iter().map(|b| format!("{b:02x}")).collect()
}

/// argon2id with 19 MiB, 2 passes, 1 lane: the first choice of the OWASP Password Storage Cheat Sheet.
fn argon2() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::DEFAULT)
}

/// Hashes a password; takes some 50 ms of CPU, so call it from a blocking task.
pub(crate) fn hash_password(password: &str) -> Result<String, StoreError> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(StoreError::other)?;
    let salt = SaltString::encode_b64(&salt).map_err(|e| StoreError::other(e.to_string()))?;
    let hash = argon2().hash_password(password.as_bytes(), &salt).map_err(|e| StoreError::other(e.to_string()))?;
    Ok(hash.to_string())
}

/// Whether the password is the one of that hash. Without a hash it works as long and says no, so that the time does not
/// tell which addresses have accounts.
pub(crate) fn verify_password(password: &str, hash: Option<&str>) -> bool {
    const NOBODY: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$yEuIZrFYcEAIFQFjcMd8DnVEpJ7VZcwuUlWg7e1ZuWs";
    let Ok(parsed) = PasswordHash::new(hash.unwrap_or(NOBODY)) else { return false };
    argon2().verify_password(password.as_bytes(), &parsed).is_ok() && hash.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_matches_its_own_hash_alone() {
        let hash = hash_password("correct horse").unwrap();
        assert!(verify_password("correct horse", Some(&hash)));
        assert!(!verify_password("battery staple", Some(&hash)));
        assert!(!verify_password("correct horse", None));
    }

    #[test]
    fn tokens_differ() {
        assert_ne!(random_token().unwrap(), random_token().unwrap());
        assert!(same(token_hash("a"), token_hash("a")));
        assert!(!same(token_hash("a"), token_hash("b")));
    }
}
