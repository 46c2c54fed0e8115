//! The texts of SQL, grouped by what they are about. `$1` and dull types, so that one text serves every database.

pub(crate) mod account;
pub(crate) mod bulk;
pub(crate) mod event;
pub(crate) mod issue;
pub(crate) mod project;
pub(crate) mod upkeep;
