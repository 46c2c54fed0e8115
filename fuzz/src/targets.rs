//! The targets, one a file.

pub(crate) mod conditions;
pub(crate) mod envelopes;
pub(crate) mod events;
pub(crate) mod frames;
pub(crate) mod headers;
pub(crate) mod messages;
pub(crate) mod packed;
pub(crate) mod queries;
pub(crate) mod reports;
pub(crate) mod secrets;
pub(crate) mod spool;
pub(crate) mod stacks;
pub(crate) mod values;

/// Bytes as text, for what takes nothing else.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn bytes<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<Vec<u8>> {
    texts.into_iter().map(|text| text.as_bytes().to_vec()).collect()
}
