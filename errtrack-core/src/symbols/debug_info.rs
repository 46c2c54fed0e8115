//! Names, files and lines of addresses, from the debug information of what the process was loaded from.
//!
//! Not by `backtrace::resolve`: that reads debug information, for tens of milliseconds or for seconds, under the lock that
//! walking a stack takes too. A thread of the host that captures an error would wait for ours. It is left for systems that
//! do not tell what they have loaded.

use super::{image::Images, name::readable, path};
use crate::Frame;
use addr2line::Loader;
use std::{collections::HashMap, ffi::c_void, fmt};

/// The debug information of each file, read when an address lies in it.
#[derive(Default)]
pub(crate) struct DebugInfo {
    images: Images,
    /// `None` for a file that cannot be read.
    loaders: HashMap<String, Option<Loader>>,
}

impl DebugInfo {
    /// The frames at an address, inlined calls included, the innermost first; one at least.
    pub(crate) fn frames(&mut self, address: usize) -> Vec<Frame> {
        // The address is that of the next instruction; one before it lies within the call.
        let inside = address.saturating_sub(1);
        let mut frames = if self.images.is_known() { self.read(inside) } else { resolve(inside) };
        frames.retain(|frame| frame.function.is_some() || frame.abs_path.is_some());
        for frame in &mut frames {
            frame.instruction_addr = Some(format!("{address:#x}"));
        }
        if frames.is_empty() {
            frames.push(self.nameless(address, inside));
        }
        frames
    }

    fn read(&mut self, inside: usize) -> Vec<Frame> {
        let Some((image, at)) = self.images.place(inside) else { return Vec::new() };
        let path = image.readable_path();
        let loader = self.loaders.entry(path.to_owned()).or_insert_with(|| Loader::new(path).ok());
        loader.as_ref().map(|loader| read(loader, at)).unwrap_or_default()
    }

    /// What is left is to be looked up in the program's debug information elsewhere: `addr2line -e shop 0x1f2e`.
    fn nameless(&mut self, address: usize, inside: usize) -> Frame {
        let (package, at) = match self.images.place(inside) {
            Some((image, at)) => (Some(image.name().into_owned()), at + 1),
            None => (None, address),
        };
        Frame { package, instruction_addr: Some(format!("{at:#x}")), ..Frame::default() }
    }

    /// Lets go of what was read: tens of megabytes in large programs. The next address reads it again.
    pub(crate) fn let_go(&mut self) {
        self.loaders = HashMap::new();
        // Meanwhile the program may have loaded more.
        self.images = Images::default();
    }
}

impl fmt::Debug for DebugInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DebugInfo").field("files", &self.loaders.len()).finish_non_exhaustive()
    }
}

/// What is damaged in the debug information is left out.
fn read(loader: &Loader, at: usize) -> Vec<Frame> {
    let Ok(at) = u64::try_from(at) else { return Vec::new() };
    let mut frames = Vec::new();
    if let Ok(mut found) = loader.find_frames(at) {
        while let Ok(Some(one)) = found.next() {
            let function = one.function.as_ref().and_then(|f| f.demangle().ok().map(|name| name.into_owned()));
            let place = one.location.as_ref();
            let path = place.and_then(|l| l.file).map(str::to_owned);
            frames.push(frame(function, path, place.and_then(|l| l.line), place.and_then(|l| l.column)));
        }
    }
    // Without debug information there is the table of symbols, which knows no inlined calls. The outermost function is in it.
    if frames.last().is_none_or(|frame| frame.function.is_none())
        && let Some(symbol) = loader.find_symbol(at)
    {
        let name = addr2line::demangle_auto(symbol.into(), None).into_owned();
        match frames.last_mut() {
            Some(outermost) => outermost.function = Some(readable(&name)),
            None => frames.push(frame(Some(name), None, None, None)),
        }
    }
    frames
}

fn resolve(inside: usize) -> Vec<Frame> {
    let mut frames = Vec::new();
    backtrace::resolve(inside as *mut c_void, |symbol| {
        let path = symbol.filename().map(|p| p.to_string_lossy().into_owned());
        frames.push(frame(symbol.name().map(|n| format!("{n:#}")), path, symbol.lineno(), symbol.colno()));
    });
    frames
}

fn frame(function: Option<String>, path: Option<String>, line: Option<u32>, column: Option<u32>) -> Frame {
    let function = function.map(|name| readable(&name));
    // With line tables alone names are bare, and the file tells the module.
    let is_bare = function.as_deref().is_some_and(|f| !f.contains("::"));
    Frame {
        module: path.as_deref().filter(|_| is_bare).and_then(path::module),
        function,
        abs_path: path,
        lineno: line.filter(|line| *line > 0),
        colno: column.filter(|column| *column > 0),
        ..Frame::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::symbols::{Addresses, Symbols};
    use std::{sync::mpsc, thread, time::Duration};

    #[test]
    fn an_address_without_a_name_is_told_by_its_image() {
        let frames = DebugInfo::default().frames(0x10);
        assert_eq!(frames.len(), 1);
        assert_eq!(frames[0].instruction_addr.as_deref(), Some("0x10"), "in no image");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn naming_a_stack_does_not_hold_up_who_walks_one() {
        let addresses = Addresses::capture();
        let (is_held, held) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        // While this thread walks its stack, nobody else gets the lock that walking takes.
        let walks = thread::spawn(move || {
            backtrace::trace(|_| {
                let _ = is_held.send(());
                let _ = released.recv();
                false
            });
        });
        held.recv().unwrap();
        let (is_named, named) = mpsc::channel();
        thread::spawn(move || is_named.send(Symbols::default().resolve(&addresses, None)));
        let stack = named.recv_timeout(Duration::from_secs(60));
        drop(release);
        walks.join().unwrap();
        let last = stack.expect("it is named meanwhile").frames.pop().unwrap();
        assert!(last.function.unwrap().ends_with("naming_a_stack_does_not_hold_up_who_walks_one"));
    }

    #[test]
    fn what_is_let_go_is_read_again() {
        let address = DebugInfo::frames as *const () as usize + 1;
        let mut info = DebugInfo::default();
        let frames = info.frames(address);
        assert!(frames.last().unwrap().function.as_deref().unwrap().ends_with("DebugInfo::frames"), "{frames:?}");
        info.let_go();
        assert!(info.loaders.is_empty());
        assert_eq!(info.frames(address), frames);
    }
}
