//! What a spool file is made of, as bytes. The format is told in [`spool`](super).

use crate::{Occurrence, Timestamp, store::Batch};
use uuid::Uuid;

const MAGIC: &[u8; 12] = b"errtrack\xff\r\n\0";
const VERSION: u32 = 1;
/// Bytes of the header of a file.
pub(crate) const HEADER: usize = MAGIC.len() + 4 + 16 + 4;
/// Begins a record. Facts and payloads are UTF-8, which has no such bytes: so nothing that a client sends looks like it.
const MARK: [u8; 4] = [0xff, b'r', 0xfe, b'>'];
/// Bytes before the body of a record.
const FRAME: usize = MARK.len() + 8;

/// The header of a file.
pub(crate) fn header(writer: Uuid) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(writer.as_bytes());
    bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
    bytes
}

/// What the first bytes of a file say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Header {
    Good(Uuid),
    /// Whole, but of a version that this program does not know.
    Unknown(u32),
    Damaged,
}

/// Reads the header of a file.
pub(crate) fn read_header(file: &[u8]) -> Header {
    let mut reader = Reader(file);
    let parts = (|| {
        let magic = reader.take(MAGIC.len())?;
        let version = reader.number()?;
        let writer = Uuid::from_slice(reader.take(16)?).ok()?;
        Some((magic == MAGIC, version, writer, reader.number()?))
    })();
    match parts {
        Some((true, version, writer, sum)) if file.get(..HEADER - 4).map(crc32fast::hash) == Some(sum) => {
            if version == VERSION { Header::Good(writer) } else { Header::Unknown(version) }
        }
        _ => Header::Damaged,
    }
}

/// A batch as a record; `None` if it is larger than a record can be.
pub(crate) fn encode(batch: &Batch, number: i64, at: Timestamp) -> Option<Vec<u8>> {
    let size = batch.occurrences.iter().map(|o| o.payload().len() + 1024).sum::<usize>();
    let mut bytes = Vec::with_capacity(FRAME + 20 + size);
    bytes.extend_from_slice(&[0; FRAME]);
    bytes.extend_from_slice(&number.to_le_bytes());
    bytes.extend_from_slice(&at.as_micros().to_le_bytes());
    bytes.extend_from_slice(&u32::try_from(batch.occurrences.len()).ok()?.to_le_bytes());
    for (occurrence, whole) in batch.iter() {
        let payload = if whole { occurrence.payload() } else { &[] };
        bytes.push(u8::from(whole));
        let lengths = bytes.len();
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&u32::try_from(payload.len()).ok()?.to_le_bytes());
        let facts = bytes.len();
        serde_json::to_writer(&mut bytes, &occurrence.facts()).ok()?;
        let length = u32::try_from(bytes.len() - facts).ok()?;
        bytes.get_mut(lengths..lengths + 4)?.copy_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(payload);
    }
    let body = bytes.get(FRAME..)?;
    let length = u32::try_from(body.len()).ok()?;
    let sum = checksum(length, body);
    let frame = bytes.first_chunk_mut::<FRAME>()?;
    let [m0, m1, m2, m3] = MARK;
    let ([l0, l1, l2, l3], [s0, s1, s2, s3]) = (length.to_le_bytes(), sum.to_le_bytes());
    *frame = [m0, m1, m2, m3, l0, l1, l2, l3, s0, s1, s2, s3];
    Some(bytes)
}

fn checksum(length: u32, body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&length.to_le_bytes());
    hasher.update(body);
    hasher.finalize()
}

/// What could be read of a file.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    /// The batches, in their order; a key is theirs who read it.
    pub(crate) batches: Vec<(i64, Batch)>,
    /// Records that could not be read, as far as that can be told.
    pub(crate) lost_records: u64,
    /// Their bytes.
    pub(crate) lost_bytes: u64,
}

/// Reads every record of a file that can be read.
pub(crate) fn decode(file: &[u8]) -> Contents {
    let mut contents = Contents::default();
    walk(file, &mut contents.lost_records, &mut contents.lost_bytes, |body| {
        let batch = batch(body)?;
        contents.batches.push(batch);
        Some(())
    });
    contents
}

/// How much is in a file, without reading the occurrences.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) occurrences: u64,
    /// When the first record was written.
    pub(crate) since: Option<Timestamp>,
}

/// Looks at a file as [`decode`] does, but only at what stands before the occurrences.
pub(crate) fn summary(file: &[u8]) -> Summary {
    let mut summary = Summary::default();
    walk(file, &mut 0, &mut 0, |body| {
        let mut reader = Reader(body);
        reader.long()?;
        summary.since.get_or_insert(Timestamp::from_micros(reader.long()?));
        summary.occurrences += u64::from(reader.number()?);
        Some(())
    });
    summary
}

/// Gives the body of each good record to `take`, and counts the others. What `take` cannot read is no good either.
fn walk(file: &[u8], lost_records: &mut u64, lost_bytes: &mut u64, mut take: impl FnMut(&[u8]) -> Option<()>) {
    let mut place = HEADER.min(file.len());
    // Something between the end of a good record and the next one was lost, and is counted already.
    let mut lost = false;
    while let Some(rest) = file.get(place..).filter(|rest| !rest.is_empty()) {
        if let Some(body) = framed(rest)
            && take(body).is_some()
        {
            place += FRAME + body.len();
            lost = false;
            continue;
        }
        if !lost || rest.starts_with(&MARK) {
            *lost_records += 1;
            lost = true;
        }
        // The length may be what is damaged: so it is not believed, but the next mark is looked for.
        let next = rest.windows(MARK.len()).skip(1).position(|window| window == MARK).map_or(rest.len(), |at| at + 1);
        *lost_bytes += next as u64;
        place += next;
    }
}

/// The body of the record that begins here, if it is whole.
fn framed(bytes: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader(bytes);
    if reader.take(MARK.len())? != MARK {
        return None;
    }
    let (length, sum) = (reader.number()?, reader.number()?);
    let body = reader.take(usize::try_from(length).ok()?)?;
    (checksum(length, body) == sum).then_some(body)
}

fn batch(body: &[u8]) -> Option<(i64, Batch)> {
    let mut reader = Reader(body);
    let number = reader.long()?;
    reader.long()?;
    let count = reader.number()?;
    let mut batch = Batch::default();
    for _ in 0..count {
        let whole = reader.take(1)? == [1];
        let (facts, payload) = (reader.number()?, reader.number()?);
        let facts = reader.take(usize::try_from(facts).ok()?)?;
        let payload = reader.take(usize::try_from(payload).ok()?)?;
        batch.occurrences.push(Occurrence::restored(facts, payload).ok()?);
        batch.counted_only.push(!whole);
    }
    reader.0.is_empty().then_some((number, batch))
}

/// Takes bytes from the front.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u32> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_le_bytes(*taken))
    }

    fn long(&mut self) -> Option<i64> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(i64::from_le_bytes(*taken))
    }
}

#[cfg(test)]
mod tests;
