//! Fuzz targets: everything in errtrack that reads what others have written, with what must hold of it.
//!
//! A target takes any bytes; it panics where something does not hold. `tests/short.rs` throws changed seeds at each for a
//! moment, in every run of the tests; `./scripts/fuzz` lets libFuzzer look for new ways through the code for as long as one
//! likes. What was found is a unit test beside the code that was wrong.

mod mutate;
mod seeds;
mod targets;

pub use errtrack_web::fuzzing::envelope;
pub use mutate::Mutator;
pub use seeds::Material;

/// A way in for bytes of others.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// What is fuzzed.
    pub name: &'static str,
    /// Reads the bytes, and panics where something does not hold.
    pub run: fn(&[u8]),
    /// Bytes to begin with.
    pub seeds: fn(&Material) -> Vec<Vec<u8>>,
}

/// Every target.
pub const TARGETS: &[Target] = &[
    targets::stacks::TARGET,
    targets::messages::TARGET,
    targets::frames::TARGET,
    targets::secrets::TARGET,
    targets::events::TARGET,
    targets::envelopes::TARGET,
    targets::reports::TARGET,
    targets::packed::TARGET,
    targets::headers::TARGET,
    targets::queries::TARGET,
    targets::values::TARGET,
    targets::conditions::TARGET,
    targets::spool::TARGET,
];

/// The target of that name.
#[must_use]
pub fn target(name: &str) -> Option<Target> {
    TARGETS.iter().find(|target| target.name == name).copied()
}
