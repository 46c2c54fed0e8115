//! The query of the issue list, for the fuzz target.

use super::query::{DEFAULT, Query, quote};
use errtrack_core::{Project, ProjectId, Timestamp};

/// Reads a query, writes it again in every way in which a page does, and checks that what was written reads the same.
///
/// # Panics
/// It does not.
pub fn query(text: &str) {
    let now = Timestamp::from_micros(1_795_218_780_000_000);
    let shop =
        Project { id: ProjectId(7), slug: "shop".into(), name: "Shop".into(), platform: None, public_keys: vec![] };
    let Ok(query) = Query::parse(text) else { return };
    let _ = query.to_store(&[shop], now);
    for (index, term) in query.terms.iter().enumerate() {
        let alone = Query::parse(&term.text).map(|query| query.terms);
        assert_eq!(alone, Ok(vec![term.clone()]), "a term reads the same alone");
        let rest = Query::parse(&query.without(index)).map(|query| query.terms.len());
        assert_eq!(rest, Ok(query.terms.len() - 1));
        let again = Query::parse(&format!("tag:{}", quote(&term.value)));
        // In quotes it may be too long.
        assert!(again.is_err() || again.is_ok_and(|again| again.get("tag") == Some(term.value.as_str())));
    }
    let status = Query::parse(&query.with("is", Some("resolved")));
    assert!(status.is_err() || status.is_ok_and(|query| query.get("is") == Some("resolved")));
    assert!(Query::parse(DEFAULT).is_ok());
}
