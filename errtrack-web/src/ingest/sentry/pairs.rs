//! Names with values: as a map, or as a list of pairs.

use super::{
    lenient::{At, Key, Read, Shape, Slot},
    shapes::Loose,
};
use serde::de::{IgnoredAny, MapAccess, SeqAccess};
use std::collections::BTreeMap;

/// `{"a": 1}` or `[["a", 1]]`, in the order in which they stand; what is null is left out.
#[derive(Debug)]
pub(crate) struct Pairs(pub(crate) Vec<(String, String)>);

impl Shape for Pairs {
    fn list<'de, A: SeqAccess<'de>>(at: &At<'_>, mut seq: A) -> Result<Option<Self>, A::Error> {
        let (mut pairs, mut index) = (Vec::new(), 0);
        while let Some(pair) = seq.next_element_seed(Read::<Pair>::at(&at.index(index)))? {
            pairs.extend(pair.map(|Pair(name, value)| (name, value)));
            index += 1;
        }
        Ok(Some(Self(pairs)))
    }

    fn object<'de, A: MapAccess<'de>>(at: &At<'_>, mut map: A) -> Result<Option<Self>, A::Error> {
        let mut pairs = Vec::new();
        while let Some(Key(name)) = map.next_key()? {
            if let Some(Loose(value)) = map.next_value_seed(Read::at(&at.field(&name)))? {
                pairs.push((name.into_owned(), value));
            }
        }
        Ok(Some(Self(pairs)))
    }
}

impl Slot for BTreeMap<String, String> {
    type Shape = Pairs;

    fn put(&mut self, value: Pairs) {
        *self = value.0.into_iter().collect();
    }
}

/// `["a", 1]`.
struct Pair(String, String);

impl Shape for Pair {
    fn list<'de, A: SeqAccess<'de>>(at: &At<'_>, mut seq: A) -> Result<Option<Self>, A::Error> {
        let name = seq.next_element_seed(Read::<String>::at(&at.index(0)))?.flatten();
        let value = seq.next_element_seed(Read::<Loose>::at(&at.index(1)))?.flatten();
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(name.zip(value).map(|(name, Loose(value))| Self(name, value)))
    }
}

/// A query: as text, as a map, or as pairs.
#[derive(Debug)]
pub(crate) struct Query(pub(crate) String);

impl Shape for Query {
    fn text(_: &At<'_>, value: &str) -> Option<Self> {
        Some(Self(value.strip_prefix('?').unwrap_or(value).to_owned()))
    }

    fn list<'de, A: SeqAccess<'de>>(at: &At<'_>, seq: A) -> Result<Option<Self>, A::Error> {
        Ok(Pairs::list(at, seq)?.map(Self::from_pairs))
    }

    fn object<'de, A: MapAccess<'de>>(at: &At<'_>, map: A) -> Result<Option<Self>, A::Error> {
        Ok(Pairs::object(at, map)?.map(Self::from_pairs))
    }
}

impl Query {
    fn from_pairs(Pairs(pairs): Pairs) -> Self {
        let mut query = String::new();
        for (name, value) in pairs {
            if !query.is_empty() {
                query.push('&');
            }
            encode(&mut query, &name);
            query.push('=');
            encode(&mut query, &value);
        }
        Self(query)
    }
}

/// Percent-encodes what is not unreserved in RFC 3986.
fn encode(out: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
}
