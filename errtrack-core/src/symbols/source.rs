//! What a frame of the program shows of its source: the lines around it where they are at hand, and a link to the code host.
//!
//! Lines are read on the tracker's side alone, once per file, and only of files that the debug information names, that end
//! in `.rs`, lie in the folder in which the program was built, links followed, and are older than the program: newer ones
//! have moved on, and their lines would lie.

use crate::Frame;
use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

/// Lines before and after that of the frame.
const AROUND: usize = 5;
/// Bytes of one line that are shown.
const LONGEST_LINE: usize = 300;
/// The largest file that is read.
const LARGEST: u64 = 1 << 20;
/// Bytes of files that are kept.
const CACHED: usize = 8 << 20;

/// What frames show of their source.
#[derive(Debug, Clone, Default)]
pub(crate) struct SourceRules {
    /// Whether lines are read.
    pub(crate) lines: bool,
    pub(crate) link: Option<SourceLink>,
}

/// Where a code host shows a line: `https://github.com/acme/shop/blob/{commit}/{path}#L{line}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SourceLink(String);

impl SourceLink {
    /// Puts a commit into a template. `None` if it leads nowhere: it is no address of the web, names no `{path}`, or wants a
    /// commit that is not known.
    pub(crate) fn new(template: &str, commit: Option<&str>) -> Option<Self> {
        let is_web = template.starts_with("https://") || template.starts_with("http://");
        let template = match commit {
            Some(commit) => template.replace("{commit}", &encode(commit)),
            None => template.to_owned(),
        };
        (is_web && template.contains("{path}") && !template.contains("{commit}")).then_some(Self(template))
    }

    /// The address of a line of a file, given from the root of the workspace on.
    pub(crate) fn to(&self, path: &str, line: Option<u32>) -> String {
        let line = line.map_or_else(|| "1".to_owned(), |line| line.to_string());
        self.0.replace("{line}", &line).replace("{path}", &encode(path))
    }
}

/// The commit that a release names: `3f2a9c1`, or what is behind the plus in `shop@1.4.0+3f2a9c1`.
pub(crate) fn commit_of(release: &str) -> Option<&str> {
    let last = release.rsplit(['+', '@']).next().unwrap_or(release);
    let is_commit = (7..=64).contains(&last.len()) && last.bytes().all(|b| b.is_ascii_hexdigit());
    is_commit.then_some(last)
}

/// Everything but what a path may hold, in percents.
fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Reads lines, and remembers files.
#[derive(Debug, Default)]
pub(crate) struct SourceReader {
    files: HashMap<String, Option<Arc<str>>>,
    bytes: usize,
    /// When the program was built; files that are newer are not shown.
    built: Option<SystemTime>,
}

impl SourceReader {
    /// Puts lines and link on the frames that are the program's own.
    pub(crate) fn complete(&mut self, frames: &mut [Frame], rules: &SourceRules, root: Option<&str>) {
        let Some(root) = root.filter(|_| rules.lines || rules.link.is_some()) else { return };
        for frame in frames.iter_mut().filter(|frame| frame.in_app == Some(true)) {
            let Some(path) = frame.abs_path.as_deref().filter(|path| path.starts_with(root)) else { continue };
            if rules.lines
                && let (Some(line), Some(text)) = (frame.lineno, self.file(path, root))
            {
                put(frame, &text, line);
            }
            if let (Some(link), Some(file)) = (&rules.link, frame.filename.as_deref()) {
                frame.source_link = Some(link.to(file, frame.lineno));
            }
        }
    }

    fn file(&mut self, path: &str, root: &str) -> Option<Arc<str>> {
        if let Some(known) = self.files.get(path) {
            return known.clone();
        }
        if self.bytes > CACHED {
            self.files.clear();
            self.bytes = 0;
        }
        let built = *self.built.get_or_insert_with(|| built().unwrap_or(SystemTime::UNIX_EPOCH));
        let text = read(Path::new(path), Path::new(root), built).map(Arc::from);
        self.bytes += path.len() + text.as_ref().map_or(0, |text: &Arc<str>| text.len());
        self.files.insert(path.to_owned(), text.clone());
        text
    }
}

fn built() -> Option<SystemTime> {
    std::env::current_exe().and_then(fs::metadata).and_then(|file| file.modified()).ok()
}

fn read(path: &Path, root: &Path, built: SystemTime) -> Option<String> {
    let (path, root): (PathBuf, PathBuf) = (path.canonicalize().ok()?, root.canonicalize().ok()?);
    let is_source = path.extension().is_some_and(|extension| extension == "rs") && path.starts_with(root);
    let file = fs::metadata(&path).ok().filter(|_| is_source)?;
    let fits = file.is_file() && file.len() <= LARGEST && file.modified().ok()? <= built;
    if fits { fs::read_to_string(path).ok() } else { None }
}

/// The lines around one; nothing if the file is shorter.
fn put(frame: &mut Frame, text: &str, line: u32) {
    let Some(at) = usize::try_from(line).ok().and_then(|line| line.checked_sub(1)) else { return };
    let first = at.saturating_sub(AROUND);
    let cut = |line: &str| line.get(..line.floor_char_boundary(LONGEST_LINE)).unwrap_or_default().to_owned();
    let mut lines = text.lines().skip(first);
    let before: Vec<String> = lines.by_ref().take(at - first).map(cut).collect();
    let Some(hit) = lines.next() else { return };
    frame.pre_context = before;
    frame.context_line = Some(cut(hit));
    frame.post_context = lines.take(AROUND).map(cut).collect();
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn frame(path: &Path, line: u32) -> Frame {
        let abs_path = Some(path.to_string_lossy().into_owned());
        Frame {
            abs_path,
            filename: Some("src/pay it.rs".into()),
            lineno: Some(line),
            in_app: Some(true),
            ..Frame::default()
        }
    }

    fn completed(frame: Frame, root: &Path, rules: &SourceRules) -> Frame {
        let mut frames = [frame];
        let mut reader =
            SourceReader { built: Some(SystemTime::now() + Duration::from_secs(60)), ..SourceReader::default() };
        reader.complete(&mut frames, rules, Some(&root.to_string_lossy()));
        let [frame] = frames;
        frame
    }

    #[test]
    fn the_lines_around_a_frame_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pay.rs");
        fs::write(&file, (1..=20).map(|n| format!("line {n}\n")).collect::<String>()).unwrap();
        let rules = SourceRules { lines: true, link: None };
        let read = completed(frame(&file, 10), folder.path(), &rules);
        assert_eq!(read.context_line.as_deref(), Some("line 10"));
        assert_eq!(read.pre_context, ["line 5", "line 6", "line 7", "line 8", "line 9"]);
        assert_eq!(read.post_context, ["line 11", "line 12", "line 13", "line 14", "line 15"]);
        let first = completed(frame(&file, 1), folder.path(), &rules);
        assert_eq!((first.pre_context.len(), first.context_line.as_deref()), (0, Some("line 1")));
        assert_eq!(completed(frame(&file, 99), folder.path(), &rules).context_line, None);
        assert_eq!(completed(frame(&file, 10), folder.path(), &SourceRules::default()).context_line, None);
        let library = Frame { in_app: Some(false), ..frame(&file, 10) };
        assert_eq!(completed(library, folder.path(), &rules).context_line, None);
    }

    #[test]
    fn nothing_but_sources_of_the_program_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("shop");
        fs::create_dir(&root).unwrap();
        let rules = SourceRules { lines: true, link: None };
        let (outside, secret) = (folder.path().join("other.rs"), root.join(".env"));
        for path in [&outside, &secret] {
            fs::write(path, "secret\n").unwrap();
            assert_eq!(completed(frame(path, 1), &root, &rules).context_line, None, "{path:?}");
        }
        let around = root.join("../other.rs");
        assert_eq!(completed(frame(&around, 1), &root, &rules).context_line, None);
        let large = root.join("large.rs");
        fs::write(&large, vec![b'\n'; 2 << 20]).unwrap();
        assert_eq!(completed(frame(&large, 1), &root, &rules).context_line, None);
        #[cfg(unix)]
        {
            let link = root.join("link.rs");
            std::os::unix::fs::symlink(&secret, &link).unwrap();
            assert_eq!(completed(frame(&link, 1), &root, &rules).context_line, None);
        }
    }

    #[test]
    fn a_file_that_is_newer_than_the_program_would_lie() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pay.rs");
        fs::write(&file, "line\n").unwrap();
        assert_eq!(read(&file, folder.path(), SystemTime::now() - Duration::from_secs(60)), None);
        assert!(read(&file, folder.path(), SystemTime::now() + Duration::from_secs(60)).is_some());
    }

    #[test]
    fn a_link_leads_to_the_line_at_the_commit() {
        let template = "https://github.com/acme/shop/blob/{commit}/{path}#L{line}";
        let link = SourceLink::new(template, Some("3f2a9c1")).unwrap();
        let rules = SourceRules { lines: false, link: Some(link) };
        let linked = completed(frame(Path::new("/srv/shop/src/pay it.rs"), 7), Path::new("/srv/shop"), &rules);
        assert_eq!(linked.source_link.as_deref(), Some("https://github.com/acme/shop/blob/3f2a9c1/src/pay%20it.rs#L7"));
        for nowhere in ["javascript:alert('{path}')", "https://example.com/", "ftp://x/{path}", "//x/{path}"] {
            assert_eq!(SourceLink::new(nowhere, Some("3f2a9c1")), None, "{nowhere}");
        }
        assert_eq!(SourceLink::new(template, None), None);
        assert!(SourceLink::new("https://code.example/{path}", None).is_some());
        let odd = SourceLink::new(template, Some("a b\"><{path}")).unwrap();
        assert_eq!(odd.to("x.rs", None), "https://github.com/acme/shop/blob/a%20b%22%3E%3C%7Bpath%7D/x.rs#L1");
    }

    #[test]
    fn a_release_may_name_its_commit() {
        assert_eq!(commit_of("shop@1.4.0+3f2a9c1"), Some("3f2a9c1"));
        assert_eq!(
            commit_of("9f3c2a1b0c8d7e6f5a4b3c2d1e0f9a8b7c6d5e4f"),
            Some("9f3c2a1b0c8d7e6f5a4b3c2d1e0f9a8b7c6d5e4f")
        );
        assert_eq!(commit_of("shop@1.4.0"), None);
        assert_eq!(commit_of("1.4.0"), None);
    }
}
