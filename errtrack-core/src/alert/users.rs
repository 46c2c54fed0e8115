//! How many users there were, without saying which: a HyperLogLog sketch. Sketches of several processes and times add up, each
//! user counting once. Up to some fifty users it is exact but for one or two; beyond, it is within 2 percent as a rule.

use std::fmt::Write;

/// Registers; a power of two.
const REGISTERS: usize = 4_096;
/// Bits of a hash that choose the register.
const BITS: u32 = REGISTERS.trailing_zeros();
/// What a register is written as, by its value.
const LETTERS: &[u8; 64] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";

/// A set of users, of which only the size is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Users(Vec<u8>);

impl Default for Users {
    fn default() -> Self {
        Self(vec![0; REGISTERS])
    }
}

impl Users {
    /// Adds a user by a hash; `true` if that changed anything.
    pub(crate) fn add(&mut self, hash: i64) -> bool {
        // The hash may be good in some bits only.
        let mut mixed = hash.cast_unsigned();
        for factor in [0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb] {
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(factor);
        }
        mixed ^= mixed >> 31;
        let place = usize::try_from(mixed >> (64 - BITS)).unwrap_or_default();
        // How many zeros the rest begins with, and one.
        let rank = u8::try_from((mixed << BITS).leading_zeros().min(63 - BITS) + 1).unwrap_or(1);
        let register = self.0.get_mut(place).filter(|register| **register < rank);
        register.map(|register| *register = rank).is_some()
    }

    /// Adds the users of another set.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine = (*mine).max(*theirs);
        }
    }

    /// About how many there are.
    #[expect(clippy::cast_precision_loss, reason = "it is an estimate")]
    pub(crate) fn count(&self) -> f64 {
        let registers = REGISTERS as f64;
        let empty = self.0.iter().filter(|register| **register == 0).count();
        let sum: f64 = self.0.iter().map(|register| (-f64::from(*register)).exp2()).sum();
        let estimate = 0.7213 / (1.0 + 1.079 / registers) * registers * registers / sum;
        if estimate <= 2.5 * registers && empty > 0 {
            return (registers * (registers / empty as f64).ln()).round();
        }
        estimate.round()
    }

    /// As it is stored: runs of empty registers are written as their length in brackets.
    pub(crate) fn to_point(&self) -> String {
        let mut text = String::new();
        for run in self.0.chunk_by(|one, next| one == next) {
            match run {
                [0, _, _, _, _, ..] => {
                    let _ = write!(text, "({})", run.len());
                }
                _ => text.extend(
                    run.iter().filter_map(|value| LETTERS.get(usize::from(*value))).map(|byte| char::from(*byte)),
                ),
            }
        }
        text
    }

    /// Reads what was stored; `None` if it is something else.
    pub(crate) fn from_point(text: &str) -> Option<Self> {
        let mut registers = Vec::with_capacity(REGISTERS);
        let mut rest = text.bytes();
        while let Some(byte) = rest.next() {
            if byte == b'(' {
                let digits: Vec<u8> = rest.by_ref().take_while(|byte| *byte != b')').collect();
                let length: usize = std::str::from_utf8(&digits).ok()?.parse().ok()?;
                registers.extend(std::iter::repeat_n(0, length.min(REGISTERS + 1)));
            } else {
                registers.push(u8::try_from(LETTERS.iter().position(|letter| *letter == byte)?).ok()?);
            }
            if registers.len() > REGISTERS {
                return None;
            }
        }
        (registers.len() == REGISTERS).then_some(Self(registers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_counted_well_enough_and_add_up() {
        let mut users = Users::default();
        for n in 1..=50_000_i64 {
            users.add(n);
            assert!(!users.add(n), "the same again");
            if [1, 2, 10, 50, 1_000, 9_000, 20_000, 50_000].contains(&n) {
                let off = (users.count() - n as f64).abs();
                assert!(off <= (n as f64 * 0.04).max(1.0), "{n}: {}", users.count());
            }
        }
        let few = |from: i64| {
            let mut users = Users::default();
            (from..from + 20).for_each(|n| drop(users.add(n)));
            users
        };
        let mut both = few(0);
        both.merge(&few(10));
        assert!((both.count() - 30.0).abs() <= 1.0, "{}", both.count());
        for users in [few(7), users, Users::default()] {
            let text = users.to_point();
            assert_eq!(Users::from_point(&text), Some(users), "{text}");
        }
        assert!(few(3).to_point().len() < 200);
        for wrong in ["", "0", "(4095)", "(9999999999)", "(4097)", "(x)", "(4096)0", "é"] {
            assert_eq!(Users::from_point(wrong), None, "{wrong}");
        }
    }
}
