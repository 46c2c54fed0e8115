//! A message for one browser, which nobody between can read (RFC 8291, in the coding of RFC 8188).

use super::primitives::{Agreed, Refused, agree, derive, encrypt, random};

/// Bytes of a public key: a point on P-256, not compressed.
pub(super) const POINT: usize = 65;
/// Bytes of the secret that a browser shares.
pub(super) const SECRET: usize = 16;
/// Bytes of the one record that a message is.
const RECORD: u32 = 4096;
/// Bytes of text that fit: what is sent has at most 4,096, of which 86 are the head, 16 the tag and one ends the text.
pub(super) const MOST: usize = RECORD as usize - (16 + 4 + 1 + POINT) - 16 - 1;

/// Encrypts a text for the browser that has that public key and that secret.
pub(super) fn seal(text: &[u8], key: &[u8], secret: &[u8]) -> Result<Vec<u8>, Refused> {
    if !is_point(key) || secret.len() != SECRET || text.len() > MOST {
        return Err(Refused);
    }
    sealed(text, key, secret, &agree(key)?, random()?)
}

/// Whether that is a point on the curve, as a browser's public key must be.
pub(super) fn is_point(key: &[u8]) -> bool {
    key.len() == POINT && key.first() == Some(&4) && agree(key).is_ok()
}

/// The same, once the secret is agreed on and the salt is drawn.
fn sealed(text: &[u8], key: &[u8], secret: &[u8], agreed: &Agreed, salt: [u8; 16]) -> Result<Vec<u8>, Refused> {
    let material: [u8; 32] = derive(secret, &agreed.secret, &[b"WebPush: info\0", key, &agreed.public])?;
    let content_key = derive(&salt, &material, &[b"Content-Encoding: aes128gcm\0"])?;
    let nonce = derive(&salt, &material, &[b"Content-Encoding: nonce\0"])?;
    // The last record ends with 2.
    let sealed = encrypt(&content_key, nonce, [text, &[2]].concat())?;
    let length = u8::try_from(agreed.public.len()).map_err(|_| Refused)?;
    Ok([&salt[..], &RECORD.to_be_bytes(), &[length], &agreed.public, &sealed].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

    fn bytes(text: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    /// RFC 8291, 5 and appendix A.
    #[test]
    fn a_message_as_in_the_standard() {
        let agreed = Agreed {
            secret: bytes("kyrL1jIIOHEzg3sM2ZWRHDRB62YACZhhSlknJ672kSs"),
            public: bytes("BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8"),
        };
        let key = bytes("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4");
        let salt = bytes("DGv6ra1nlYgDCS1FRnbzlw").try_into().unwrap();
        let text = b"When I grow up, I want to be a watermelon";
        let message = sealed(text, &key, &bytes("BTBZMqHH6r4Tts7J_aSIgg"), &agreed, salt).unwrap();
        let of_standard = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6Tlz\
                           AC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";
        assert_eq!(URL_SAFE_NO_PAD.encode(&message), of_standard);
        // What was agreed on there is what the browser's own key comes to, by algorithms of somebody else.
        let own = bytes("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94");
        let own = aws_lc_rs::agreement::PrivateKey::from_private_key(&aws_lc_rs::agreement::ECDH_P256, &own).unwrap();
        assert_eq!(own.compute_public_key().unwrap().as_ref(), key);
        let peer = aws_lc_rs::agreement::UnparsedPublicKey::new(&aws_lc_rs::agreement::ECDH_P256, &agreed.public);
        let secret = aws_lc_rs::agreement::agree(&own, peer, (), |secret| Ok(secret.to_vec())).unwrap();
        assert_eq!(secret, agreed.secret);
    }

    #[test]
    fn what_is_sent_is_never_too_long() {
        let key = agree_with_myself();
        assert_eq!(seal(&vec![b'x'; MOST], &key, &[7; SECRET]).unwrap().len(), 4096);
        assert_eq!(seal(&vec![b'x'; MOST + 1], &key, &[7; SECRET]), Err(Refused));
    }

    #[test]
    fn keys_that_are_none_are_refused() {
        let key = agree_with_myself();
        assert!(is_point(&key));
        let off_the_curve = [&[4][..], &[1; 64]].concat();
        let compressed = [&[2][..], &key[1..33]].concat();
        for wrong in [&key[..64], &off_the_curve, &compressed, &[0; POINT], &[]] {
            assert!(!is_point(wrong) && seal(b"x", wrong, &[7; SECRET]) == Err(Refused), "{wrong:?}");
        }
        assert_eq!(seal(b"x", &key, &[7; SECRET - 1]), Err(Refused));
    }

    /// Some public key.
    fn agree_with_myself() -> Vec<u8> {
        super::super::primitives::public_of(&super::super::primitives::new_signing_key().unwrap()).unwrap()
    }
}
