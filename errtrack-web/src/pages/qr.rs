//! A QR code as SVG that stands in the page.

use qrcodegen::{QrCode, QrCodeEcc};

/// Light modules around it, which readers need.
const QUIET: i32 = 4;

/// A picture, ready to be shown.
#[derive(Debug)]
pub(super) struct Qr {
    /// Modules of a side, those around it included.
    pub(super) side: i32,
    /// The dark modules, as a path: one rectangle for each run of a row.
    pub(super) path: String,
}

impl Qr {
    /// The picture of a text; `None` if it is too long for one.
    pub(super) fn new(text: &str) -> Option<Self> {
        let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
        let mut path = String::new();
        for y in 0..code.size() {
            let mut x = 0;
            while x < code.size() {
                let run = (x..code.size()).take_while(|x| code.get_module(*x, y)).count();
                let run = i32::try_from(run).ok()?;
                if run > 0 {
                    path.push_str(&format!("M{} {}h{run}v1h-{run}z", x + QUIET, y + QUIET));
                }
                x += run.max(1);
            }
        }
        Some(Self { side: code.size() + 2 * QUIET, path })
    }
}

#[cfg(test)]
mod tests {
    use super::Qr;

    #[test]
    fn dark_modules_are_drawn_where_they_stand() {
        let qr = Qr::new("otpauth://totp/errtrack:ana@example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").unwrap();
        // The corner of every code is a row of seven.
        assert!(qr.path.starts_with("M4 4h7v1h-7z"), "{}", qr.path);
        assert!(qr.side > 21 + 8 && qr.path.len() < 8_000);
        assert!(Qr::new(&"x".repeat(5_000)).is_none());
    }
}
