//! The fingerprint: a hash over the version and the components.

use super::Component;
use crate::Fingerprint;
use sha2::{Digest, Sha256};

/// SHA-256, cut to 128 bits. Every part is led by its length, so that no two lists of parts look the same.
pub(super) fn hash(version: &str, components: &[Component]) -> Fingerprint {
    let mut hasher = Sha256::new();
    part(&mut hasher, version);
    for component in components {
        part(&mut hasher, &component.name);
        hasher.update(component.values.len().to_le_bytes());
        component.values.iter().for_each(|value| part(&mut hasher, value));
    }
    Fingerprint(hasher.finalize().first_chunk().copied().unwrap_or_default())
}

fn part(hasher: &mut Sha256, text: &str) {
    hasher.update(text.len().to_le_bytes());
    hasher.update(text);
}
