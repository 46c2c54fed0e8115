//! A ticket that is there already, by its address.

use url::Url;

/// Bytes of an address, and characters of a name.
const LONGEST: usize = 2_000;
const NAME: usize = 100;

/// A ticket that somebody links.
///
/// # Example
/// ```
/// use errtrack_notify::TicketLink;
///
/// let link = TicketLink::parse("https://github.com/acme/shop/issues/12#issuecomment-1")?;
/// assert_eq!((link.kind, link.key.as_str()), ("github", "acme/shop#12"));
/// assert_eq!(link.url, "https://github.com/acme/shop/issues/12");
/// # Ok::<(), errtrack_notify::InvalidTicketLink>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketLink {
    /// Its address, without what names a place on the page.
    pub url: String,
    /// Whose it is, as far as the address tells: `github`, `gitlab`, `jira`, or `other`.
    pub kind: &'static str,
    /// What it is called there: `acme/shop#12`, `SHOP-12`; of `other` its address without the scheme.
    pub key: String,
}

/// The error of reading a [`TicketLink`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an address like https://github.com/acme/shop/issues/12, of http or https and without a password")]
pub struct InvalidTicketLink;

impl TicketLink {
    /// Reads an address.
    ///
    /// # Errors
    /// It is none of `http` or `https`, it holds a user or a password, or it is longer than 2,000 bytes.
    pub fn parse(text: &str) -> Result<Self, InvalidTicketLink> {
        let mut url = parsed(text).ok_or(InvalidTicketLink)?;
        url.set_fragment(None);
        let (kind, key) = named(&url);
        Ok(Self { url: url.into(), kind, key })
    }
}

/// An address that may be linked.
pub(super) fn parsed(text: &str) -> Option<Url> {
    let url = Url::parse(text.trim()).ok()?;
    let is_open = matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none();
    (is_open && url.has_host() && url.as_str().len() <= LONGEST).then_some(url)
}

/// Whose ticket an address is, and what it is called.
fn named(url: &Url) -> (&'static str, String) {
    let path = parts(url);
    let cut = |name: String| name.chars().take(NAME).collect();
    match path.as_slice() {
        [owner, repository, "issues" | "pull", number] if url.host_str() == Some("github.com") && is_number(number) => {
            ("github", cut(format!("{owner}/{repository}#{number}")))
        }
        [project @ .., "-", "issues" | "work_items", number] if !project.is_empty() && is_number(number) => {
            ("gitlab", cut(format!("{}#{number}", project.join("/"))))
        }
        [.., "browse", key] if is_jira_key(key) => ("jira", cut((*key).to_owned())),
        _ => {
            let host = url.host_str().unwrap_or_default();
            ("other", cut([&[host], path.as_slice()].concat().join("/")))
        }
    }
}

/// The parts of its path that are not empty.
pub(super) fn parts(url: &Url) -> Vec<&str> {
    url.path_segments().map(|parts| parts.filter(|part| !part.is_empty()).collect()).unwrap_or_default()
}

pub(super) fn is_number(text: &str) -> bool {
    !text.is_empty() && text.len() < 16 && text.bytes().all(|b| b.is_ascii_digit())
}

/// Whether a text is like `SHOP-12`.
pub(super) fn is_jira_key(text: &str) -> bool {
    text.rsplit_once('-').is_some_and(|(project, number)| {
        let is_plain = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
        project.starts_with(|c: char| c.is_ascii_uppercase()) && project.bytes().all(is_plain) && is_number(number)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_tells_whose_ticket_it_is() {
        for (url, kind, key) in [
            ("https://github.com/acme/shop/issues/12", "github", "acme/shop#12"),
            ("https://github.com/acme/shop/pull/7/", "github", "acme/shop#7"),
            ("https://github.com/acme/shop/issues", "other", "github.com/acme/shop/issues"),
            ("https://git.example.com/acme/shop/issues/12", "other", "git.example.com/acme/shop/issues/12"),
            ("https://gitlab.com/a/b/c/-/issues/3?x=1", "gitlab", "a/b/c#3"),
            ("http://git.example.com/a/b/-/work_items/3", "gitlab", "a/b#3"),
            ("https://acme.atlassian.net/browse/SHOP-12", "jira", "SHOP-12"),
            ("https://jira.example.com/jira/browse/A1_B-2", "jira", "A1_B-2"),
            ("https://jira.example.com/browse/shop-12", "other", "jira.example.com/browse/shop-12"),
            ("https://linear.app/acme/issue/SHO-1/pay", "other", "linear.app/acme/issue/SHO-1/pay"),
        ] {
            let link = TicketLink::parse(url).unwrap();
            assert_eq!((link.kind, link.key.as_str()), (kind, key), "{url}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("https://example.com/{}", "x".repeat(LONGEST));
        for url in [
            "",
            "shop#12",
            "javascript:alert(1)",
            "data:text/html,x",
            "ftp://a/b",
            "https://a:b@example.com/",
            "https://",
            &long,
        ] {
            assert_eq!(TicketLink::parse(url), Err(InvalidTicketLink), "{url}");
        }
        assert_eq!(TicketLink::parse(" https://EXAMPLE.com/ü \n").unwrap().url, "https://example.com/%C3%BC");
    }
}
