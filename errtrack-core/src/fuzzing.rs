//! What fuzz targets reach that is nobody else's business. No part of the API.

use crate::{
    Exception, Occurrence, Timestamp, adapter, grouping::message, rules::Pattern, stacktext, store::Batch, symbols,
    tracker::spool::record,
};
use serde_json::Value;
use uuid::Uuid;

/// What each reader of text traces makes of a text.
pub fn readers(text: &str) -> impl Iterator<Item = Vec<Exception>> {
    stacktext::READERS.iter().map(move |(_, read)| read(text))
}

/// The numbers in a message that say what went wrong.
#[must_use]
pub fn codes(text: &str) -> Vec<&str> {
    message::codes(text)
}

/// A demangled name as a person reads it.
#[must_use]
pub fn readable(name: &str) -> String {
    symbols::readable(name)
}

/// The trace that a `traceparent` names.
#[must_use]
pub fn trace(traceparent: &str) -> Option<Value> {
    adapter::trace::context(traceparent)
}

/// Whether a text is what a pattern with `*` asks for; `None` if it is no such pattern.
#[must_use]
pub fn matches(pattern: &str, text: &str) -> Option<bool> {
    Pattern::parse(pattern).ok().filter(|pattern| !pattern.is_regex()).map(|pattern| pattern.matches(text))
}

/// A file of the spool that holds one batch.
#[must_use]
pub fn spool_file(occurrences: Vec<Occurrence>) -> Vec<u8> {
    let record = record::encode(&Batch::whole(occurrences), 7, Timestamp::from_micros(1));
    [record::header(Uuid::nil()), record.unwrap_or_default()].concat()
}

/// The occurrences that are read from a file of the spool, how many it is said to hold, and how many records are lost.
#[must_use]
pub fn read_spool_file(file: &[u8]) -> (Vec<Occurrence>, u64, u64) {
    let _ = record::read_header(file);
    let contents = record::decode(file);
    let occurrences = contents.batches.into_iter().flat_map(|(_, batch)| batch.occurrences).collect();
    (occurrences, record::summary(file).occurrences, contents.lost_records)
}
