//! Query parameters, each checked; what is wrong is told by name.

use crate::error::Error;
use axum::{
    extract::{FromRequestParts, Query},
    http::request::Parts,
};
use std::{fmt::Display, str::FromStr};

/// The parameters of a request. One that is empty, as forms send it, is like absent.
#[derive(Debug)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    /// Those that are given.
    pub(crate) fn new(given: Vec<(String, String)>) -> Self {
        Self(given)
    }

    /// The value of a parameter, the last one if there are several.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(n, value)| n == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// Every value of a parameter.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(n, value)| n == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// A parameter of a type that can be parsed; `what` says what it has to be.
    pub(crate) fn parse<T: FromStr>(&self, name: &str, what: impl Display) -> Result<Option<T>, Error> {
        let wrong = || Error::bad_request(format!("{name}: must be {what}"));
        self.text(name).map(|text| text.parse().map_err(|_| wrong())).transpose()
    }

    /// How many entries a page has: from 1 to 100, 50 unless asked otherwise.
    pub(crate) fn limit(&self) -> Result<u32, Error> {
        self.limit_of(100)
    }

    /// The same, with another number of entries at most.
    pub(crate) fn limit_of(&self, most: u32) -> Result<u32, Error> {
        let what = format_args!("a number from 1 to {most}");
        match self.parse("limit", what)? {
            None => Ok(50),
            Some(limit) if (1..=most).contains(&limit) => Ok(limit),
            Some(_) => Err(Error::bad_request(format!("limit: must be {what}"))),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Params {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let Query(pairs) = Query::try_from_uri(&parts.uri).map_err(|e| Error::bad_request(e.body_text()))?;
        Ok(Self(pairs))
    }
}
