//! Addresses within the files that a process was loaded from.
//!
//! A stripped program has addresses and no names. Where it is loaded changes at each start; where an address lies within
//! the file does not, and is what `addr2line` asks for.

use std::{borrow::Cow, fs, path::Path};

/// The largest list of what is loaded that is read.
const LONGEST: usize = 4 << 20;
/// What stands behind the path of a file that is gone.
const DELETED: &str = " (deleted)";

/// What is loaded, read when it is first asked for. Linux alone tells.
#[derive(Debug, Default)]
pub(crate) struct Images {
    list: Option<Vec<Image>>,
}

/// A part of a file in memory.
#[derive(Debug)]
pub(crate) struct Image {
    start: usize,
    end: usize,
    /// What is taken off an address.
    base: usize,
    path: String,
}

impl Image {
    /// The name of the file.
    pub(crate) fn name(&self) -> Cow<'_, str> {
        Path::new(self.path.trim_end_matches(DELETED)).file_name().unwrap_or_default().to_string_lossy()
    }

    /// Where the file can be read, also when a deploy has replaced the program meanwhile.
    pub(crate) fn readable_path(&self) -> &str {
        const PROGRAM: &str = "/proc/self/exe";
        let is_program = || fs::read_link(PROGRAM).is_ok_and(|program| program == Path::new(&self.path));
        if self.path.ends_with(DELETED) && is_program() { PROGRAM } else { &self.path }
    }
}

impl Images {
    /// The file in which an address lies, and where in it.
    pub(crate) fn place(&mut self, address: usize) -> Option<(&Image, usize)> {
        let image = self.list().iter().find(|image| (image.start..image.end).contains(&address))?;
        Some((image, address.saturating_sub(image.base)))
    }

    /// Whether the system tells what is loaded.
    pub(crate) fn is_known(&mut self) -> bool {
        !self.list().is_empty()
    }

    fn list(&mut self) -> &[Image] {
        self.list.get_or_insert_with(|| fs::read_to_string("/proc/self/maps").map_or_else(|_| Vec::new(), |m| read(&m)))
    }
}

/// Lines such as `55f9a8400000-55f9a8500000 r-xp 00010000 08:01 1234  /usr/bin/shop`.
fn read(maps: &str) -> Vec<Image> {
    let mut images: Vec<Image> = Vec::new();
    let mut file = ("", 0);
    for line in maps.get(..maps.floor_char_boundary(LONGEST)).unwrap_or_default().lines() {
        let mut words = line.splitn(6, ' ');
        let range = words.next().and_then(|range| range.split_once('-'));
        let path = words.nth(4).unwrap_or_default().trim();
        let (Some((start, end)), true) = (range, path.starts_with('/')) else { continue };
        let (Ok(start), Ok(end)) = (usize::from_str_radix(start, 16), usize::from_str_radix(end, 16)) else { continue };
        if file.0 != path {
            file = (path, if is_fixed(path) { 0 } else { start });
        }
        images.push(Image { start, end, base: file.1, path: path.to_owned() });
    }
    images
}

/// Whether a program is loaded where it says itself (`ET_EXEC`).
fn is_fixed(path: &str) -> bool {
    use std::io::Read;
    let mut head = [0u8; 18];
    fs::File::open(path).and_then(|mut file| file.read_exact(&mut head)).is_ok() && head.ends_with(&[2, 0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_told_from_the_start_of_its_file() {
        let maps = "55f000000000-55f000010000 r--p 00000000 08:01 12                 /srv/my shop\n\
            55f000010000-55f000090000 r-xp 00010000 08:01 12                 /srv/my shop\n\
            7f0000000000-7f0000001000 rw-p 00000000 00:00 0 \n\
            7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0                  [stack]\n";
        let mut images = Images { list: Some(read(maps)) };
        let (image, at) = images.place(0x55f0_0001_2345).unwrap();
        assert_eq!((&*image.name(), image.readable_path(), at), ("my shop", "/srv/my shop", 0x12345));
        assert!(images.place(0x7f00_0000_0500).is_none());
    }
}
