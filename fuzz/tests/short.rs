//! Every target for a moment: its seeds, and its seeds changed, always the same.

use errtrack_fuzz::{Material, Mutator, TARGETS, target};
use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::LazyLock,
    time::{Duration, Instant},
};

/// How long a target is run.
const MOMENT: Duration = Duration::from_millis(1_500);
/// How long one input may take, of 16 KB at most and in a build for debugging.
const PATIENCE: Duration = Duration::from_secs(5);

static MATERIAL: LazyLock<Material> = LazyLock::new(|| Material::read().unwrap());

fn short(name: &str) {
    let target = target(name).unwrap();
    let seeds = (target.seeds)(&MATERIAL);
    assert!(!seeds.is_empty());
    let mut mutator = Mutator::new(4711);
    let (mut runs, start) = (0_u64, Instant::now());
    for input in seeds.clone().into_iter().chain(std::iter::repeat_with(|| mutator.change(&seeds))) {
        let begun = Instant::now();
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| (target.run)(&input))) {
            eprintln!("{name} fails on \"{}\"", input.escape_ascii());
            resume_unwind(panic);
        }
        let took = begun.elapsed();
        assert!(took < PATIENCE, "{name} took {took:?} for \"{}\"", input.escape_ascii());
        runs += 1;
        if start.elapsed() > MOMENT {
            break;
        }
    }
    println!("{name}: {runs} inputs");
}

macro_rules! targets {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                short(stringify!($name));
            }
        )*

        #[test]
        fn every_target_is_run() {
            let run = [$(stringify!($name)),*];
            assert_eq!(TARGETS.iter().map(|target| target.name).collect::<Vec<_>>(), run);
        }
    };
}

targets! { stacks messages frames secrets events envelopes reports packed headers queries values conditions spool }
