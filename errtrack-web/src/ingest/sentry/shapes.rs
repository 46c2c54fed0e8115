//! The shapes of plain values: texts, numbers, times, lists and maps in each of the ways in which clients write them.

use super::lenient::{At, Key, Object, Read, Shape, Slot};
use errtrack_core::{Level, Map, Timestamp};
use serde::de::{IgnoredAny, MapAccess, SeqAccess};
use serde_json::{Number, Value};

impl Shape for String {
    fn bool(_: &At<'_>, value: bool) -> Option<Self> {
        Some(value.to_string())
    }

    fn int(_: &At<'_>, value: i64) -> Option<Self> {
        Some(value.to_string())
    }

    fn float(_: &At<'_>, value: f64) -> Option<Self> {
        Some(value.to_string())
    }

    fn text(_: &At<'_>, value: &str) -> Option<Self> {
        Some(value.to_owned())
    }
}

impl Slot for String {
    type Shape = Self;

    fn put(&mut self, value: Self) {
        *self = value;
    }
}

impl Shape for bool {
    fn bool(_: &At<'_>, value: bool) -> Option<Self> {
        Some(value)
    }

    fn int(_: &At<'_>, value: i64) -> Option<Self> {
        Some(value != 0)
    }

    fn text(at: &At<'_>, value: &str) -> Option<Self> {
        checked(at, value.parse().ok())
    }
}

macro_rules! integer {
    ($($ty:ty),*) => {$(
        impl Shape for $ty {
            fn int(at: &At<'_>, value: i64) -> Option<Self> {
                checked(at, value.try_into().ok())
            }

            #[expect(clippy::cast_possible_truncation, reason = "only what is whole and in range is cast")]
            fn float(at: &At<'_>, value: f64) -> Option<Self> {
                let whole = value.fract() == 0.0 && value.abs() < 9e15;
                checked(at, whole.then_some(value as i64).and_then(|v| v.try_into().ok()))
            }

            fn text(at: &At<'_>, value: &str) -> Option<Self> {
                checked(at, value.trim().parse().ok())
            }
        }
    )*};
}
integer!(u32, i64, usize);

fn checked<T>(at: &At<'_>, value: Option<T>) -> Option<T> {
    if value.is_none() {
        at.invalid();
    }
    value
}

impl Shape for Level {
    fn int(_: &At<'_>, value: i64) -> Option<Self> {
        Some(Self::from_number(value))
    }

    fn text(at: &At<'_>, value: &str) -> Option<Self> {
        checked(at, value.parse().ok().or_else(|| value.parse().ok().map(Self::from_number)))
    }
}

impl Shape for Timestamp {
    #[expect(clippy::cast_precision_loss, reason = "seconds, not microseconds")]
    fn int(at: &At<'_>, value: i64) -> Option<Self> {
        Self::float(at, value as f64)
    }

    fn float(at: &At<'_>, value: f64) -> Option<Self> {
        checked(at, Self::from_seconds(value))
    }

    fn text(at: &At<'_>, value: &str) -> Option<Self> {
        let seconds = || value.trim().parse().ok().and_then(Self::from_seconds);
        checked(at, value.trim().parse().ok().or_else(seconds))
    }
}

impl Shape for Value {
    fn bool(_: &At<'_>, value: bool) -> Option<Self> {
        Some(Self::Bool(value))
    }

    fn int(_: &At<'_>, value: i64) -> Option<Self> {
        Some(value.into())
    }

    fn float(_: &At<'_>, value: f64) -> Option<Self> {
        Number::from_f64(value).map(Self::Number)
    }

    fn text(_: &At<'_>, value: &str) -> Option<Self> {
        Some(Self::String(value.to_owned()))
    }

    fn list<'de, A: SeqAccess<'de>>(at: &At<'_>, mut seq: A) -> Result<Option<Self>, A::Error> {
        let mut list = Vec::new();
        // What is null stays null here: the places in a list may mean something.
        while let Some(value) = seq.next_element_seed(Read::<Self>::at(&at.index(list.len())))? {
            list.push(value.unwrap_or_default());
        }
        Ok(Some(Self::Array(list)))
    }

    fn object<'de, A: MapAccess<'de>>(at: &At<'_>, map: A) -> Result<Option<Self>, A::Error> {
        Ok(Map::object(at, map)?.map(Self::Object))
    }
}

impl Slot for Value {
    type Shape = Self;

    fn put(&mut self, value: Self) {
        *self = value;
    }
}

impl Shape for Map {
    fn object<'de, A: MapAccess<'de>>(at: &At<'_>, mut map: A) -> Result<Option<Self>, A::Error> {
        let mut entries = Self::new();
        while let Some(Key(name)) = map.next_key()? {
            let value = map.next_value_seed(Read::<Value>::at(&at.field(&name)))?;
            entries.insert(name.into_owned(), value.unwrap_or_default());
        }
        Ok(Some(entries))
    }
}

impl Slot for Map {
    type Shape = Self;

    fn put(&mut self, value: Self) {
        *self = value;
    }
}

/// A list; entries that are null or do not fit are left out.
pub(crate) struct List<T>(pub(crate) Vec<T>);

impl<T: Shape> Shape for List<T> {
    fn list<'de, A: SeqAccess<'de>>(at: &At<'_>, mut seq: A) -> Result<Option<Self>, A::Error> {
        let (mut list, mut index) = (Vec::new(), 0);
        while let Some(entry) = seq.next_element_seed(Read::<T>::at(&at.index(index)))? {
            list.extend(entry);
            index += 1;
        }
        Ok(Some(Self(list)))
    }
}

impl<T: Shape> Slot for Vec<T> {
    type Shape = List<T>;

    fn put(&mut self, value: List<T>) {
        *self = value.0;
    }
}

/// `[…]`, `{"values": […]}`, or one entry alone.
#[derive(Debug)]
pub(crate) struct Values<T>(pub(crate) Vec<T>);

impl<T: Object> Shape for Values<T> {
    fn list<'de, A: SeqAccess<'de>>(at: &At<'_>, seq: A) -> Result<Option<Self>, A::Error> {
        Ok(List::list(at, seq)?.map(|List(list)| Self(list)))
    }

    fn object<'de, A: MapAccess<'de>>(at: &At<'_>, mut map: A) -> Result<Option<Self>, A::Error> {
        let (mut values, mut single, mut is_single) = (None, T::default(), false);
        while let Some(Key(name)) = map.next_key()? {
            if name == "values" {
                values = map.next_value_seed(Read::<List<T>>::at(&at.field("values")))?;
            } else if single.field(&name, &mut map, at)? {
                is_single = true;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(values.map(|List(list)| Self(list)).or_else(|| is_single.then(|| Self(vec![single]))))
    }
}

/// One text or a list of texts.
#[derive(Debug)]
pub(crate) struct Texts(pub(crate) Vec<String>);

impl Shape for Texts {
    fn int(_: &At<'_>, value: i64) -> Option<Self> {
        Some(Self(vec![value.to_string()]))
    }

    fn text(_: &At<'_>, value: &str) -> Option<Self> {
        Some(Self(vec![value.to_owned()]))
    }

    fn list<'de, A: SeqAccess<'de>>(at: &At<'_>, seq: A) -> Result<Option<Self>, A::Error> {
        Ok(List::list(at, seq)?.map(|List(list)| Self(list)))
    }
}

/// A text, or anything else as text: lists joined by commas, objects as JSON.
#[derive(Debug)]
pub(crate) struct Loose(pub(crate) String);

impl Shape for Loose {
    fn bool(at: &At<'_>, value: bool) -> Option<Self> {
        String::bool(at, value).map(Self)
    }

    fn int(at: &At<'_>, value: i64) -> Option<Self> {
        String::int(at, value).map(Self)
    }

    fn float(at: &At<'_>, value: f64) -> Option<Self> {
        String::float(at, value).map(Self)
    }

    fn text(_: &At<'_>, value: &str) -> Option<Self> {
        Some(Self(value.to_owned()))
    }

    fn list<'de, A: SeqAccess<'de>>(at: &At<'_>, seq: A) -> Result<Option<Self>, A::Error> {
        let Some(Value::Array(list)) = Value::list(at, seq)? else { return Ok(None) };
        let texts: Vec<_> =
            list.into_iter().map(|v| if let Value::String(s) = v { s } else { v.to_string() }).collect();
        Ok(Some(Self(texts.join(", "))))
    }

    fn object<'de, A: MapAccess<'de>>(at: &At<'_>, map: A) -> Result<Option<Self>, A::Error> {
        Ok(Value::object(at, map)?.map(|value| Self(value.to_string())))
    }
}
