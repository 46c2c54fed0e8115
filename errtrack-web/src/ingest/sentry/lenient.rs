//! Reading JSON whatever its shape: what fits is taken, what does not is dropped and noted.
//!
//! A [`Shape`] says what it makes of each kind of JSON value; what it has no use for is skipped by the parser, never an error.
//! Values go straight from the bytes into their places: there is no tree in between.

use errtrack_core::Mark;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::{borrow::Cow, cell::RefCell, fmt, marker::PhantomData};

/// Notes kept of one event; a client that gets everything wrong needs no more to be told so.
const MOST_NOTES: usize = 50;
/// Levels of nesting that are kept. Under the 128 at which `serde_json` gives up, which here would lose the event.
const DEEPEST: usize = 100;

/// What was dropped.
#[derive(Debug, Default)]
pub(crate) struct Notes(RefCell<Vec<Mark>>);

impl Notes {
    pub(crate) fn into_marks(self) -> Vec<Mark> {
        self.0.into_inner()
    }
}

/// A place in the document. Lives on the stack, so that knowing the way costs nothing until something is wrong.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At<'a> {
    notes: &'a Notes,
    parent: Option<&'a At<'a>>,
    step: Step<'a>,
    depth: usize,
}

#[derive(Debug, Clone, Copy)]
enum Step<'a> {
    Root,
    Field(&'a str),
    Index(usize),
}

impl<'a> At<'a> {
    pub(crate) fn root(notes: &'a Notes) -> Self {
        Self { notes, parent: None, step: Step::Root, depth: 0 }
    }

    pub(super) fn field(&'a self, name: &'a str) -> Self {
        Self { notes: self.notes, parent: Some(self), step: Step::Field(name), depth: self.depth + 1 }
    }

    pub(super) fn index(&'a self, index: usize) -> Self {
        Self { notes: self.notes, parent: Some(self), step: Step::Index(index), depth: self.depth + 1 }
    }

    /// Notes that what stands here was dropped for its shape.
    pub(super) fn invalid(&self) {
        self.note("invalid");
    }

    fn note(&self, what: &str) {
        let mut notes = self.notes.0.borrow_mut();
        if notes.len() < MOST_NOTES {
            let mut path = String::new();
            self.write_path(&mut path);
            notes.push(Mark { path, what: what.to_owned() });
        }
    }

    fn write_path(&self, path: &mut String) {
        if let Some(parent) = self.parent {
            parent.write_path(path);
        }
        if !path.is_empty() {
            path.push('.');
        }
        match self.step {
            Step::Root => {}
            Step::Field(name) => path.extend(name.chars().take(100)),
            Step::Index(index) => path.push_str(&index.to_string()),
        }
    }
}

/// What becomes of a JSON value, by its kind. Whatever is not overridden is dropped and noted.
pub(crate) trait Shape: Sized {
    fn null() -> Option<Self> {
        None
    }

    fn bool(at: &At<'_>, _value: bool) -> Option<Self> {
        at.invalid();
        None
    }

    fn int(at: &At<'_>, _value: i64) -> Option<Self> {
        at.invalid();
        None
    }

    fn float(at: &At<'_>, _value: f64) -> Option<Self> {
        at.invalid();
        None
    }

    fn text(at: &At<'_>, _value: &str) -> Option<Self> {
        at.invalid();
        None
    }

    fn list<'de, A: SeqAccess<'de>>(at: &At<'_>, mut seq: A) -> Result<Option<Self>, A::Error> {
        let mut empty = true;
        while seq.next_element::<IgnoredAny>()?.is_some() {
            empty = false;
        }
        // PHP writes an empty map as an empty list.
        if !empty {
            at.invalid();
        }
        Ok(None)
    }

    fn object<'de, A: MapAccess<'de>>(at: &At<'_>, mut map: A) -> Result<Option<Self>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        at.invalid();
        Ok(None)
    }
}

/// A shape with named fields.
pub(crate) trait Object: Default {
    /// Takes the value of a field; `false` if it does not know the name, and then has not touched the value.
    fn field<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A, at: &At<'_>) -> Result<bool, A::Error>;
}

impl<T: Object> Shape for T {
    fn object<'de, A: MapAccess<'de>>(at: &At<'_>, mut map: A) -> Result<Option<Self>, A::Error> {
        let mut this = Self::default();
        while let Some(Key(name)) = map.next_key()? {
            if !this.field(&name, &mut map, at)? {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Some(this))
    }
}

/// Implements [`Object`]: names on the left, fields on the right, which take what their [`Slot`] says.
macro_rules! object {
    ($ty:ty { $($name:literal $(| $alias:literal)* => $($field:ident).+,)* }) => {
        impl $crate::ingest::sentry::lenient::Object for $ty {
            fn field<'de, A: serde::de::MapAccess<'de>>(
                &mut self,
                name: &str,
                map: &mut A,
                at: &$crate::ingest::sentry::lenient::At<'_>,
            ) -> Result<bool, A::Error> {
                match name {
                    $($name $(| $alias)* => {
                        $crate::ingest::sentry::lenient::fill(&mut self.$($field).+, map, &at.field(name))?;
                    })*
                    _ => return Ok(false),
                }
                Ok(true)
            }
        }
    };
}
pub(super) use object;

/// A field that a value can be put into.
pub(crate) trait Slot {
    type Shape: Shape;
    fn put(&mut self, value: Self::Shape);
}

impl<T: Shape> Slot for Option<T> {
    type Shape = T;

    fn put(&mut self, value: T) {
        *self = Some(value);
    }
}

/// Reads the value that comes next into a field; leaves the field alone if the value does not fit.
pub(super) fn fill<'de, S: Slot, A: MapAccess<'de>>(slot: &mut S, map: &mut A, at: &At<'_>) -> Result<(), A::Error> {
    if let Some(value) = map.next_value_seed(Read::<S::Shape>::at(at))? {
        slot.put(value);
    }
    Ok(())
}

/// Reads a whole document.
pub(crate) fn read<T: Shape>(json: &[u8], notes: &Notes) -> Result<Option<T>, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let value = Read::<T>::at(&At::root(notes)).deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

/// Reads one value of a shape.
pub(super) struct Read<'a, T> {
    at: &'a At<'a>,
    shape: PhantomData<T>,
}

impl<'a, T> Read<'a, T> {
    pub(super) fn at(at: &'a At<'a>) -> Self {
        Self { at, shape: PhantomData }
    }
}

impl<'de, T: Shape> DeserializeSeed<'de> for Read<'_, T> {
    type Value = Option<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        if self.at.depth >= DEEPEST {
            // The parser skips without recursion, however deep it goes.
            deserializer.deserialize_ignored_any(IgnoredAny)?;
            self.at.note("too deep");
            return Ok(None);
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Shape> Visitor<'de> for Read<'_, T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E: Error>(self) -> Result<Option<T>, E> {
        Ok(T::null())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Option<T>, E> {
        Ok(T::bool(self.at, value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Option<T>, E> {
        Ok(T::int(self.at, value))
    }

    #[expect(clippy::cast_precision_loss, reason = "beyond 2^63 a float is all that is left")]
    fn visit_u64<E: Error>(self, value: u64) -> Result<Option<T>, E> {
        Ok(match i64::try_from(value) {
            Ok(value) => T::int(self.at, value),
            Err(_) => T::float(self.at, value as f64),
        })
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Option<T>, E> {
        Ok(T::float(self.at, value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Option<T>, E> {
        Ok(T::text(self.at, value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Option<T>, A::Error> {
        T::list(self.at, seq)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Option<T>, A::Error> {
        T::object(self.at, map)
    }
}

/// The name of a field, borrowed from the document unless it holds escapes.
pub(super) struct Key<'de>(pub(super) Cow<'de, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;

        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(name)))
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(name.to_owned())))
            }
        }

        deserializer.deserialize_str(KeyVisitor)
    }
}
