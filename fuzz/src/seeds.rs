//! What is thrown at the targets to begin with: what SDKs really sent, traces of every language, secrets and prose.

use crate::targets::packed::ENCODINGS;
use anyhow::{Context, Result};
use errtrack_core::{Event, stacktext};
use errtrack_web::fuzzing;
use serde::Deserialize;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The most bytes that a recorded body may unpack to.
const LIMIT: usize = 4 << 20;

/// What the seeds of all targets are made of.
#[derive(Debug, Default)]
pub struct Material {
    /// Text traces.
    pub traces: Vec<String>,
    /// Lines with secrets in them.
    pub secrets: Vec<String>,
    /// Lines without.
    pub prose: Vec<String>,
    /// Recorded bodies as they were sent, each with its encoding.
    pub packed: Vec<(usize, Vec<u8>)>,
    /// The same, unpacked.
    pub envelopes: Vec<Vec<u8>>,
    /// The events of all of them, and of the traces.
    pub events: Vec<Event>,
}

/// What is said of a recorded request, as far as it matters here.
#[derive(Debug, Deserialize)]
struct Recorded {
    headers: Vec<(String, String)>,
    length: usize,
}

impl Material {
    /// Reads the fixtures of the repository.
    ///
    /// # Errors
    /// They are not there, or not what they should be.
    pub fn read() -> Result<Self> {
        let mut material = Self::default();
        let mut traces: Vec<_> = fs::read_dir(fixture("tests/fixtures/traces"))?.collect::<Result<_, _>>()?;
        traces.sort_by_key(fs::DirEntry::path);
        for trace in traces {
            material.traces.push(fs::read_to_string(trace.path())?);
        }
        let secrets = fs::read_to_string(fixture("errtrack-core/tests/sanitizing/secrets.tsv"))?;
        let keyed = |line: &str| {
            let parts: Vec<_> = line.split('\t').collect();
            let (key, text) = (parts.get(2).copied().unwrap_or_default(), parts.get(3).copied().unwrap_or_default());
            if key.is_empty() { text.to_owned() } else { format!("{key}={text}") }
        };
        material.secrets.extend(secrets.lines().filter(|line| !line.starts_with('#')).map(keyed));
        let prose = fs::read_to_string(fixture("errtrack-core/tests/sanitizing/harmless.txt"))?;
        material.prose.extend(prose.lines().map(str::to_owned));
        material.read_recordings(&fs::read(fixture("tests/fixtures/recordings.zst"))?)?;
        for trace in &material.traces {
            let mut event = Event { stack_trace: Some(trace.clone()), ..Event::default() };
            stacktext::fill_frames(&mut event);
            material.events.push(event);
        }
        Ok(material)
    }

    /// One zstd stream of entries: a line of JSON, the body, a line feed.
    fn read_recordings(&mut self, packed: &[u8]) -> Result<()> {
        let unpacked = zstd::decode_all(packed)?;
        let mut rest = unpacked.as_slice();
        let mut seen = BTreeSet::new();
        while let Some(end) = rest.iter().position(|&b| b == b'\n') {
            let (line, after) = rest.split_at(end);
            let recorded: Recorded = serde_json::from_slice(line)?;
            let (body, after) = after[1..].split_at_checked(recorded.length).context("a whole body")?;
            rest = after.strip_prefix(b"\n").context("the entry ends")?;
            let encoding = recorded.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-encoding"));
            let encoding = encoding.map_or("identity", |(_, value)| value.as_str());
            let index = ENCODINGS.iter().position(|known| *known == encoding).unwrap_or(ENCODINGS.len() - 1);
            let Some(plain) = fuzzing::unpacked(body, encoding, LIMIT) else { continue };
            let events = fuzzing::envelope(&plain).into_iter().chain(fuzzing::store_request(&plain, LIMIT));
            for event in events {
                // Many differ in nothing but what they were sent by.
                let shape =
                    (event.title().0.to_owned(), event.platform.clone(), event.threads.len(), event.exceptions.len());
                if seen.insert(shape) {
                    self.packed.push((index, body.to_vec()));
                    self.envelopes.push(plain.to_vec());
                    self.events.push(event);
                }
            }
        }
        Ok(())
    }
}

fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}
