//! Where in an event a value stands. Written out only for what is filtered.

/// A path that grows on the stack, as the walk goes down.
#[derive(Clone, Copy)]
pub(super) struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    part: Part<'a>,
}

#[derive(Clone, Copy)]
enum Part<'a> {
    Name(&'a str),
    Index(usize),
}

/// The longest part of a path that is written.
const LONGEST: usize = 200;

impl<'a> Path<'a> {
    pub(super) fn root(name: &'a str) -> Self {
        Self { parent: None, part: Part::Name(name) }
    }

    pub(super) fn name<'b>(&'b self, name: &'b str) -> Path<'b> {
        Path { parent: Some(self), part: Part::Name(name) }
    }

    pub(super) fn index(&self, index: usize) -> Path<'_> {
        Path { parent: Some(self), part: Part::Index(index) }
    }

    /// `request.headers.Authorization`, `exceptions.0.value`.
    pub(super) fn write(&self) -> String {
        let mut parts = vec![self];
        while let Some(parent) = parts.last().and_then(|path| path.parent) {
            parts.push(parent);
        }
        let mut text = String::new();
        for path in parts.into_iter().rev() {
            if !text.is_empty() {
                text.push('.');
            }
            match path.part {
                Part::Name(name) => text.push_str(name.get(..name.floor_char_boundary(LONGEST)).unwrap_or_default()),
                Part::Index(index) => text.push_str(&index.to_string()),
            }
        }
        text
    }
}
