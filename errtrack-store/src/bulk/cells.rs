//! Rows for SQLite in cells of a fixed width, which `substr` finds without reading what stands before them.
//!
//! An integer is written in decimal, since SQL can cast no other form; a text stands in another blob, and its cell holds
//! the place and the length. To render and parse rows as JSON took more time than to write them into the tables.

use std::iter::zip;

/// Width of a cell with an integer; wide enough for each.
const INT: usize = 20;
/// Width of a cell with a place or a length.
const SIZE: usize = 10;

/// A list of rows that is being written.
#[derive(Debug)]
pub(super) struct Cells {
    /// The cells of all rows.
    pub(super) cells: Vec<u8>,
    /// For each row an element, for `json_each` to go through.
    rows: String,
}

impl Cells {
    /// Rows of that many bytes.
    pub(super) fn new(rows: usize, width: usize) -> Self {
        Self { cells: Vec::with_capacity(rows * width), rows: String::with_capacity(rows * 2 + 2) }
    }

    /// Begins a row.
    pub(super) fn row(&mut self) -> &mut Self {
        self.rows.push_str(if self.rows.is_empty() { "[0" } else { ",0" });
        self
    }

    pub(super) fn int(&mut self, number: i64) -> &mut Self {
        self.digits::<INT>(number.unsigned_abs(), number < 0)
    }

    pub(super) fn size(&mut self, number: usize) -> &mut Self {
        self.digits::<SIZE>(number as u64, false)
    }

    pub(super) fn raw(&mut self, bytes: &[u8; 16]) -> &mut Self {
        self.cells.extend_from_slice(bytes);
        self
    }

    /// A text that is put into `texts`; NUL, which ends a text in some places, becomes the replacement character.
    pub(super) fn text(&mut self, text: Option<&str>, texts: &mut Vec<u8>) -> &mut Self {
        let Some(text) = text else { return self.size(0).size(0) };
        let start = texts.len();
        if text.contains('\0') {
            texts.extend_from_slice(text.replace('\0', "\u{fffd}").as_bytes());
        } else {
            texts.extend_from_slice(text.as_bytes());
        }
        // SQL counts from 1.
        self.size(start + 1).size(texts.len() - start)
    }

    /// The rows as a JSON array.
    pub(super) fn rows(&mut self) -> String {
        self.rows.push_str(if self.rows.is_empty() { "[]" } else { "]" });
        std::mem::take(&mut self.rows)
    }

    fn digits<const WIDTH: usize>(&mut self, mut number: u64, negative: bool) -> &mut Self {
        let mut cell = [b'0'; WIDTH];
        for digit in cell.iter_mut().rev() {
            if number == 0 {
                break;
            }
            *digit = b'0' + (number % 10) as u8;
            number /= 10;
        }
        for (sign, _) in zip(&mut cell, negative.then_some(())) {
            *sign = b'-';
        }
        self.cells.extend_from_slice(&cell);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::Cells;

    #[test]
    fn cells_have_a_fixed_width() {
        let mut texts = b"x".to_vec();
        let mut cells = Cells::new(2, 50);
        cells.row().int(i64::MIN).size(7);
        cells.row().int(42).text(Some("a\0b"), &mut texts).text(None, &mut texts);
        assert_eq!(cells.rows(), "[0,0]");
        let expected = "-92233720368547758080000000007\
                        00000000000000000042000000000200000000050000000000\
                        0000000000";
        assert_eq!(String::from_utf8(cells.cells).unwrap(), expected);
        assert_eq!(texts, "xa\u{fffd}b".as_bytes());
        assert_eq!(Cells::new(0, 0).rows(), "[]");
    }
}
