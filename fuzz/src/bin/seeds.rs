//! Writes the seeds of every target to a folder, each target's to one of its own: `seeds target/fuzz/corpus`.

use errtrack_fuzz::{Material, TARGETS};
use std::{env, fs, path::Path};

fn main() -> anyhow::Result<()> {
    let folder = env::args().nth(1).unwrap_or_else(|| "target/fuzz/corpus".to_owned());
    let material = Material::read()?;
    for target in TARGETS {
        let folder = Path::new(&folder).join(target.name);
        fs::create_dir_all(&folder)?;
        for (number, seed) in (target.seeds)(&material).into_iter().enumerate() {
            fs::write(folder.join(format!("seed-{number:04}")), seed)?;
        }
        println!("{}", target.name);
    }
    Ok(())
}
