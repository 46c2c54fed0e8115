//! Packed bodies, which may unpack to more than anybody wants.

use crate::Target;
use errtrack_web::fuzzing;

pub(crate) const TARGET: Target = Target {
    name: "packed",
    run,
    seeds: |material| {
        let led =
            |(encoding, body): &(usize, Vec<u8>)| [&[u8::try_from(*encoding).unwrap_or_default()][..], body].concat();
        material.packed.iter().map(led).collect()
    },
};

/// What a body may be packed with; the first byte chooses.
pub(crate) const ENCODINGS: [&str; 5] = ["gzip", "deflate", "br", "zstd", "identity"];
const LIMIT: usize = 64 << 10;

fn run(data: &[u8]) {
    let Some((first, body)) = data.split_first() else { return };
    let encoding = ENCODINGS.get(usize::from(*first) % ENCODINGS.len()).copied().unwrap_or_default();
    if let Some(unpacked) = fuzzing::unpacked(body, encoding, LIMIT) {
        assert!(unpacked.len() <= LIMIT, "{} bytes", unpacked.len());
    }
}
