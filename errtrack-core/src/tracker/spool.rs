//! The spool: a file beside the process that holds occurrences while the database is away.

use crate::Timestamp;
use std::path::PathBuf;

/// How full the spool is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpoolStatus {
    /// The folder of its files.
    pub folder: PathBuf,
    /// Occurrences that wait in it.
    pub occurrences: u64,
    /// Bytes that they take.
    pub bytes: u64,
    /// Bytes that they may take.
    pub most_bytes: u64,
    /// When the one that waits longest was put in.
    pub since: Option<Timestamp>,
    /// Occurrences that were read back from files, of this process or of one before, since the start.
    pub drained: u64,
    /// Records that were torn or corrupted and could not be read back, since the start.
    pub damaged: u64,
}
