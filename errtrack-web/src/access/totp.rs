//! The second factor: codes of an authenticator app (TOTP, RFC 6238, with its defaults), and recovery codes.

use super::{secret::same, secret::token_hash};
use errtrack_core::{StoreError, TokenHash};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use std::fmt;
use subtle::ConstantTimeEq;

/// Seconds that a code is shown.
const STEP: i64 = 30;
/// Codes before and after the present one that count too, for clocks that differ.
const AROUND: i64 = 1;
const DIGITS: u32 = 1_000_000;
/// Recovery codes that are made.
const RECOVERY_CODES: usize = 10;
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// What an app makes codes from: 160 random bits.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret([u8; 20]);

/// What is kept of a second factor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SecondFactor {
    /// In base 32.
    secret: String,
    /// The step of the last code that was used: none works twice.
    last_step: i64,
    /// The hashes of recovery codes that are left, in hexadecimal.
    recovery: Vec<String>,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    pub(crate) fn random() -> Result<Self, StoreError> {
        let mut bytes = [0; 20];
        getrandom::fill(&mut bytes)
            .map_err(|e| StoreError::other(e).context("the system has no randomness to give"))?;
        Ok(Self(bytes))
    }

    /// In base 32, as people type it into an app.
    pub(crate) fn text(&self) -> String {
        base32(&self.0)
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (mut bits, mut count, mut bytes) = (0_u32, 0, Vec::with_capacity(20));
        for c in text.bytes().filter(|c| *c != b' ') {
            let digit = BASE32.iter().position(|known| *known == c.to_ascii_uppercase())?;
            bits = (bits << 5) | u32::try_from(digit).ok()?;
            count += 5;
            if count >= 8 {
                count -= 8;
                bytes.push(u8::try_from((bits >> count) & 0xff).ok()?);
            }
        }
        bytes.try_into().ok().map(Self)
    }

    /// What an app reads from a picture.
    pub(crate) fn url(&self, account: &str) -> String {
        let mut label = String::new();
        for byte in account.bytes() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'@' | b'.' | b'-' | b'_') {
                label.push(char::from(byte));
            } else {
                label.push_str(&format!("%{byte:02X}"));
            }
        }
        format!("otpauth://totp/errtrack:{label}?secret={}&issuer=errtrack", self.text())
    }

    /// The code of a step.
    fn code(&self, step: i64) -> Option<u32> {
        let mut mac = Hmac::<Sha1>::new_from_slice(&self.0).ok()?;
        mac.update(&step.to_be_bytes());
        let hash = mac.finalize().into_bytes();
        let offset = usize::from(hash.last()? & 0xf);
        let four: [u8; 4] = hash.get(offset..offset + 4)?.try_into().ok()?;
        Some((u32::from_be_bytes(four) & 0x7fff_ffff) % DIGITS)
    }

    /// The code that an app shows at a time.
    #[cfg(test)]
    pub(crate) fn code_at(&self, seconds: i64) -> String {
        format!("{:06}", self.code(seconds.div_euclid(STEP)).unwrap())
    }

    /// The step of which that is the code, after `last` and around the present.
    fn step_of(&self, code: &str, last: i64, seconds: i64) -> Option<i64> {
        let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
        let is_code = code.len() == 6 && code.bytes().all(|c| c.is_ascii_digit());
        let code: u32 = code.parse().ok().filter(|_| is_code)?;
        let now = seconds.div_euclid(STEP);
        let is_it = |step: &i64| self.code(*step).is_some_and(|right| right.ct_eq(&code).into());
        (now - AROUND..=now + AROUND).filter(|step| *step > last).find(is_it)
    }
}

impl SecondFactor {
    /// A second factor, if the code is right, with recovery codes, which nobody can read again.
    pub(crate) fn confirm(
        secret: &Secret,
        code: &str,
        seconds: i64,
    ) -> Result<Option<(Self, Vec<String>)>, StoreError> {
        let Some(step) = secret.step_of(code, 0, seconds) else { return Ok(None) };
        let mut codes = Vec::with_capacity(RECOVERY_CODES);
        for _ in 0..RECOVERY_CODES {
            let mut bytes = [0; 10];
            getrandom::fill(&mut bytes).map_err(StoreError::other)?;
            let text = base32(&bytes).to_ascii_lowercase();
            codes.push(text.as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join("-"));
        }
        let recovery = codes.iter().map(|code| hex(recovery_hash(code))).collect();
        Ok(Some((Self { secret: secret.text(), last_step: step, recovery }, codes)))
    }

    /// What is left after that code was used; `None` if it is wrong, or was used before.
    pub(crate) fn after(&self, code: &str, seconds: i64) -> Option<Self> {
        let secret = Secret::parse(&self.secret)?;
        if let Some(step) = secret.step_of(code, self.last_step, seconds) {
            return Some(Self { last_step: step, ..self.clone() });
        }
        let hash = recovery_hash(code);
        let is_it = |kept: &String| unhex(kept).is_some_and(|kept| same(kept, hash));
        let place = self.recovery.iter().position(is_it)?;
        let mut left = self.clone();
        left.recovery.remove(place);
        Some(left)
    }

    /// How many recovery codes are left.
    pub(crate) fn codes_left(&self) -> usize {
        self.recovery.len()
    }
}

/// The hash of a recovery code, however it is typed.
fn recovery_hash(code: &str) -> TokenHash {
    let plain: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    token_hash(&plain.to_ascii_lowercase())
}

fn base32(bytes: &[u8]) -> String {
    let (mut bits, mut count, mut text) = (0_u32, 0, String::new());
    for byte in bytes {
        bits = (bits << 8) | u32::from(*byte);
        count += 8;
        while count >= 5 {
            count -= 5;
            let digit = usize::try_from((bits >> count) & 31).unwrap_or_default();
            text.extend(BASE32.get(digit).copied().map(char::from));
        }
    }
    text
}

fn hex(hash: TokenHash) -> String {
    hash.0.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<TokenHash> {
    let mut hash = [0; 32];
    for (place, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * place..2 * place + 2)?, 16).ok()?;
    }
    (text.len() == 64).then_some(TokenHash(hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> Secret {
        Secret(*b"12345678901234567890")
    }

    #[test]
    fn codes_are_those_of_rfc_6238() {
        // Appendix B gives eight digits; six are their end.
        for (seconds, code) in [
            (59, 94_287_082),
            (1_111_111_109, 7_081_804),
            (1_111_111_111, 14_050_471),
            (1_234_567_890, 89_005_924),
            (2_000_000_000, 69_279_037),
            (20_000_000_000, 65_353_130),
        ] {
            assert_eq!(secret().code(seconds / STEP), Some(code % DIGITS), "{seconds}");
        }
    }

    #[test]
    fn base_32_is_that_of_rfc_4648() {
        assert_eq!(base32(b"fooba"), "MZXW6YTB");
        assert_eq!(secret().text(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(Secret::parse("gezd gnbv gy3t qojq gezd gnbv gy3t qojq"), Some(secret()));
        for wrong in ["", "GEZD", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJ1", "é"] {
            assert_eq!(Secret::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_code_works_once_and_a_step_around_its_time() {
        let (factor, _) = SecondFactor::confirm(&secret(), "287082", 59).unwrap().unwrap();
        assert_eq!(factor.after("287082", 59), None, "it was used to confirm");
        let (later, code) = (1_111_111_109, "081804");
        for (away, works) in [(-60, false), (-30, true), (0, true), (30, true), (60, false)] {
            assert_eq!(factor.after(code, later + away).is_some(), works, "{away}");
        }
        let used = factor.after(" 081 804", later).unwrap();
        assert_eq!(used.after(code, later), None, "none works twice");
        for wrong in ["", "81804", "081805", "+81804", "0081804", "٠٨١٨٠٤"] {
            assert_eq!(factor.after(wrong, later), None, "{wrong}");
        }
    }

    #[test]
    fn each_recovery_code_works_once_however_it_is_typed() {
        let (factor, codes) = SecondFactor::confirm(&secret(), "287082", 59).unwrap().unwrap();
        assert_eq!((codes.len(), factor.codes_left()), (10, 10));
        let left = factor.after(&codes[3].to_uppercase().replace('-', " "), 0).unwrap();
        assert_eq!((left.after(&codes[3], 0), left.codes_left()), (None, 9));
        assert!(left.after(&codes[4], 0).is_some());
        assert!(SecondFactor::confirm(&secret(), "287083", 59).unwrap().is_none());
    }
}
