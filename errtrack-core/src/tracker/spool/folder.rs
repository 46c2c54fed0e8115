//! The folder of the spool: who owns which files in it, and what a crash left behind.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
    time::SystemTime,
};
use uuid::Uuid;

/// The ending of files that hold records.
const SPOOL: &str = "spool";
/// The ending of the file by whose lock a writer is known to live.
const LOCK: &str = "lock";
/// The ending of files of which something could not be read.
const DAMAGED: &str = "damaged";
/// How many of those are kept, the newest.
const MOST_DAMAGED: usize = 4;

/// The lock of a writer's files; given back when it is dropped, or the process ends in whatever way.
#[derive(Debug)]
pub(crate) struct Lock {
    path: PathBuf,
    _file: File,
}

impl Lock {
    /// Locks the files of a writer; `None` if a living process holds them.
    pub(crate) fn take(folder: &Path, writer: Uuid) -> io::Result<Option<Self>> {
        let path = folder.join(format!("{}.{LOCK}", writer.simple()));
        let file = private().write(true).create(true).truncate(false).open(&path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { path, _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Gives it back for good, once the writer has no files any more.
    pub(crate) fn remove(self) {
        // Before it is unlocked: whoever waits for this file finds no other of that writer.
        let _ = fs::remove_file(&self.path);
    }
}

/// Makes the folder, open to nobody else. One that is there stays as it is.
pub(crate) fn make(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

/// Makes a file of a writer that begins with that number, open to nobody else.
pub(crate) fn create(folder: &Path, writer: Uuid, first: i64) -> io::Result<(PathBuf, File)> {
    let path = folder.join(format!("{}-{first:019}.{SPOOL}", writer.simple()));
    let file = private().write(true).create_new(true).open(&path)?;
    Ok((path, file))
}

/// Makes the names in the folder durable.
pub(crate) fn sync(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// What the name of a file says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Found {
    pub(crate) writer: Uuid,
    pub(crate) first: i64,
    pub(crate) path: PathBuf,
}

/// The files of records in the folder, by writer and number, and the writers that have a lock file.
pub(crate) fn list(folder: &Path) -> io::Result<(Vec<Found>, Vec<Uuid>)> {
    let (mut files, mut writers) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        // Neither folders nor links: none of them was made here.
        if !entry.file_type()?.is_file() {
            continue;
        }
        let ending = path.extension().and_then(|e| e.to_str());
        let Some(name) = path.file_stem().and_then(|n| n.to_str()) else { continue };
        match ending {
            Some(SPOOL) => {
                let parts = name.split_once('-').and_then(|(w, n)| Some((Uuid::try_parse(w).ok()?, n.parse().ok()?)));
                if let Some((writer, first)) = parts {
                    files.push(Found { writer, first, path });
                }
            }
            Some(LOCK) => writers.extend(Uuid::try_parse(name)),
            _ => {}
        }
    }
    files.sort_unstable();
    Ok((files, writers))
}

/// Keeps a file of which something could not be read, for people to look at, and lets go of the oldest of those.
pub(crate) fn set_aside(folder: &Path, path: &Path) -> io::Result<PathBuf> {
    let aside = path.with_extension(DAMAGED);
    fs::rename(path, &aside)?;
    let mut damaged = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == DAMAGED) && path != aside {
            let changed = fs::metadata(&path).and_then(|m| m.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
            damaged.push((changed, path));
        }
    }
    damaged.sort_unstable();
    let surplus = (damaged.len() + 1).saturating_sub(MOST_DAMAGED);
    for (_, path) in damaged.into_iter().take(surplus) {
        fs::remove_file(path)?;
    }
    Ok(aside)
}
