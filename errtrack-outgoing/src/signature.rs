//! Signatures of others, checked with what TLS is built from: no cryptography comes in for them.

/// A public key, of one of the two kinds that issuers of identities sign with (RFC 7518, 3.3 and 3.4).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PublicKey {
    /// RSA, for `RS256`; numbers are big-endian. Below 2,048 bits nothing counts as signed.
    Rsa {
        /// The modulus, `n`.
        modulus: Vec<u8>,
        /// The exponent, `e`.
        exponent: Vec<u8>,
    },
    /// A point on the curve P-256, for `ES256`.
    P256 {
        /// Its first coordinate, of 32 bytes.
        x: Vec<u8>,
        /// Its second coordinate, of 32 bytes.
        y: Vec<u8>,
    },
}

impl PublicKey {
    /// Whether who has the private key has signed that message, in the form of RFC 7518. Never without a feature `tls-…`.
    ///
    /// # Example
    /// ```
    /// let key = errtrack_outgoing::PublicKey::P256 { x: vec![1; 32], y: vec![2; 32] };
    /// assert!(!key.has_signed(b"header.payload", &[0; 64]));
    /// ```
    #[must_use]
    pub fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        let (key, signature) = match self {
            Self::Rsa { modulus, exponent } => {
                (sequence(&[integer(modulus), integer(exponent)]), Some(signature.to_vec()))
            }
            Self::P256 { x, y } if x.len() == 32 && y.len() == 32 => {
                ([&[4], &x[..], &y[..]].concat(), of_numbers(signature))
            }
            Self::P256 { .. } => return false,
        };
        signature.is_some_and(|signature| verify(self, &key, message, &signature))
    }
}

/// The two numbers side by side that JSON Web Signatures have, as the sequence that X.509 has.
fn of_numbers(signature: &[u8]) -> Option<Vec<u8>> {
    let (r, s) = signature.split_at_checked(32).filter(|(_, s)| s.len() == 32)?;
    Some(sequence(&[integer(r), integer(s)]))
}

/// A number in DER: no zeros before it but one where it would be negative.
fn integer(bytes: &[u8]) -> Vec<u8> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let digits = bytes.get(zeros..).unwrap_or_default();
    let sign: &[u8] = if digits.first().is_none_or(|first| *first >= 0x80) { &[0] } else { &[] };
    value(2, &[sign, digits].concat())
}

fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    value(0x30, &parts.concat())
}

/// A value in DER: its kind, its length, its content.
fn value(kind: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let length = length.get(length.iter().take_while(|byte| **byte == 0).count()..).unwrap_or_default();
    let mut out = vec![kind];
    match length {
        [] => out.push(0),
        [short] if *short < 0x80 => out.push(*short),
        // Lengths of lengths are at most 8.
        long => out.extend([&[0x80 | u8::try_from(long.len()).unwrap_or(0)], long].concat()),
    }
    out.extend_from_slice(content);
    out
}

#[cfg(any(feature = "tls-ring", feature = "tls-aws-lc-rs"))]
fn verify(kind: &PublicKey, key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    use tokio_rustls::rustls::pki_types::alg_id::{ECDSA_P256, ECDSA_SHA256, RSA_ENCRYPTION, RSA_PKCS1_SHA256};
    let wanted = match kind {
        PublicKey::Rsa { .. } => (RSA_ENCRYPTION, RSA_PKCS1_SHA256),
        PublicKey::P256 { .. } => (ECDSA_P256, ECDSA_SHA256),
    };
    let provider = crate::tls::provider();
    let mut known = provider.signature_verification_algorithms.all.iter();
    known
        .find(|known| (known.public_key_alg_id(), known.signature_alg_id()) == wanted)
        .is_some_and(|known| known.verify_signature(key, message, signature).is_ok())
}

#[cfg(not(any(feature = "tls-ring", feature = "tls-aws-lc-rs")))]
fn verify(_: &PublicKey, _: &[u8], _: &[u8], _: &[u8]) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads base64url (RFC 4648, 5) without padding.
    fn bytes(text: &str) -> Vec<u8> {
        const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let mut bits = text.chars().flat_map(|c| {
            let value = ALPHABET.find(c).unwrap();
            (0..6).rev().map(move |bit| (value >> bit) & 1)
        });
        let mut out = Vec::new();
        while let Some(first) = bits.next() {
            let rest: Vec<_> = bits.by_ref().take(7).collect();
            if rest.len() == 7 {
                out.push(u8::try_from(rest.iter().fold(first, |byte, bit| byte * 2 + bit)).unwrap());
            }
        }
        out
    }

    const PAYLOAD: &str =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

    #[track_caller]
    fn holds_for_this_alone(key: &PublicKey, header: &str, signature: &[u8]) {
        let message = format!("{header}.{PAYLOAD}");
        assert!(key.has_signed(message.as_bytes(), signature));
        assert!(!key.has_signed(format!("{message}x").as_bytes(), signature));
        for wrong in [&signature[1..], &[], &vec![0; signature.len()]] {
            assert!(!key.has_signed(message.as_bytes(), wrong));
        }
    }

    /// RFC 7515, A.2.
    #[test]
    fn rs256_as_in_the_standard() {
        let modulus = bytes(
            "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pC\
             gNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg6\
             65xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRW\
             yuXpoQ",
        );
        let signature = bytes(
            "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t\
             1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12j\
             zDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQ\
             Ge77Rw",
        );
        let key = PublicKey::Rsa { modulus, exponent: bytes("AQAB") };
        holds_for_this_alone(&key, "eyJhbGciOiJSUzI1NiJ9", &signature);
    }

    /// RFC 7515, A.3.
    #[test]
    fn es256_as_in_the_standard() {
        let (x, y) = ("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
        let signature = bytes("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q");
        let key = PublicKey::P256 { x: bytes(x), y: bytes(y) };
        holds_for_this_alone(&key, "eyJhbGciOiJFUzI1NiJ9", &signature);
        let short = PublicKey::P256 { x: bytes(x)[1..].to_vec(), y: bytes(y) };
        assert!(!short.has_signed(format!("eyJhbGciOiJFUzI1NiJ9.{PAYLOAD}").as_bytes(), &signature));
    }
}
