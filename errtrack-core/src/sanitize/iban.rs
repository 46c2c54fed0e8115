//! International bank account numbers.

/// The length of the IBAN with which a text begins, spaces between groups of four included.
///
/// By the checksum of ISO 13616 (ISO/IEC 7064, MOD 97-10).
pub(super) fn at_start(text: &str) -> Option<usize> {
    let head = text.as_bytes().first_chunk::<4>()?;
    let [a, b, c, d] = *head;
    if !a.is_ascii_uppercase() || !b.is_ascii_uppercase() || !c.is_ascii_digit() || !d.is_ascii_digit() {
        return None;
    }
    let wanted = length(text.get(..2)?)?;
    let mut count = 0;
    let mut rest = 0u32;
    let mut end = 0;
    for (i, byte) in text.bytes().enumerate() {
        let value = match byte {
            b'0'..=b'9' => byte - b'0',
            b'A'..=b'Z' => byte - b'A' + 10,
            b' ' if count > 0 && count % 4 == 0 && count < wanted => continue,
            b'a'..=b'z' | b'_' | 0x80.. => return None,
            _ => break,
        };
        if count == wanted {
            return None;
        }
        count += 1;
        end = i + 1;
        if count > 4 {
            rest = shift(rest, value);
        }
    }
    (count == wanted && checks(text, rest)).then_some(end)
}

/// The first four characters count last.
fn checks(text: &str, rest: u32) -> bool {
    let first =
        text.bytes().take(4).map(|b| if b.is_ascii_digit() { b - b'0' } else { b.wrapping_sub(b'A').wrapping_add(10) });
    first.fold(rest, shift) == 1
}

fn shift(rest: u32, value: u8) -> u32 {
    let factor = if value > 9 { 100 } else { 10 };
    (rest * factor + u32::from(value)) % 97
}

/// The length in a country, from the IBAN registry (SWIFT).
fn length(country: &str) -> Option<usize> {
    Some(match country {
        "NO" => 15,
        "BE" => 16,
        "DK" | "FI" | "FO" | "GL" | "NL" => 18,
        "MK" | "SI" => 19,
        "AT" | "BA" | "EE" | "KZ" | "LT" | "LU" | "XK" => 20,
        "CH" | "HR" | "LI" | "LV" => 21,
        "BG" | "BH" | "CR" | "DE" | "GB" | "GE" | "IE" | "ME" | "RS" => 22,
        "AE" | "GI" | "IL" | "IQ" | "TL" => 23,
        "AD" | "CZ" | "ES" | "MD" | "PK" | "RO" | "SA" | "SE" | "SK" | "TN" | "VA" => 24,
        "LY" | "PT" | "ST" => 25,
        "IS" | "TR" => 26,
        "FR" | "GR" | "IT" | "MC" | "MR" | "SM" => 27,
        "AL" | "AZ" | "BY" | "CY" | "DO" | "GT" | "HU" | "LB" | "PL" | "SV" => 28,
        "BR" | "EG" | "PS" | "QA" | "UA" => 29,
        "JO" | "KW" | "MU" => 30,
        "MT" | "SC" => 31,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ibans_are_found_by_their_checksum() {
        assert_eq!(at_start("DE89370400440532013000"), Some(22));
        assert_eq!(at_start("GB82 WEST 1234 5698 7654 32 and more"), Some(27));
        assert_eq!(at_start("DE89370400440532013001"), None);
        assert_eq!(at_start("DE8937040044053201300099"), None);
        assert_eq!(at_start("AB12"), None);
    }
}
