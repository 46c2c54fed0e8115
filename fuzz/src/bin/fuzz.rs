//! libFuzzer's program: `ERRTRACK_FUZZ=envelopes fuzz [options] corpus`.

#![no_main]

use errtrack_fuzz::{Target, target};
use std::sync::LazyLock;

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let name = std::env::var("ERRTRACK_FUZZ").unwrap_or_default();
    target(&name).unwrap_or_else(|| panic!("ERRTRACK_FUZZ={name} is no target"))
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| (TARGET.run)(data));
