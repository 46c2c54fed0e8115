//! The request and the user of an event as Sentry SDKs send them.

use super::{
    lenient::{At, Object, fill},
    pairs::Query,
};
use errtrack_core::{Request, User};
use serde::de::MapAccess;
use serde_json::Value;
use std::net::IpAddr;

impl Object for Request {
    fn field<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A, at: &At<'_>) -> Result<bool, A::Error> {
        let at = &at.field(name);
        match name {
            "url" => fill(&mut self.url, map, at)?,
            "method" => fill(&mut self.method, map, at)?,
            "query_string" => {
                let mut query = None::<Query>;
                fill(&mut query, map, at)?;
                self.query_string = query.map(|Query(text)| text).filter(|q| !q.is_empty());
            }
            "headers" => fill(&mut self.headers, map, at)?,
            "cookies" => fill(&mut self.cookies, map, at)?,
            "data" => fill(&mut self.data, map, at)?,
            "env" => fill(&mut self.env, map, at)?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

impl Object for User {
    fn field<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A, at: &At<'_>) -> Result<bool, A::Error> {
        let at = &at.field(name);
        match name {
            "id" => fill(&mut self.id, map, at)?,
            "username" => fill(&mut self.username, map, at)?,
            "email" => fill(&mut self.email, map, at)?,
            "ip_address" => fill(&mut self.ip_address, map, at)?,
            _ => {
                let mut value = Value::Null;
                fill(&mut value, map, at)?;
                if !value.is_null() {
                    self.other.insert(name.to_owned(), value);
                }
            }
        }
        Ok(true)
    }
}

/// Moves the query out of the URL, where clients leave it, to the field that is made for it.
pub(super) fn split_query(request: &mut Request) {
    let Some(url) = &mut request.url else { return };
    if let Some(at) = url.find('#') {
        url.truncate(at);
    }
    if let Some(at) = url.find('?') {
        let query = url.split_off(at);
        if request.query_string.is_none() && query.len() > 1 {
            request.query_string = query.strip_prefix('?').map(str::to_owned);
        }
    }
}

/// What `{{auto}}` stands for.
const AUTO: &str = "{{auto}}";

/// Puts the peer's address where the client asks for it: by `{{auto}}`, or by `infer_ip` in its settings.
pub(super) fn fill_address(user: &mut Option<User>, infer: Option<&str>, peer: Option<IpAddr>) {
    let peer = peer.map(|ip| ip.to_canonical().to_string());
    let asks = user.as_ref().and_then(|u| u.ip_address.as_deref()) == Some(AUTO);
    match infer {
        Some("never") if asks => {
            if let Some(user) = user {
                user.ip_address = None;
            }
        }
        _ if asks => {
            if let Some(user) = user {
                user.ip_address = peer;
            }
        }
        Some("auto") if peer.is_some() => {
            let user = user.get_or_insert_default();
            if user.ip_address.is_none() {
                user.ip_address = peer;
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_filled_in_where_the_client_asks_for_it() {
        let peer = Some("::ffff:192.0.2.7".parse().unwrap());
        let address = |user: Option<User>, infer| {
            let mut user = user;
            fill_address(&mut user, infer, peer);
            user.and_then(|u| u.ip_address)
        };
        let auto = || Some(User::default().ip_address(AUTO));
        assert_eq!(address(auto(), None).as_deref(), Some("192.0.2.7"));
        assert_eq!(address(auto(), Some("never")), None);
        assert_eq!(address(None, Some("auto")).as_deref(), Some("192.0.2.7"));
        assert_eq!(address(Some(User::default().ip_address("10.0.0.1")), Some("auto")).as_deref(), Some("10.0.0.1"));
        assert_eq!(address(None, None), None);
    }

    #[test]
    fn a_query_moves_out_of_the_url() {
        let mut request = Request { url: Some("http://h/p?a=1#top".into()), ..Request::default() };
        split_query(&mut request);
        assert_eq!((request.url.as_deref(), request.query_string.as_deref()), (Some("http://h/p"), Some("a=1")));
    }
}
