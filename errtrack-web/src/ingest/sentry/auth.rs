//! Who an SDK reports as: a public key, in any of four places.

use super::answer::Refusal;
use axum::extract::Query;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{HeaderMap, Uri, header};

/// What a request says of its sender.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Auth {
    /// The public key.
    pub(super) key: Option<String>,
    /// What the client calls itself.
    pub(super) client: Option<String>,
}

impl Auth {
    /// Looks in `X-Sentry-Auth`, in the query and in `Authorization`. The same key may stand in several of them.
    pub(super) fn find(headers: &HeaderMap, uri: &Uri) -> Result<Self, Refusal> {
        let mut auth = Self::default();
        if let Some(value) = headers.get("x-sentry-auth").and_then(|v| v.to_str().ok()) {
            auth.take_pairs(value)?;
        }
        if uri.query().is_some_and(|query| query.contains("sentry_"))
            && let Ok(Query(pairs)) = Query::<Vec<(String, String)>>::try_from_uri(uri)
        {
            for (name, value) in pairs {
                auth.take(&name, &value)?;
            }
        }
        if let Some((scheme, value)) =
            headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).and_then(|v| v.split_once(' '))
        {
            if scheme.eq_ignore_ascii_case("sentry") {
                auth.take_pairs(value)?;
            } else if scheme.eq_ignore_ascii_case("basic")
                && let Ok(decoded) = BASE64_STANDARD.decode(value.trim())
                && let Ok(text) = String::from_utf8(decoded)
            {
                auth.take("sentry_key", text.split(':').next().unwrap_or_default())?;
            }
        }
        Ok(auth)
    }

    /// `Sentry sentry_key=…, sentry_version=7`: with any spacing, and with or without the first word.
    fn take_pairs(&mut self, value: &str) -> Result<(), Refusal> {
        let value = value.trim();
        let pairs = match value.split_once(char::is_whitespace) {
            Some((word, rest)) if word.eq_ignore_ascii_case("sentry") => rest,
            _ => value,
        };
        for (name, value) in pairs.split(',').filter_map(|pair| pair.split_once('=')) {
            self.take(name.trim(), value.trim())?;
        }
        Ok(())
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), Refusal> {
        match name {
            "sentry_key" => self.take_key(value),
            "sentry_client" if !value.is_empty() => {
                self.client.get_or_insert_with(|| value.chars().take(100).collect());
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Adds a key from another place, which must be the one that is known if one is known.
    pub(super) fn take_key(&mut self, key: &str) -> Result<(), Refusal> {
        match &self.key {
            _ if key.is_empty() => Ok(()),
            None => {
                self.key = Some(key.to_owned());
                Ok(())
            }
            Some(known) if known == key => Ok(()),
            Some(_) => Err(Refusal::unauthorized("two different keys were sent")),
        }
    }
}

/// Key and project of a DSN: `https://key[:secret]@host[:port][/prefix]/42`.
pub(super) fn dsn_parts(dsn: &str) -> Option<(&str, i64)> {
    let (_, rest) = dsn.split_once("://")?;
    let (user, place) = rest.split_once('@')?;
    let key = user.split(':').next().filter(|key| !key.is_empty())?;
    let place = place.split(['?', '#']).next()?.trim_end_matches('/');
    let (_, project) = place.rsplit_once('/')?;
    Some((key, project.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(headers: &[(&'static str, &str)], uri: &str) -> Result<Auth, Refusal> {
        let headers = headers.iter().map(|(n, v)| (n.parse().unwrap(), v.parse().unwrap())).collect();
        Auth::find(&headers, &uri.parse().unwrap())
    }

    #[test]
    fn the_key_may_stand_in_any_place() {
        let forms: [(&[(&str, &str)], &str); 7] = [
            (&[("x-sentry-auth", "Sentry sentry_key=abc, sentry_version=7, sentry_client=x/1")], "/"),
            (&[("x-sentry-auth", "sentry sentry_version=5,sentry_client=x/1,sentry_key=abc,sentry_secret=s")], "/"),
            (&[("x-sentry-auth", "sentry_client=x/1,sentry_key=abc")], "/"),
            (&[], "/?sentry_version=7&sentry_key=abc&sentry_client=x%2F1"),
            (&[("authorization", "Sentry sentry_key=abc, sentry_client=x/1")], "/"),
            (&[("authorization", "Basic YWJjOg==")], "/?sentry_client=x/1"),
            (&[("x-sentry-auth", "Sentry sentry_key=abc")], "/?sentry_key=abc&sentry_client=x/1"),
        ];
        for (headers, uri) in forms {
            let auth = find(headers, uri).unwrap();
            assert_eq!((auth.key.as_deref(), auth.client.as_deref()), (Some("abc"), Some("x/1")), "{headers:?} {uri}");
        }
        assert_eq!(find(&[("authorization", "Bearer secret")], "/?q=1").unwrap(), Auth::default());
        assert!(find(&[("x-sentry-auth", "Sentry sentry_key=abc")], "/?sentry_key=other").is_err());
    }

    #[test]
    fn a_dsn_names_key_and_project() {
        assert_eq!(dsn_parts("https://abc@host/1"), Some(("abc", 1)));
        assert_eq!(dsn_parts("http://abc:secret@host:8080/some/prefix/42/"), Some(("abc", 42)));
        for wrong in ["", "abc", "http://host/1", "http://@host/1", "http://abc@host", "http://abc@host/app"] {
            assert_eq!(dsn_parts(wrong), None, "{wrong}");
        }
    }
}
