//! The algorithms that web push takes, from the crate that TLS is built on: no cryptography comes in for it.

/// An algorithm said no: a key is none, or there is no TLS and so no algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refused;

/// Whether they are there.
pub(crate) const BUILT_IN: bool = cfg!(any(feature = "tls-ring", feature = "tls-aws-lc-rs"));

/// A secret that two have agreed on, and the public key of the one who is heard of it first.
#[derive(Debug)]
pub(crate) struct Agreed {
    pub(crate) secret: Vec<u8>,
    pub(crate) public: Vec<u8>,
}

#[cfg(any(feature = "tls-ring", feature = "tls-aws-lc-rs"))]
mod built_in {
    use super::{Agreed, Refused};
    #[cfg(feature = "tls-aws-lc-rs")]
    use aws_lc_rs as provider;
    use provider::{
        aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
        agreement::{ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral},
        digest,
        hkdf::{HKDF_SHA256, KeyType, Salt},
        rand::{SecureRandom, SystemRandom},
        signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
    };
    #[cfg(not(feature = "tls-aws-lc-rs"))]
    use ring as provider;

    type Result<T> = std::result::Result<T, Refused>;

    fn refused<E>(_: E) -> Refused {
        Refused
    }

    /// As many random bytes.
    pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
        let mut bytes = [0; N];
        SystemRandom::new().fill(&mut bytes).map_err(refused)?;
        Ok(bytes)
    }

    /// The SHA-256 of what stands in these parts, one behind the other.
    pub(crate) fn sha256(parts: &[&[u8]]) -> Vec<u8> {
        let mut hash = digest::Context::new(&digest::SHA256);
        parts.iter().for_each(|part| hash.update(part));
        hash.finish().as_ref().to_vec()
    }

    /// Agrees on a secret with whoever has that public key, by a key of P-256 that is used once.
    pub(crate) fn agree(peer: &[u8]) -> Result<Agreed> {
        let own = EphemeralPrivateKey::generate(&ECDH_P256, &SystemRandom::new()).map_err(refused)?;
        let public = own.compute_public_key().map_err(refused)?.as_ref().to_vec();
        let peer = UnparsedPublicKey::new(&ECDH_P256, peer);
        #[cfg(feature = "tls-aws-lc-rs")]
        let secret = agree_ephemeral(own, peer, Refused, |secret| Ok(secret.to_vec()))?;
        #[cfg(not(feature = "tls-aws-lc-rs"))]
        let secret = agree_ephemeral(own, &peer, <[u8]>::to_vec).map_err(refused)?;
        Ok(Agreed { secret, public })
    }

    /// As many bytes as are asked for.
    struct Length(usize);

    impl KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }

    /// HKDF with SHA-256 (RFC 5869).
    pub(crate) fn derive<const N: usize>(salt: &[u8], secret: &[u8], info: &[&[u8]]) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        let key = Salt::new(HKDF_SHA256, salt).extract(secret);
        key.expand(info, Length(N)).and_then(|okm| okm.fill(&mut bytes)).map_err(refused)?;
        Ok(bytes)
    }

    /// AES-128-GCM. A key is used once.
    pub(crate) fn encrypt(key: &[u8; 16], nonce: [u8; 12], mut text: Vec<u8>) -> Result<Vec<u8>> {
        let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, key).map_err(refused)?);
        let nonce = Nonce::assume_unique_for_key(nonce);
        key.seal_in_place_append_tag(nonce, Aad::empty(), &mut text).map_err(refused)?;
        Ok(text)
    }

    /// A new key to sign with (PKCS #8).
    pub(crate) fn new_signing_key() -> Result<Vec<u8>> {
        let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
        key.map(|key| key.as_ref().to_vec()).map_err(refused)
    }

    fn pair(pkcs8: &[u8]) -> Result<EcdsaKeyPair> {
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        #[cfg(feature = "tls-aws-lc-rs")]
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8);
        #[cfg(not(feature = "tls-aws-lc-rs"))]
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8, &SystemRandom::new());
        pair.map_err(refused)
    }

    /// The public key that belongs to a key to sign with: a point, 65 bytes.
    pub(crate) fn public_of(pkcs8: &[u8]) -> Result<Vec<u8>> {
        Ok(pair(pkcs8)?.public_key().as_ref().to_vec())
    }

    /// Signs by ES256: two numbers of 32 bytes side by side (RFC 7518, 3.4).
    pub(crate) fn sign(pkcs8: &[u8], message: &[u8]) -> Result<Vec<u8>> {
        let signature = pair(pkcs8)?.sign(&SystemRandom::new(), message).map_err(refused)?;
        Ok(signature.as_ref().to_vec())
    }
}

#[cfg(not(any(feature = "tls-ring", feature = "tls-aws-lc-rs")))]
mod built_in {
    use super::{Agreed, Refused};

    pub(crate) const fn random<const N: usize>() -> Result<[u8; N], Refused> {
        Err(Refused)
    }

    pub(crate) const fn sha256(_: &[&[u8]]) -> Vec<u8> {
        Vec::new()
    }

    pub(crate) const fn agree(_: &[u8]) -> Result<Agreed, Refused> {
        Err(Refused)
    }

    pub(crate) const fn derive<const N: usize>(_: &[u8], _: &[u8], _: &[&[u8]]) -> Result<[u8; N], Refused> {
        Err(Refused)
    }

    pub(crate) fn encrypt(_: &[u8; 16], _: [u8; 12], _: Vec<u8>) -> Result<Vec<u8>, Refused> {
        Err(Refused)
    }

    pub(crate) const fn new_signing_key() -> Result<Vec<u8>, Refused> {
        Err(Refused)
    }

    pub(crate) const fn public_of(_: &[u8]) -> Result<Vec<u8>, Refused> {
        Err(Refused)
    }

    pub(crate) const fn sign(_: &[u8], _: &[u8]) -> Result<Vec<u8>, Refused> {
        Err(Refused)
    }
}

pub(crate) use built_in::*;
