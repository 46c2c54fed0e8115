//! A value of a row of cells (see `bulk/cells.rs`), as SQL; `r` is the `json_each` that goes through the rows.

/// The integer at byte `$at` (counted from 1) of a row of `$width` bytes in the cells `$cells`.
macro_rules! int {
    ($cells:literal, $width:literal, $at:literal) => {
        concat!("CAST(substr($", $cells, ", r.key * ", $width, " + ", $at, ", 20) AS INTEGER)")
    };
}
/// The same for an integer of at most ten digits.
macro_rules! size {
    ($cells:literal, $width:literal, $at:literal) => {
        concat!("CAST(substr($", $cells, ", r.key * ", $width, " + ", $at, ", 10) AS INTEGER)")
    };
}
/// The same for 16 bytes.
macro_rules! raw {
    ($cells:literal, $width:literal, $at:literal) => {
        concat!("substr($", $cells, ", r.key * ", $width, " + ", $at, ", 16)")
    };
}
/// The slice of the blob `$bytes` whose place stands at `$at`, and its length at `$length`; NULL for the place 0.
macro_rules! slice {
    ($cells:literal, $width:literal, $at:literal, $length:literal, $bytes:literal) => {
        concat!(
            "substr($",
            $bytes,
            ", nullif(",
            size!($cells, $width, $at),
            ", 0), ",
            size!($cells, $width, $length),
            ")"
        )
    };
}
macro_rules! text {
    ($cells:literal, $width:literal, $at:literal, $length:literal, $bytes:literal) => {
        concat!("CAST(", slice!($cells, $width, $at, $length, $bytes), " AS TEXT)")
    };
}

pub(crate) use {int, raw, size, slice, text};
